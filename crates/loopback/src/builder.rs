//! What a service is started with.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use winrm_ntlm::Credentials;
use winrm_transport::TlsVersion;

use crate::authentication::Directory;
use crate::config::{Limits, OversizeReply};
use crate::handler::Handler;
use crate::kept::KeptAnswers;
use crate::local_process::LocalProcess;
use crate::log::Journal;
use crate::misbehaviour::{Misbehaviour, Rule, Rules, Trigger};
use crate::operations::Operations;
use crate::powershell::PowerShellHandler;
use crate::service::{Service, Shared};
use crate::shell::Shells;
use crate::tls::{Identity, Tls, first_certificate};
use crate::wire::Capture;

/// Starts a [`Service`]. Without any account nobody can log on.
pub struct Builder {
    address: SocketAddr,
    anywhere: bool,
    accounts: Directory,
    handler: Arc<dyn Handler>,
    limits: Limits,
    oversize: OversizeReply,
    rules: Rules,
    custom_shells: Vec<String>,
    powershell: Option<Arc<dyn PowerShellHandler>>,
    capture: bool,
    tls: TlsOptions,
}

/// What concerns TLS, and what it makes possible.
#[derive(Default)]
struct TlsOptions {
    identity: Option<Identity>,
    version: Option<TlsVersion>,
    require_channel_binding: bool,
    basic: bool,
    /// Basic and clear messages without TLS.
    clear_text: bool,
    /// Certificates in DER, and their accounts.
    clients: Vec<(Vec<u8>, String)>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            anywhere: false,
            accounts: Directory::default(),
            handler: Arc::new(LocalProcess::new()),
            limits: Limits::default(),
            oversize: OversizeReply::default(),
            rules: Rules::default(),
            custom_shells: Vec::new(),
            powershell: None,
            capture: false,
            tls: TlsOptions::default(),
        }
    }

    /// Lets somebody log on. The name is plain, `DOMAIN\user`, or `user@suffix`.
    pub fn account(self, user: &str, password: &str) -> Self {
        self.credentials(Credentials::password(user, password))
    }

    /// Lets somebody log on whose password is known only by its NT hash, for instance.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.accounts.add(credentials);
        self
    }

    /// What commands do; [`LocalProcess`] unless set.
    pub fn handler(mut self, handler: impl Handler) -> Self {
        self.handler = Arc::new(handler);
        self
    }

    /// Listens on this address of the machine itself; port 0 is a free one. `127.0.0.1:0` unless set.
    ///
    /// [`start`](Self::start) refuses an address that other machines can reach.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self.anywhere = false;
        self
    }

    /// Listens on any address at all. **Whoever can reach it and knows a password runs commands as the user of this
    /// process**, over a protocol stack made for tests.
    pub fn dangerously_listen_beyond_loopback(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self.anywhere = true;
        self
    }

    /// Speaks HTTPS, with a chain of certificates and the key of its first, each in DER. Bodies may then be in clear.
    pub fn tls(mut self, certificates: Vec<Vec<u8>>, key: Vec<u8>) -> Self {
        self.tls.identity = Some(Identity::Given(certificates, key));
        self
    }

    /// Speaks HTTPS, with a certificate made at the start that only its [pin](Service::pin) can vouch for.
    pub fn self_signed_tls(mut self) -> Self {
        self.tls.identity = Some(Identity::SelfSigned);
        self
    }

    /// Speaks this version of TLS and no other; TLS 1.2 and 1.3 unless set.
    pub fn tls_version(mut self, version: TlsVersion) -> Self {
        self.tls.version = Some(version);
        self
    }

    /// Offers Basic without TLS too, and takes messages in clear: AllowUnencrypted="true" and Basic="true". **Whoever is
    /// on the network reads passwords and everything else.**
    pub fn dangerous_clear_text_basic(mut self) -> Self {
        self.tls.clear_text = true;
        self
    }

    /// Lets nobody log on by NTLM over TLS who does not send the right channel binding: Extended Protection "required".
    /// Without it a wrong one is refused, and none is accepted.
    pub fn require_channel_binding(mut self) -> Self {
        self.tls.require_channel_binding = true;
        self
    }

    /// Offers Basic too, over TLS alone.
    pub fn basic(mut self) -> Self {
        self.tls.basic = true;
        self
    }

    /// With TLS, asks clients for their certificates in the handshake, and lets who has this one (in DER) log on as `user`,
    /// who needs no account here.
    pub fn client_certificate(mut self, certificate: Vec<u8>, user: impl Into<String>) -> Self {
        self.tls.clients.push((certificate, user.into()));
        self
    }

    /// As [`client_certificate`](Self::client_certificate), the first one of a file in PEM or DER.
    ///
    /// # Errors
    /// When there is no certificate in it.
    pub fn client_certificate_file(self, file: &[u8], user: impl Into<String>) -> io::Result<Self> {
        Ok(self.client_certificate(first_certificate(file)?, user))
    }

    /// Bounds and quotas.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Offers shells under this resource URI too, which work as those of `cmd` do. For them connections are robust (MS-WSMV
    /// 3.1.4.1.39), as Windows has it for custom shells: an operation goes on when its connection is cut, and its answer is
    /// kept for whoever sends the request again.
    pub fn custom_shell(mut self, resource_uri: impl Into<String>) -> Self {
        self.custom_shells.push(resource_uri.into());
        self
    }

    /// Offers PowerShell remoting under the configuration `Microsoft.PowerShell`, with pipelines run by `handler`.
    pub fn powershell(mut self, handler: impl PowerShellHandler) -> Self {
        self.powershell = Some(Arc::new(handler));
        self.custom_shell(winrm_wsman::uri::RESOURCE_URI_POWERSHELL)
    }

    /// How requests that are too large are turned down.
    pub fn oversize_reply(mut self, oversize: OversizeReply) -> Self {
        self.oversize = oversize;
        self
    }

    /// Keeps what crosses the wire for [`Service::wire`]; over TLS, what is inside it.
    pub fn capture_wire(mut self) -> Self {
        self.capture = true;
        self
    }

    /// Does this wrong from the start; as [`Service::misbehave`].
    pub fn misbehave(mut self, trigger: Trigger, misbehaviour: Misbehaviour) -> Self {
        self.rules.add(Rule { trigger, misbehaviour, times: None });
        self
    }

    /// Starts listening.
    ///
    /// # Errors
    /// When the address cannot be listened on, when certificate or key cannot be used, or, as `InvalidInput`, is none of the machine itself and was not given to
    /// [`dangerously_listen_beyond_loopback`](Self::dangerously_listen_beyond_loopback).
    pub async fn start(self) -> io::Result<Service> {
        if !self.anywhere && !self.address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a loopback service does not listen on addresses that other machines can reach",
            ));
        }
        let TlsOptions { identity, version, require_channel_binding, basic, clear_text, clients } = self.tls;
        let tls = identity.map(|identity| Tls::new(identity, version, clients)).transpose()?;
        let listener = TcpListener::bind(self.address).await?;
        let shared = Shared {
            accounts: Arc::new(self.accounts),
            oversize: self.oversize,
            journal: Mutex::new(Journal::new(self.limits.log_entries)),
            rules: Mutex::new(self.rules),
            basic: (basic && tls.is_some()) || clear_text,
            clear_text: clear_text || tls.is_some(),
            tls,
            require_channel_binding,
            capture: self.capture.then(Arc::<Capture>::default),
            connections: AtomicU64::new(0),
            operations: Arc::new(Operations {
                shells: Arc::<Shells>::default(),
                handler: self.handler,
                custom_shells: self.custom_shells,
                powershell: self.powershell,
                kept: KeptAnswers::default(),
                limits: self.limits,
            }),
        };
        Service::start(shared, listener)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("address", &self.address)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
