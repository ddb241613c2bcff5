//! Create: opens a shell (WS-Transfer Create, DSP0226 section 7.4; MS-WSMV 3.1.4.5).

use bytes::Bytes;

use crate::duration::XsDuration;
use crate::header::Selector;
use crate::uri;

/// `rsp:Shell`: what a client asks for in Create, and what the service tells of a shell in CreateResponse,
/// GetResponse and EnumerateResponse (MS-WSMV 2.2.4.37).
///
/// Build one with the fields you need and `..Shell::default()`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shell {
    /// The attribute `ShellId`: the id that the client wishes; PowerShell shells have one.
    pub requested_shell_id: Option<String>,
    /// The element `rsp:ShellId`: the id that the service gave. Case counts.
    pub shell_id: Option<String>,
    /// `rsp:Name`; on the wire an attribute of requests by some clients, an element otherwise.
    pub name: Option<String>,
    /// `rsp:ResourceUri`.
    pub resource_uri: Option<String>,
    /// `rsp:Owner`, the user.
    pub owner: Option<String>,
    /// `rsp:ClientIP`.
    pub client_ip: Option<String>,
    /// `rsp:ProcessId` of the host process, in decimal.
    pub process_id: Option<String>,
    /// `rsp:Environment`, in order.
    pub environment: Vec<Variable>,
    /// `rsp:WorkingDirectory`.
    pub working_directory: Option<String>,
    /// `rsp:Lifetime`: the shell ends then; ignored by newer services.
    pub lifetime: Option<XsDuration>,
    /// `rsp:IdleTimeOut`: the shell ends when nobody asked for so long.
    pub idle_timeout: Option<XsDuration>,
    /// `rsp:InputStreams`, usually `stdin`.
    pub input_streams: Vec<String>,
    /// `rsp:OutputStreams`, usually `stdout` and `stderr`.
    pub output_streams: Vec<String>,
    /// `rsp:MaxIdleTimeOut`.
    pub max_idle_timeout: Option<XsDuration>,
    /// `rsp:Locale`.
    pub locale: Option<String>,
    /// `rsp:DataLocale`.
    pub data_locale: Option<String>,
    /// `rsp:CompressionMode`: `NoCompression` or `XpressCompression`.
    pub compression_mode: Option<String>,
    /// `rsp:ProfileLoaded`: `Yes` or `No`.
    pub profile_loaded: Option<String>,
    /// `rsp:Encoding`.
    pub encoding: Option<String>,
    /// `rsp:BufferMode`: `Block` or `Drop`.
    pub buffer_mode: Option<String>,
    /// `rsp:State`: `Connected` or `Disconnected`.
    pub state: Option<String>,
    /// `rsp:ShellRunTime`.
    pub shell_run_time: Option<XsDuration>,
    /// `rsp:ShellInactivity`.
    pub shell_inactivity: Option<XsDuration>,
    /// `rsp:MemoryUsed`, for instance `46MB`.
    pub memory_used: Option<String>,
    /// `rsp:ChildProcesses`, in decimal.
    pub child_processes: Option<String>,
    /// `creationXml` of a PowerShell shell: fragments of MS-PSRP, decoded from base64.
    pub creation_xml: Option<Bytes>,
}

/// One `rsp:Variable` of the environment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Variable {
    /// Its `Name`.
    pub name: String,
    /// Its text, exactly.
    pub value: String,
}

impl Variable {
    /// A variable.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// What Create brought about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CreateResponse {
    /// The reference to the new resource.
    pub resource_created: Option<ResourceCreated>,
    /// The new shell as the service sees it; Windows sends it since 2012.
    pub shell: Option<Shell>,
}

/// `x:ResourceCreated`: an endpoint reference (DSP0226 section 5.4.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResourceCreated {
    /// `wsa:Address`.
    pub address: Option<String>,
    /// `w:ResourceURI`.
    pub resource_uri: Option<String>,
    /// `w:SelectorSet`.
    pub selectors: Vec<Selector>,
}

impl CreateResponse {
    /// The answer for a new shell: the reference to it, and the shell itself.
    pub fn for_shell(address: impl Into<String>, shell: Shell) -> Self {
        let selectors = shell.shell_id.iter().map(|id| Selector::new(uri::SELECTOR_SHELL_ID, id)).collect();
        Self {
            resource_created: Some(ResourceCreated {
                address: Some(address.into()),
                resource_uri: shell.resource_uri.clone(),
                selectors,
            }),
            shell: Some(shell),
        }
    }

    /// The id of the new shell: from the selector, else from `rsp:ShellId`.
    pub fn shell_id(&self) -> Option<&str> {
        self.resource_created
            .as_ref()
            .and_then(|r| r.selectors.iter().find(|s| s.name.eq_ignore_ascii_case(uri::SELECTOR_SHELL_ID)))
            .map(|s| s.value.as_str())
            .or_else(|| self.shell.as_ref()?.shell_id.as_deref())
    }
}
