//! Create: opens a shell (WS-Transfer Create, DSP0226 section 7.6; MS-WSMV 3.1.4.5).

use std::fmt;

use bytes::Bytes;
use winrm_xml::{Reader, Start};

use crate::codec::{
    Xml, attribute, bounds, bytes, duration, limit, missing, names, optional, optional_names, optional_value,
    powershell, push, set, text,
};
use crate::duration::XsDuration;
use crate::error::{DecodeError, EncodeError};
use crate::header::Selector;
use crate::uri;

/// `rsp:Shell`: what a client asks for in Create, and what the service tells of a shell in `CreateResponse`,
/// `GetResponse` and `EnumerateResponse` (MS-WSMV 2.2.4.37).
///
/// Build one with the fields you need and `..Shell::default()`.
#[derive(Clone, Default, Eq, PartialEq)]
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

/// What tells shells apart, and the length of `creation_xml`: MS-PSRP puts objects of the caller in there.
impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell")
            .field("requested_shell_id", &self.requested_shell_id)
            .field("shell_id", &self.shell_id)
            .field("name", &self.name)
            .field("resource_uri", &self.resource_uri)
            .field("owner", &self.owner)
            .field("client_ip", &self.client_ip)
            .field("process_id", &self.process_id)
            .field("environment", &self.environment)
            .field("working_directory", &self.working_directory)
            .field("idle_timeout", &self.idle_timeout)
            .field("input_streams", &self.input_streams)
            .field("output_streams", &self.output_streams)
            .field("state", &self.state)
            .field("creation_xml_len", &self.creation_xml.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// One `rsp:Variable` of the environment.
#[derive(Clone, Default, Eq, PartialEq)]
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

/// Without the value, which may be a password.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable").field("name", &self.name).finish_non_exhaustive()
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

/// `x:ResourceCreated`: an endpoint reference of WS-Addressing.
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

impl Shell {
    pub(crate) fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let mut shell = Self { requested_shell_id: attribute(start, "ShellId"), ..Self::default() };
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_SHELL, local) => shell.read_child(r, local)?,
                (uri::NS_POWERSHELL, "creationXml") => {
                    set(&mut shell.creation_xml, bytes(r, "creationXml")?, r, "creationXml")?;
                }
                _ => r.skip_element()?,
            }
        }
        // Native clients write the name as an attribute.
        shell.name = shell.name.or_else(|| attribute(start, "Name"));
        Ok(shell)
    }

    fn read_child(&mut self, r: &mut Reader<'_>, local: &str) -> Result<(), DecodeError> {
        match local {
            "ShellId" => set(&mut self.shell_id, text(r)?, r, "rsp:ShellId"),
            "Name" => set(&mut self.name, text(r)?, r, "rsp:Name"),
            "ResourceUri" => set(&mut self.resource_uri, text(r)?, r, "rsp:ResourceUri"),
            "Owner" => set(&mut self.owner, text(r)?, r, "rsp:Owner"),
            "ClientIP" => set(&mut self.client_ip, text(r)?, r, "rsp:ClientIP"),
            "ProcessId" => set(&mut self.process_id, text(r)?, r, "rsp:ProcessId"),
            "Environment" => self.read_environment(r),
            "WorkingDirectory" => set(&mut self.working_directory, text(r)?, r, "rsp:WorkingDirectory"),
            "Lifetime" => set(&mut self.lifetime, duration(r, "rsp:Lifetime")?, r, "rsp:Lifetime"),
            "IdleTimeOut" => {
                set(&mut self.idle_timeout, duration(r, "rsp:IdleTimeOut")?, r, "rsp:IdleTimeOut")
            }
            "InputStreams" => {
                self.input_streams = names(r, "rsp:InputStreams")?;
                Ok(())
            }
            "OutputStreams" => {
                self.output_streams = names(r, "rsp:OutputStreams")?;
                Ok(())
            }
            "MaxIdleTimeOut" => {
                set(&mut self.max_idle_timeout, duration(r, "rsp:MaxIdleTimeOut")?, r, "rsp:MaxIdleTimeOut")
            }
            "Locale" => set(&mut self.locale, text(r)?, r, "rsp:Locale"),
            "DataLocale" => set(&mut self.data_locale, text(r)?, r, "rsp:DataLocale"),
            "CompressionMode" => set(&mut self.compression_mode, text(r)?, r, "rsp:CompressionMode"),
            "ProfileLoaded" => set(&mut self.profile_loaded, text(r)?, r, "rsp:ProfileLoaded"),
            "Encoding" => set(&mut self.encoding, text(r)?, r, "rsp:Encoding"),
            "BufferMode" => set(&mut self.buffer_mode, text(r)?, r, "rsp:BufferMode"),
            "State" => set(&mut self.state, text(r)?, r, "rsp:State"),
            "ShellRunTime" => {
                set(&mut self.shell_run_time, duration(r, "rsp:ShellRunTime")?, r, "rsp:ShellRunTime")
            }
            "ShellInactivity" => {
                set(&mut self.shell_inactivity, duration(r, "rsp:ShellInactivity")?, r, "rsp:ShellInactivity")
            }
            "MemoryUsed" => set(&mut self.memory_used, text(r)?, r, "rsp:MemoryUsed"),
            "ChildProcesses" => set(&mut self.child_processes, text(r)?, r, "rsp:ChildProcesses"),
            _ => Ok(r.skip_element()?),
        }
    }

    fn read_environment(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        while let Some(start) = r.next_child()? {
            if !start.is(uri::NS_SHELL, "Variable") {
                r.skip_element()?;
                continue;
            }
            let name =
                start.attribute("", "Name").ok_or_else(|| missing(r, "rsp:Variable/@Name"))?.to_owned();
            let variable = Variable { name, value: r.read_text()? };
            push(&mut self.environment, variable, bounds::VARIABLES, r, "rsp:Variable")?;
        }
        Ok(())
    }

    /// In the order in which Windows answers.
    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let mut tag = w.start("rsp", "Shell");
        if let Some(id) = &self.requested_shell_id {
            tag = tag.attribute("", "ShellId", id);
        }
        tag.open()?;
        optional(w, "rsp", "ShellId", self.shell_id.as_deref())?;
        optional(w, "rsp", "Name", self.name.as_deref())?;
        optional(w, "rsp", "ResourceUri", self.resource_uri.as_deref())?;
        optional(w, "rsp", "Owner", self.owner.as_deref())?;
        optional(w, "rsp", "ClientIP", self.client_ip.as_deref())?;
        optional(w, "rsp", "ProcessId", self.process_id.as_deref())?;
        if !self.environment.is_empty() {
            limit(self.environment.len(), bounds::VARIABLES, "rsp:Variable")?;
            w.start("rsp", "Environment").open()?;
            for Variable { name, value } in &self.environment {
                w.start("rsp", "Variable").attribute("", "Name", name).text(value)?;
            }
            w.end()?;
        }
        optional(w, "rsp", "WorkingDirectory", self.working_directory.as_deref())?;
        optional_value(w, "rsp", "Lifetime", self.lifetime)?;
        optional_value(w, "rsp", "IdleTimeOut", self.idle_timeout)?;
        optional_names(w, "InputStreams", &self.input_streams)?;
        optional_names(w, "OutputStreams", &self.output_streams)?;
        optional_value(w, "rsp", "MaxIdleTimeOut", self.max_idle_timeout)?;
        optional(w, "rsp", "Locale", self.locale.as_deref())?;
        optional(w, "rsp", "DataLocale", self.data_locale.as_deref())?;
        optional(w, "rsp", "CompressionMode", self.compression_mode.as_deref())?;
        optional(w, "rsp", "ProfileLoaded", self.profile_loaded.as_deref())?;
        optional(w, "rsp", "Encoding", self.encoding.as_deref())?;
        optional(w, "rsp", "BufferMode", self.buffer_mode.as_deref())?;
        optional(w, "rsp", "State", self.state.as_deref())?;
        optional_value(w, "rsp", "ShellRunTime", self.shell_run_time)?;
        optional_value(w, "rsp", "ShellInactivity", self.shell_inactivity)?;
        optional(w, "rsp", "MemoryUsed", self.memory_used.as_deref())?;
        optional(w, "rsp", "ChildProcesses", self.child_processes.as_deref())?;
        powershell(w, "creationXml", self.creation_xml.as_ref())?;
        Ok(w.end()?)
    }
}

impl CreateResponse {
    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        if let Some(created) = &self.resource_created {
            created.write(w)?;
        }
        if let Some(shell) = &self.shell {
            shell.write(w)?;
        }
        Ok(())
    }
}

impl ResourceCreated {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut created = Self::default();
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_ADDRESSING, "Address") => set(&mut created.address, text(r)?, r, "a:Address")?,
                (uri::NS_ADDRESSING, "ReferenceParameters") => created.read_parameters(r)?,
                _ => r.skip_element()?,
            }
        }
        Ok(created)
    }

    fn read_parameters(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_WSMAN, "ResourceURI") => set(&mut self.resource_uri, text(r)?, r, "w:ResourceURI")?,
                (uri::NS_WSMAN, "SelectorSet") => self.selectors = Selector::read_set(r)?,
                _ => r.skip_element()?,
            }
        }
        Ok(())
    }

    fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("x", "ResourceCreated").open()?;
        optional(w, "a", "Address", self.address.as_deref())?;
        w.start("a", "ReferenceParameters").open()?;
        optional(w, "w", "ResourceURI", self.resource_uri.as_deref())?;
        Selector::write_set(w, &self.selectors)?;
        w.end()?;
        Ok(w.end()?)
    }
}
