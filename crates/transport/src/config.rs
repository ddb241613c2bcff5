//! What a client is told once and keeps.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use winrm_ntlm::Credentials;

use crate::client::Client;
use crate::endpoint::{Endpoint, EndpointError};
use crate::http::{Connector, TcpConnector};
use crate::tls::{self, Pin};

/// How to log on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AuthMethod {
    /// SPNEGO in the `Negotiate` scheme, offering NTLM; the choice of mechanism is protected by mechListMIC.
    #[default]
    Negotiate,
    /// NTLM tokens without SPNEGO in the `Negotiate` scheme, for services that do not speak SPNEGO.
    Ntlm,
    /// User and password in every request, over TLS only: the host learns the password.
    Basic,
}

/// Whether messages are sealed by NTLM where TLS protects them already. Over http they always are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum MessageEncryption {
    /// Where TLS does not protect them.
    #[default]
    Auto,
    /// Inside TLS too.
    Always,
    /// Never; a client for an http endpoint cannot be built so.
    Never,
}

/// The default [`ClientBuilder::connect_timeout`].
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The default [`ClientBuilder::operation_timeout`].
pub const DEFAULT_OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
/// The shortest [`ClientBuilder::operation_timeout`]: MinTimeoutms of a WinRM service is 500.
pub const MIN_OPERATION_TIMEOUT: Duration = Duration::from_millis(500);
/// The longest [`ClientBuilder::operation_timeout`]: MaxTimeoutms of a WinRM service in its default state.
pub const MAX_OPERATION_TIMEOUT: Duration = Duration::from_mins(1);
/// The default [`ClientBuilder::max_envelope_size`]: MaxEnvelopeSizekb of every WinRM service since 2012.
pub const DEFAULT_MAX_ENVELOPE_SIZE: u32 = 512_000;
/// The smallest MaxEnvelopeSize that WS-Management allows (DSP0226 6.2).
pub const MIN_MAX_ENVELOPE_SIZE: u32 = 8192;

/// A service that holds a request for the whole operation timeout must still have time to answer.
pub(crate) const READ_SLACK: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) method: AuthMethod,
    pub(crate) message_encryption: MessageEncryption,
    pub(crate) service_principal_name: Option<String>,
    pub(crate) connect_timeout: Duration,
    pub(crate) operation_timeout: Duration,
    pub(crate) max_envelope_size: u32,
    pub(crate) allow_weak: bool,
    pub(crate) max_connections: usize,
    pub(crate) connector: Arc<dyn Connector>,
    /// Made of the builder's options for an https endpoint.
    pub(crate) tls: Option<tls::Client>,
}

impl Config {
    /// How long to wait for the answer to a request that the service may hold.
    pub(crate) fn read_deadline(&self) -> Duration {
        self.operation_timeout + READ_SLACK
    }

    /// Whether messages are sealed by the mechanism that logs on.
    pub(crate) fn seals(&self) -> bool {
        match self.method {
            AuthMethod::Basic => false,
            AuthMethod::Negotiate | AuthMethod::Ntlm => {
                !self.endpoint.is_tls() || self.message_encryption == MessageEncryption::Always
            }
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Credentials print their user alone.
        f.debug_struct("Config")
            .field("endpoint", &self.endpoint)
            .field("credentials", &self.credentials)
            .field("method", &self.method)
            .field("connect_timeout", &self.connect_timeout)
            .field("operation_timeout", &self.operation_timeout)
            .finish_non_exhaustive()
    }
}

/// Why a [`Client`] cannot be built.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Nobody to log on as.
    #[error("no credentials: anonymous access must be asked for with Credentials::anonymous()")]
    NoCredentials,
    /// An anonymous log-on has a key that everybody knows.
    #[error(
        "an anonymous log-on seals with a key that everybody knows: only dangerous_allow_weak_security_context \
         allows it"
    )]
    AnonymousIsUnsealed,
    /// Below [`MIN_OPERATION_TIMEOUT`] or above [`MAX_OPERATION_TIMEOUT`].
    #[error("operation timeout of {} s is not between 0.5 and {} s", .0.as_secs_f32(), MAX_OPERATION_TIMEOUT.as_secs())]
    OperationTimeout(Duration),
    /// Below [`MIN_MAX_ENVELOPE_SIZE`].
    #[error("MaxEnvelopeSize of {0} bytes is below the {MIN_MAX_ENVELOPE_SIZE} that WS-Management allows")]
    MaxEnvelopeSize(u32),
    /// No connection at all.
    #[error("a client needs at least one connection")]
    MaxConnections,
    /// An https endpoint, and no TLS in this build.
    #[error("https is not in this build (feature `tls`)")]
    TlsNotBuiltIn,
    /// Pins, authorities or the option to accept any certificate, for an http endpoint.
    #[error("options about certificates need an https endpoint: over http there is no certificate")]
    CertificateOptionOverHttp,
    /// Any certificate is to be accepted, and only certain ones are.
    #[error("accepting any certificate contradicts pins and certificate authorities")]
    ContradictoryTrust,
    /// A file of certificate authorities that cannot be used.
    #[error("certificate authorities in {}: {reason}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate authorities that cannot be used.
    #[error("certificate authorities: {reason}")]
    CaCertificates {
        /// What is wrong.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {reason}")]
    Tls {
        /// What is wrong.
        reason: String,
    },
    /// Clear text over http.
    #[error("messages over http are always sealed: MessageEncryption::Never needs https")]
    UnsealedOverHttp,
    /// Basic sends the password readable.
    #[error("Basic sends the password readable, so it is used over https only")]
    BasicOverHttp,
    /// Basic has no key to seal with.
    #[error("Basic cannot seal messages: MessageEncryption::Always needs Negotiate")]
    BasicCannotSeal,
    /// Basic needs what an NT hash and nobody do not have.
    #[error("Basic needs a user without a colon and a password, not an NT hash")]
    BasicCredentials,
}

/// Builds a [`Client`]. The defaults are the safe choice; what weakens them says so in its name.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    /// Anonymous until told otherwise, which only a probe may be.
    config: Config,
    credentials_given: bool,
    tls: tls::Options,
}

impl ClientBuilder {
    /// For `host`, `host:port` or an URL; see [`Endpoint`].
    ///
    /// # Errors
    /// [`EndpointError`] for anything else.
    pub fn new(target: impl AsRef<str>) -> Result<Self, EndpointError> {
        Ok(Self::for_endpoint(target.as_ref().parse()?))
    }

    /// For an endpoint already parsed.
    pub fn for_endpoint(endpoint: Endpoint) -> Self {
        let config = Config {
            endpoint,
            credentials: Credentials::anonymous(),
            method: AuthMethod::default(),
            message_encryption: MessageEncryption::default(),
            service_principal_name: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            operation_timeout: DEFAULT_OPERATION_TIMEOUT,
            max_envelope_size: DEFAULT_MAX_ENVELOPE_SIZE,
            allow_weak: false,
            max_connections: 32,
            connector: Arc::new(TcpConnector),
            tls: None,
        };
        Self { config, credentials_given: false, tls: tls::Options::default() }
    }

    /// Who to log on as.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.config.credentials = credentials;
        self.credentials_given = true;
        self
    }

    /// How to log on; [`AuthMethod::Negotiate`] unless set.
    pub fn auth_method(mut self, method: AuthMethod) -> Self {
        self.config.method = method;
        self
    }

    /// Whether messages are sealed inside TLS too; [`MessageEncryption::Auto`] unless set.
    pub fn message_encryption(mut self, message_encryption: MessageEncryption) -> Self {
        self.config.message_encryption = message_encryption;
        self
    }

    /// Trusts the certificate authorities in this file, PEM or one in DER, in place of the system's. May be given several
    /// times. The file is read by [`build`](Self::build).
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.authorities.push(tls::Authorities::File(path.into()));
        self
    }

    /// As [`ca_file`](Self::ca_file), from memory.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.authorities.push(tls::Authorities::Pem(pem.into()));
        self
    }

    /// Accepts a certificate with this pin, whoever signed it and for whatever name. May be given several times: one must
    /// match, and nothing else is accepted then. That the server has the certificate's key is proved all the same.
    pub fn pin(mut self, pin: Pin) -> Self {
        self.tls.pins.push(pin);
        self
    }

    /// Accepts any certificate at all. **Whoever is between the client and the host can be the host**: it can read and
    /// change everything, and with [`AuthMethod::Basic`] learns the password. [`pin`](Self::pin) is as easy and safe.
    pub fn dangerous_accept_any_certificate(mut self) -> Self {
        self.tls.accept_any = true;
        self
    }

    /// The name the service is known by to the mechanism (MsvAvTargetName); `HTTP/host` unless set.
    pub fn service_principal_name(mut self, name: impl Into<String>) -> Self {
        self.config.service_principal_name = Some(name.into());
        self
    }

    /// For resolving the name, opening the connection and TLS; 30 s unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// How long the service may hold a request before it answers; 20 s unless set, from 0.5 to 60 s. We wait 10 s
    /// longer for the answer itself. A command may run for any number of these.
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.config.operation_timeout = timeout;
        self
    }

    /// The longest answer we take, in bytes of the unsealed envelope; 512 000 unless set, at least 8192.
    pub fn max_envelope_size(mut self, bytes: u32) -> Self {
        self.config.max_envelope_size = bytes;
        self
    }

    /// The most connections that wait for output at once; 32 unless set. Input, signals with clean-up, and the rest have
    /// up to eight of their own each, so that they never wait for these or for each other.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.config.max_connections = connections;
        self
    }

    /// Goes on although the negotiated context lacks signing, sealing, key exchange, 128-bit keys or extended
    /// session security. Whoever is on the network may then read or change messages.
    pub fn dangerous_allow_weak_security_context(mut self) -> Self {
        self.config.allow_weak = true;
        self
    }

    /// Opens byte streams another way than by TCP.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.config.connector = connector;
        self
    }

    /// Where requests will go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.config.endpoint
    }

    /// The settings, with TLS made ready where the endpoint needs it.
    pub(crate) fn prepared(&self) -> Result<Config, ConfigError> {
        let is_tls = self.config.endpoint.is_tls();
        if !is_tls && !self.tls.is_default() {
            return Err(ConfigError::CertificateOptionOverHttp);
        }
        if self.tls.is_contradictory() {
            return Err(ConfigError::ContradictoryTrust);
        }
        let tls = is_tls.then(|| tls::Client::new(&self.tls)).transpose()?;
        Ok(Config { tls, ..self.config.clone() })
    }

    /// What Basic and message encryption ask of the rest.
    fn check_protection(&self) -> Result<(), ConfigError> {
        let Config { endpoint, credentials, method, message_encryption, .. } = &self.config;
        if *method == AuthMethod::Basic {
            if !endpoint.is_tls() {
                return Err(ConfigError::BasicOverHttp);
            }
            if *message_encryption == MessageEncryption::Always {
                return Err(ConfigError::BasicCannotSeal);
            }
            // RFC 7617 section 2: the first colon ends the user.
            if credentials.user_name().contains(':') || credentials.password_text().is_none() {
                return Err(ConfigError::BasicCredentials);
            }
        } else if !endpoint.is_tls() && *message_encryption == MessageEncryption::Never {
            return Err(ConfigError::UnsealedOverHttp);
        }
        Ok(())
    }

    /// The client. Nothing is sent before the first request.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that cannot work.
    pub fn build(self) -> Result<Client, ConfigError> {
        let Config { operation_timeout, max_envelope_size, max_connections, .. } = self.config;
        if !self.credentials_given {
            return Err(ConfigError::NoCredentials);
        }
        if self.config.credentials.is_anonymous() && !self.config.allow_weak {
            return Err(ConfigError::AnonymousIsUnsealed);
        }
        if operation_timeout < MIN_OPERATION_TIMEOUT || operation_timeout > MAX_OPERATION_TIMEOUT {
            return Err(ConfigError::OperationTimeout(operation_timeout));
        }
        if max_envelope_size < MIN_MAX_ENVELOPE_SIZE {
            return Err(ConfigError::MaxEnvelopeSize(max_envelope_size));
        }
        if max_connections == 0 {
            return Err(ConfigError::MaxConnections);
        }
        self.check_protection()?;
        Ok(Client::new(self.prepared()?))
    }
}
