//! The options about how to reach hosts and who to log on as.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use winrm::{AuthMethod, MessageEncryption, Pin, ProxyMode, TlsBackend};

/// How to reach hosts and who to log on as.
#[derive(Args, Debug)]
pub(crate) struct Connection {
    /// DOMAIN\user, user@REALM, .\local or a plain local user
    #[arg(long, env = "WINRM_USER", value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Reads the password from a file; without this: WINRM_PASSWORD, then a prompt on a terminal
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    pub(crate) password_file: Option<PathBuf>,
    /// Reads the password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Takes the password from the keyring of the system, unless one of the options above or WINRM_PASSWORD gives one;
    /// `winrm keyring set USER` stores it there
    #[cfg(feature = "keyring")]
    #[arg(long)]
    pub(crate) keyring: bool,
    /// How to log on [default: negotiate]
    #[arg(long, value_enum)]
    pub(crate) auth: Option<Auth>,
    /// Whether messages are sealed by NTLM over https, where TLS protects them already; over http they always
    /// are [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(crate) message_encryption: Option<Encryption>,
    /// Trusts these certificate authorities (PEM or DER) for https, in place of the system's; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Vec<PathBuf>,
    /// With --auth certificate: the certificate to log on by, PEM or PKCS#12; the password of the latter is
    /// WINRM_CERTIFICATE_PASSWORD, in --certificate-password-file, or asked for
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// The private key of a certificate in PEM, where it is in another file
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) certificate_key: Option<PathBuf>,
    /// Reads the password of a PKCS#12 file from a file
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) certificate_password_file: Option<PathBuf>,
    /// Accepts the certificate with this SHA-256 and no other: sha256:HEX, or sha256//BASE64 for its public key; may be
    /// given several times
    #[arg(long, value_name = "PIN")]
    pub(crate) pin: Vec<Pin>,
    /// The implementation of TLS [default: rustls]
    #[arg(long, value_enum, value_name = "WHICH")]
    pub(crate) tls_backend: Option<Backend>,
    #[command(flatten)]
    pub(crate) way: Way,
    /// Writes every message, decrypted, to a file only you can read: it holds command lines and output
    #[arg(long, value_name = "FILE")]
    pub(crate) trace_wire: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) dangers: Dangers,
    #[command(flatten)]
    pub(crate) files: Files,
    /// For resolving a name, opening a connection and TLS [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) connect_timeout: Option<Duration>,
    /// How long the service may hold a request, 0.5 to 60; a command may run for any number of these
    /// [default: 20]
    #[arg(long, value_name = "SECONDS", value_parser = operation_seconds)]
    pub(crate) operation_timeout: Option<Duration>,
    /// For everything; a remote command still running then is terminated [default: none]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Waits for the host to answer first, so long at most [default when given without a time: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, num_args = 0..=1, require_equals = true,
        default_missing_value = crate::waiting::DEFAULT)]
    pub(crate) wait: Option<Duration>,
}

/// The files that say more of hosts.
#[derive(Args, Debug)]
pub(crate) struct Files {
    /// Reads users, schemes, pins and more of hosts from this file [default: winrm/config.toml in the folder for settings,
    /// if it is there]
    #[arg(long, env = "WINRM_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Reads no such file, nor one of pins
    #[arg(long)]
    pub(crate) no_config: bool,
    /// Accepts the listeners in this file by their pins, one `HOST:PORT PIN` a line [default: winrm/known_pins beside the
    /// config file, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
}

/// What weakens the protection of passwords and messages.
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Args, Debug)]
pub(crate) struct Dangers {
    /// Accepts any certificate: whoever is between here and the host can be the host. Use --pin instead
    #[arg(long, conflicts_with_all = ["pin", "ca_file"])]
    pub(crate) dangerous_accept_any_certificate: bool,
    /// Lets --auth basic go over http: everybody on the network reads the password and every message
    #[arg(long)]
    pub(crate) dangerous_allow_clear_text_basic: bool,
    /// Goes on to further hosts with credentials that one host has refused: the same wrong password on host after host locks the
    /// account
    #[arg(long)]
    pub(crate) dangerous_keep_logging_on: bool,
    /// Goes on although the host negotiated less than 128-bit sealing: others may read or change messages
    #[arg(long)]
    pub(crate) dangerous_allow_weak_security_context: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Backend {
    /// TLS 1.2 and 1.3 with forward secrecy
    Rustls,
    /// OpenSSL with TLS 1.2: for hosts that offer AES-GCM only with static RSA (2012 R2), or ask for client certificates only
    /// after the handshake; where it was built in (feature tls-native)
    Native,
}

impl From<Backend> for TlsBackend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Rustls => Self::Rustls,
            Backend::Native => Self::Native,
        }
    }
}

/// The way to the host.
#[derive(Args, Debug)]
pub(crate) struct Way {
    /// Goes through this proxy: http://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT; without this: HTTP_PROXY,
    /// HTTPS_PROXY, ALL_PROXY and NO_PROXY
    #[arg(long, value_name = "URL", conflicts_with = "no_proxy")]
    pub(crate) proxy: Option<String>,
    /// Goes through no proxy, whatever the environment says
    #[arg(long)]
    pub(crate) no_proxy: bool,
    /// Who to log on to --proxy as; the password is WINRM_PROXY_PASSWORD, or in --proxy-password-file
    #[arg(long, value_name = "USER", requires = "proxy")]
    pub(crate) proxy_user: Option<String>,
    /// Reads the password for --proxy-user from a file
    #[arg(long, value_name = "FILE", requires = "proxy_user")]
    pub(crate) proxy_password_file: Option<PathBuf>,
    /// How an HTTP proxy is used for http targets
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Through::Auto)]
    pub(crate) proxy_mode: Through,
    /// Connects to this address in place of the target's, whose name counts for everything else
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    pub(crate) connect_to: Option<String>,
    /// The service principal name that the log-on is for [default: HTTP/HOST]
    #[arg(long, value_name = "NAME")]
    pub(crate) spn: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Through {
    /// By a tunnel, or where the proxy refuses that by requests that it forwards
    Auto,
    /// By a tunnel (CONNECT)
    Tunnel,
    /// By requests that it forwards; NTLM needs a proxy that keeps connections for that
    Forward,
}

impl From<Through> for ProxyMode {
    fn from(through: Through) -> Self {
        match through {
            Through::Auto => Self::Auto,
            Through::Tunnel => Self::Tunnel,
            Through::Forward => Self::Forward,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Auth {
    /// SPNEGO, offering NTLM
    Negotiate,
    /// NTLM without SPNEGO around it
    Ntlm,
    /// User and password as they are, over https only: the host learns the password
    Basic,
    /// A client certificate, over https only
    Certificate,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encryption {
    /// Where TLS does not protect messages
    Auto,
    /// Inside TLS too
    Always,
    /// Never; https only
    Never,
}

impl From<Encryption> for MessageEncryption {
    fn from(encryption: Encryption) -> Self {
        match encryption {
            Encryption::Auto => Self::Auto,
            Encryption::Always => Self::Always,
            Encryption::Never => Self::Never,
        }
    }
}

impl From<Auth> for AuthMethod {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::Negotiate => Self::Negotiate,
            Auth::Ntlm => Self::Ntlm,
            Auth::Basic => Self::Basic,
            Auth::Certificate => Self::Certificate,
        }
    }
}

/// More than a century: deadlines can be added up without overflow.
const MAX_SECONDS: f64 = 4e9;

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= MAX_SECONDS => {
            Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
        }
        _ => Err("not a number of seconds above 0".to_owned()),
    }
}

pub(crate) fn operation_seconds(text: &str) -> Result<Duration, String> {
    use winrm::transport::{MAX_OPERATION_TIMEOUT, MIN_OPERATION_TIMEOUT};
    seconds(text).and_then(|timeout| {
        if (MIN_OPERATION_TIMEOUT..=MAX_OPERATION_TIMEOUT).contains(&timeout) {
            Ok(timeout)
        } else {
            Err("not between 0.5 and 60 seconds".to_owned())
        }
    })
}
