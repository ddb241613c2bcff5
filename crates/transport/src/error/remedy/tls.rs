//! Certificates and TLS.

use crate::tls::TlsError;

/// What TLS has in common with few hosts, and which.
pub(super) const INCOMPATIBLE: &str = "Windows Server 2012 R2 and older offer AES-GCM only with static RSA, which rustls does not speak: \
     use the native backend (`--tls-backend native`, feature `tls-native`), update the host, or use http, where messages are \
     sealed too; where the listener wants client certificates, it must ask for them in the first handshake \
     (`clientcertnegotiation=enable` in `netsh http`), or the native backend waits until it asks";

/// Windows asks for certificates only after the handshake, in its default state.
const CERTIFICATE_LATER: &str = "let the listener ask in the first handshake: on the host, delete and add its binding with \
     `netsh http add sslcert ... clientcertnegotiation=enable`; or use the native backend, which waits until it asks \
     (`--tls-backend native`, feature `tls-native`)";

/// What the user can do about a certificate or a handshake.
pub(super) fn remedy(error: &TlsError) -> Option<String> {
    Some(match error {
        TlsError::NotBuiltIn => "build with the feature `tls`".to_owned(),
        TlsError::ServerName { .. } => "use the host's name or address".to_owned(),
        TlsError::Untrusted { pin, .. } => format!(
            "name its certificate authority (`--ca-file`); or make sure on the host itself that this certificate is its \
             own, and accept exactly it: `--pin {pin}`"
        ),
        TlsError::HostName { pin, .. } => format!(
            "connect by a name that is in the certificate, or, when this certificate is surely the host's, accept \
             exactly it: `--pin {pin}`"
        ),
        TlsError::PinMismatch { .. } => {
            "either the host has a new certificate, which you can look up on the host itself, or something between \
             pretends to be the host"
                .to_owned()
        }
        TlsError::Incompatible(_) => INCOMPATIBLE.to_owned(),
        TlsError::NotTls(_) => {
            "WinRM speaks https on port 5986 and http on port 5985 unless it was reconfigured".to_owned()
        }
        TlsError::ClientCertificateNotAsked => CERTIFICATE_LATER.to_owned(),
        TlsError::ClientCertificateWanted(_) => format!(
            "log on by a client certificate (`--auth certificate`), or let the listener not insist on one; {CERTIFICATE_LATER}"
        ),
        TlsError::ClientCertificateRefused(_) => {
            "the host must trust the certificate's issuer, and the certificate be meant for client authentication"
                .to_owned()
        }
        TlsError::Certificate(_) | TlsError::Handshake(_) => return None,
    })
}
