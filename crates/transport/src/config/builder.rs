//! Building a client.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use winrm_ntlm::Credentials;

use super::{
    AuthMethod, Config, ConfigError, DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_ENVELOPE_SIZE,
    DEFAULT_OPERATION_TIMEOUT, MAX_OPERATION_TIMEOUT, MIN_MAX_ENVELOPE_SIZE, MIN_OPERATION_TIMEOUT,
    MessageEncryption,
};
use crate::client::Client;
use crate::endpoint::{Endpoint, EndpointError};
use crate::http::{Connector, TcpConnector};
use crate::log_on_guard::LogOnGuard;
use crate::proxy::{Proxy, ProxyMode, Route, from_environment};
use crate::retry::RetryPolicy;
use crate::tls::{self, Pin, TlsBackend};
use crate::wire_trace::{Tracer, WireTrace};

/// Builds a [`Client`]. The defaults are the safe choice; what weakens them says so in its name.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    /// Anonymous until told otherwise, which only a probe may be.
    config: Config,
    credentials_given: bool,
    tls: tls::Options,
    proxy: ProxyChoice,
    proxy_mode: ProxyMode,
    trace: Option<Trace>,
}

#[derive(Clone)]
struct Trace(Arc<dyn WireTrace>);

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}

/// Where the proxy comes from.
#[derive(Clone, Debug)]
enum ProxyChoice {
    Direct,
    Environment,
    Given(Proxy),
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
            retry: RetryPolicy::default(),
            log_on_guard: LogOnGuard::new(),
            tracer: None,
            allow_clear_text: false,
            route: None,
            connect_to: None,
            connector: Arc::new(TcpConnector),
            tls: None,
        };
        Self {
            config,
            credentials_given: false,
            tls: tls::Options::default(),
            proxy: ProxyChoice::Direct,
            proxy_mode: ProxyMode::default(),
            trace: None,
        }
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

    /// The implementation of TLS; [`TlsBackend::Rustls`] unless set.
    pub fn tls_backend(mut self, backend: TlsBackend) -> Self {
        self.tls.backend = backend;
        self
    }

    /// The certificate to log on by; for [`AuthMethod::Certificate`], which needs no credentials.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, certificate: tls::ClientCertificate) -> Self {
        self.tls.identity = Some(certificate);
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

    /// How often an exchange is tried again where that cannot hurt.
    pub fn retries(mut self, policy: RetryPolicy) -> Self {
        self.config.retry = policy;
        self
    }

    /// Who it logs on as, with its domain when there is one: `DOMAIN\\user`, `user@REALM` or `user`.
    pub fn user_name(&self) -> String {
        crate::session::user_name(&self.config)
    }

    /// Shares what is known about the credentials with other clients that use the same: one host is logged on to before the
    /// others, and after a refusal none is any more. Each client has a guard of its own unless set.
    pub fn log_on_guard(mut self, guard: LogOnGuard) -> Self {
        self.config.log_on_guard = guard;
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

    /// Sends [`AuthMethod::Basic`] over `http://` endpoints too. **Whoever is on the network reads the password, and every
    /// command, its input and its output, and can change them.** Over https nothing is changed by this.
    pub fn dangerous_allow_clear_text_basic(mut self) -> Self {
        self.config.allow_clear_text = true;
        self
    }

    /// Copies every envelope, unsealed, to `target`. **They hold command lines, input and output.** The client's own
    /// password is taken out where it occurs in them.
    pub fn trace_wire(mut self, target: Arc<dyn WireTrace>) -> Self {
        self.trace = Some(Trace(target));
        self
    }

    /// Goes through this proxy, also to loopback addresses. None is used unless this or
    /// [`proxy_from_environment`](Self::proxy_from_environment) says so.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = ProxyChoice::Given(proxy);
        self
    }

    /// Goes through the proxy that `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` names (in upper or lower case, as curl reads
    /// them), unless `NO_PROXY` excepts the host. Loopback addresses never go through it. The environment is read by
    /// [`build`](Self::build).
    pub fn proxy_from_environment(mut self) -> Self {
        self.proxy = ProxyChoice::Environment;
        self
    }

    /// Goes through no proxy, which is the default.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyChoice::Direct;
        self
    }

    /// How an HTTP proxy is used for `http://` endpoints; [`ProxyMode::Auto`] unless set.
    pub fn proxy_mode(mut self, mode: ProxyMode) -> Self {
        self.proxy_mode = mode;
        self
    }

    /// Connects to this address, `host`, `host:port` or `[v6]:port`, in place of the endpoint's; the port is the endpoint's
    /// unless given. Everything else goes by the endpoint's name: `Host`, the certificate, the service principal name.
    ///
    /// # Errors
    /// [`EndpointError`] for what is no address.
    pub fn connect_to(mut self, address: impl AsRef<str>) -> Result<Self, EndpointError> {
        self.config.connect_to = Some(Endpoint::at(address.as_ref(), self.config.endpoint.port())?);
        Ok(self)
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
        let proxy = match &self.proxy {
            ProxyChoice::Direct => None,
            ProxyChoice::Given(proxy) => Some(proxy.clone()),
            ProxyChoice::Environment => {
                from_environment(&self.config.endpoint).map_err(ConfigError::EnvironmentProxy)?
            }
        };
        let route = proxy.map(|proxy| Arc::new(Route::new(proxy, self.proxy_mode)));
        let tracer =
            self.trace.as_ref().map(|trace| Tracer::new(Arc::clone(&trace.0), &self.config.credentials));
        Ok(Config { tracer, route, tls, ..self.config.clone() })
    }

    /// What Basic and message encryption ask of the rest.
    fn check_protection(&self) -> Result<(), ConfigError> {
        let Config { endpoint, credentials, method, message_encryption, .. } = &self.config;
        if *method == AuthMethod::Basic {
            if !endpoint.is_tls() && !self.config.allow_clear_text {
                return Err(ConfigError::BasicOverHttp);
            }
            if *message_encryption == MessageEncryption::Always {
                return Err(ConfigError::BasicCannotSeal);
            }
            // RFC 7617 section 2: the first colon ends the user.
            if credentials.user_name().contains(':') || credentials.password_text().is_none() {
                return Err(ConfigError::BasicCredentials);
            }
        } else if *method == AuthMethod::Certificate {
            if !endpoint.is_tls() {
                return Err(ConfigError::CertificateOverHttp);
            }
            if *message_encryption == MessageEncryption::Always {
                return Err(ConfigError::CertificateCannotSeal);
            }
            if !self.tls.has_identity() {
                return Err(ConfigError::NoClientCertificate);
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
        let by_certificate = self.config.method == AuthMethod::Certificate;
        if !self.credentials_given && !by_certificate {
            return Err(ConfigError::NoCredentials);
        }
        if self.tls.has_identity() && !by_certificate {
            return Err(ConfigError::UnusedClientCertificate);
        }
        if self.config.credentials.is_anonymous() && !self.config.allow_weak && !by_certificate {
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
