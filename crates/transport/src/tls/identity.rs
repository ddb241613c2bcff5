//! A client's own certificate and its key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// Files larger than this are no certificates.
const MAX_FILE: u64 = 1 << 20;

/// A certificate to log on by ([`AuthMethod::Certificate`](crate::AuthMethod::Certificate)), with the authorities that
/// vouch for it, and its private key.
///
/// The key's memory is zeroed when the last clone is dropped.
#[derive(Clone)]
pub struct ClientCertificate {
    /// In DER, the client's own first.
    chain: Arc<Vec<CertificateDer<'static>>>,
    key: Arc<Key>,
}

struct Key {
    der: Zeroizing<Vec<u8>>,
    encoding: Encoding,
}

#[derive(Clone, Copy)]
enum Encoding {
    Pkcs1,
    Sec1,
    Pkcs8,
}

/// Why there is no [`ClientCertificate`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("client certificate{}: {reason}", in_file(.path.as_deref()))]
pub struct ClientCertificateError {
    /// The file that is at fault, where it came from one.
    pub path: Option<PathBuf>,
    /// What is wrong.
    #[source]
    pub reason: ClientCertificateProblem,
}

/// What is wrong with a client certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientCertificateProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// PEM whose base64 or lines are damaged.
    #[error("damaged PEM: {0}")]
    Pem(String),
    /// No certificate in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// No private key in it.
    #[error("there is no private key in it")]
    NoKey,
    /// The key is encrypted, which PEM files are not read with.
    #[error("its private key is encrypted: make a PKCS#12 file of it, or decrypt it (`openssl pkey`)")]
    EncryptedKey,
    /// The key belongs to another certificate, or is of a kind that TLS does not know.
    #[error("its private key does not fit its certificate: {0}")]
    Mismatch(String),
    /// The password does not open the PKCS#12 file.
    #[error("the password does not open it")]
    Password,
    /// A PKCS#12 file that is damaged or of an unknown make.
    #[error("damaged or unknown PKCS#12: {0}")]
    Pkcs12(String),
    /// A PKCS#12 file, and no support for them in this build.
    #[error("PKCS#12 files are not read by this build (feature `pkcs12`)")]
    Pkcs12NotBuiltIn,
}

fn in_file(path: Option<&Path>) -> String {
    path.map(|path| format!(" in {}", path.display())).unwrap_or_default()
}

impl From<ClientCertificateProblem> for ClientCertificateError {
    fn from(reason: ClientCertificateProblem) -> Self {
        Self { path: None, reason }
    }
}

impl ClientCertificate {
    /// Reads PEM: the certificate, then those of its authorities if they are to be sent along, and the key (PKCS#8, PKCS#1
    /// or SEC 1) before or behind.
    ///
    /// # Errors
    /// [`ClientCertificateError`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, ClientCertificateError> {
        Self::from_pem_parts(pem, pem).map_err(ClientCertificateError::from)
    }

    /// Reads a PKCS#12 file, as Windows exports certificates with their keys (.pfx).
    ///
    /// # Errors
    /// [`ClientCertificateError`].
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, ClientCertificateError> {
        pkcs12(file, password).map_err(ClientCertificateError::from)
    }

    /// Reads a file, PEM or PKCS#12; the key of a certificate in PEM may be in a file of its own. `password` is asked for
    /// when the file is PKCS#12.
    ///
    /// # Errors
    /// [`ClientCertificateError`] names the file. What `password` fails with is handed on.
    pub fn from_files<E: From<ClientCertificateError>>(
        certificate: &Path,
        key: Option<&Path>,
        password: impl FnOnce() -> Result<Zeroizing<String>, E>,
    ) -> Result<Self, E> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |reason| ClientCertificateError { path: Some(path), reason }
        };
        let file = read(certificate).map_err(at(certificate))?;
        // A SEQUENCE; text in PEM never begins so.
        if file.first() == Some(&0x30) {
            return Ok(pkcs12(&file, &password()?).map_err(at(certificate))?);
        }
        let key_path = key.unwrap_or(certificate);
        let key_file = read(key_path).map_err(at(key_path))?;
        Self::from_pem_parts(&file, &key_file).map_err(|problem| {
            let of_key =
                matches!(problem, ClientCertificateProblem::NoKey | ClientCertificateProblem::EncryptedKey);
            E::from(at(if of_key { key_path } else { certificate })(problem))
        })
    }

    fn from_pem_parts(certificates: &[u8], key: &[u8]) -> Result<Self, ClientCertificateProblem> {
        let chain = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ClientCertificateProblem::Pem(error.to_string()))?;
        if chain.is_empty() {
            return Err(ClientCertificateProblem::NoCertificate);
        }
        let key = match PrivateKeyDer::from_pem_slice(key) {
            Ok(key) => key,
            Err(_) if is_encrypted(key) => return Err(ClientCertificateProblem::EncryptedKey),
            Err(rustls::pki_types::pem::Error::NoItemsFound) => return Err(ClientCertificateProblem::NoKey),
            Err(error) => return Err(ClientCertificateProblem::Pem(error.to_string())),
        };
        Self::checked(chain, &key)
    }

    /// That key and certificate belong together is found out here, not in the middle of a handshake.
    fn checked(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'static>,
    ) -> Result<Self, ClientCertificateProblem> {
        let encoding = match key {
            PrivateKeyDer::Pkcs1(_) => Encoding::Pkcs1,
            PrivateKeyDer::Sec1(_) => Encoding::Sec1,
            _ => Encoding::Pkcs8,
        };
        let der = Zeroizing::new(key.secret_der().to_vec());
        let made = Self { chain: Arc::new(chain), key: Arc::new(Key { der, encoding }) };
        rustls::sign::CertifiedKey::from_der(
            made.chain().to_vec(),
            made.key(),
            &rustls::crypto::ring::default_provider(),
        )
        .map_err(|error| ClientCertificateProblem::Mismatch(error.to_string()))?;
        Ok(made)
    }

    /// In DER, the client's own certificate first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        let der = self.key.der.to_vec();
        match self.key.encoding {
            Encoding::Pkcs1 => PrivateKeyDer::Pkcs1(der.into()),
            Encoding::Sec1 => PrivateKeyDer::Sec1(der.into()),
            Encoding::Pkcs8 => PrivateKeyDer::Pkcs8(der.into()),
        }
    }
}

/// Without the key.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pin = self.chain.first().map(|own| super::certificate::pin(own).to_string());
        f.debug_struct("ClientCertificate").field("pin", &pin).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, ClientCertificateProblem> {
    use std::io::Read;
    let unreadable = |error: std::io::Error| ClientCertificateProblem::Unreadable(error.to_string());
    let mut content = Zeroizing::new(Vec::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > MAX_FILE {
        return Err(ClientCertificateProblem::Unreadable("it is too large".to_owned()));
    }
    Ok(content)
}

fn is_encrypted(pem: &[u8]) -> bool {
    let holds = |text: &[u8]| pem.windows(text.len()).any(|window| window == text);
    holds(b"BEGIN ENCRYPTED PRIVATE KEY") || holds(b"Proc-Type: 4,ENCRYPTED")
}

#[cfg(not(feature = "pkcs12"))]
fn pkcs12(_: &[u8], _: &str) -> Result<ClientCertificate, ClientCertificateProblem> {
    Err(ClientCertificateProblem::Pkcs12NotBuiltIn)
}

#[cfg(feature = "pkcs12")]
fn pkcs12(file: &[u8], password: &str) -> Result<ClientCertificate, ClientCertificateProblem> {
    use p12_keystore::error::Error;
    use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
    let store =
        KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Strict).map_err(|error| match error {
            Error::MacError(_) | Error::UnpadError => ClientCertificateProblem::Password,
            error => ClientCertificateProblem::Pkcs12(error.to_string()),
        })?;
    let (_, entry) = store.private_key_chain().ok_or(ClientCertificateProblem::NoKey)?;
    let chain: Vec<_> =
        entry.certs().iter().map(|certificate| CertificateDer::from(certificate.as_der().to_vec())).collect();
    if chain.is_empty() {
        return Err(ClientCertificateProblem::NoCertificate);
    }
    ClientCertificate::checked(chain, &PrivateKeyDer::Pkcs8(entry.key().as_der().to_vec().into()))
}
