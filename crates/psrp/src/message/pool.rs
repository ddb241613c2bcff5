//! Messages that open pools and change them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use winrm_clixml::{DateTime, PsObject, PsString, PsValue, Version};

use super::MessageError;
use crate::fields::{Fields, enumeration};
use crate::host::HostInfo;

/// Versions of a side (MS-PSRP 2.2.2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct SessionCapability {
    /// Of this protocol: 2.3 for Windows PowerShell 5.1 and PowerShell 7.
    pub protocol_version: Version,
    /// 2.0, whatever the version is.
    pub ps_version: Version,
    /// Of CLIXML: 1.1.0.1.
    pub serialization_version: Version,
    /// A serialized time zone in a form of .NET's, which nobody needs.
    pub time_zone: Option<Vec<u8>>,
}

/// How pipelines get their threads (MS-PSRP 2.2.3.6).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ThreadOptions {
    /// As the host has it.
    #[default]
    Default,
    /// A new one each.
    UseNewThread,
    /// The same one.
    ReuseThread,
    /// The caller's.
    UseCurrentThread,
}

/// The COM apartment that pipelines run in (MS-PSRP 2.2.3.7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ApartmentState {
    /// Single-threaded.
    Sta,
    /// Multi-threaded.
    Mta,
    /// As the host has it.
    #[default]
    Unknown,
}

/// Opens a pool (MS-PSRP 2.2.2.2).
#[derive(Clone, Debug, PartialEq)]
pub struct InitRunspacePool {
    /// Least runspaces.
    pub min_runspaces: i32,
    /// Most runspaces.
    pub max_runspaces: i32,
    /// Of its pipelines.
    pub thread_options: ThreadOptions,
    /// Of its pipelines.
    pub apartment_state: ApartmentState,
    /// What the client's host can do.
    pub host_info: HostInfo,
    /// `$PSSenderInfo.ApplicationArguments`: a dictionary, or null.
    pub application_arguments: PsValue,
}

/// Connects to a pool whose client has left (MS-PSRP 2.2.2.29); the bounds are changed if they are given.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ConnectRunspacePool {
    /// Least runspaces.
    pub min_runspaces: Option<i32>,
    /// Most runspaces.
    pub max_runspaces: Option<i32>,
}

/// The bounds of a pool that was connected to (MS-PSRP 2.2.2.30).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunspacePoolInitData {
    /// Least runspaces.
    pub min_runspaces: i32,
    /// Most runspaces.
    pub max_runspaces: i32,
}

/// What a call about runspaces came to (MS-PSRP 2.2.2.8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Availability {
    /// Whether what was asked for was done.
    Done(bool),
    /// How many runspaces are free.
    Available(i64),
}

/// An event of the server's (MS-PSRP 2.2.2.12).
#[derive(Clone, Debug, PartialEq)]
pub struct UserEvent {
    /// Its number.
    pub identifier: i32,
    /// What the client called its source.
    pub source: PsString,
    /// When it was raised.
    pub time: DateTime,
    /// What raised it.
    pub sender: PsValue,
    /// What came with it.
    pub arguments: PsValue,
    /// Data of the subscription's.
    pub data: PsValue,
    /// The computer it comes from.
    pub computer: Option<PsString>,
    /// The runspace it comes from.
    pub runspace: Uuid,
}

impl ThreadOptions {
    const NAMES: [(Self, &str); 4] = [
        (Self::Default, "Default"),
        (Self::UseNewThread, "UseNewThread"),
        (Self::ReuseThread, "ReuseThread"),
        (Self::UseCurrentThread, "UseCurrentThread"),
    ];

    pub(super) fn from_code(code: i32) -> Option<Self> {
        Self::NAMES.get(usize::try_from(code).ok()?).map(|(option, _)| *option)
    }

    pub(super) fn to_object(self) -> PsObject {
        coded("System.Management.Automation.Runspaces.PSThreadOptions", &Self::NAMES, &self)
    }
}

impl ApartmentState {
    const NAMES: [(Self, &str); 3] = [(Self::Sta, "STA"), (Self::Mta, "MTA"), (Self::Unknown, "UNKNOWN")];

    pub(crate) fn from_code(code: i32) -> Option<Self> {
        Self::NAMES.get(usize::try_from(code).ok()?).map(|(state, _)| *state)
    }

    pub(crate) fn to_object(self) -> PsObject {
        coded("System.Management.Automation.Runspaces.ApartmentState", &Self::NAMES, &self)
    }
}

/// An enumeration whose numbers count from 0 in the order of `names`.
fn coded<T: PartialEq>(type_name: &str, names: &[(T, &str)], value: &T) -> PsObject {
    let found = (0..).zip(names).find(|(_, (name, _))| name == value);
    let (code, text) = found.map_or((0, ""), |(code, (_, text))| (code, *text));
    enumeration(type_name, text, code)
}

/// A key in base64.
pub(super) fn read_key(fields: Fields<'_>, field: &'static str) -> Result<Vec<u8>, MessageError> {
    let text = fields.string(field)?.as_str().and_then(|text| STANDARD.decode(text).ok());
    text.ok_or_else(|| fields.invalid(field, "base64"))
}

pub(super) fn key_object(field: &str, blob: &[u8]) -> PsObject {
    PsObject::new().with_extended(field, STANDARD.encode(blob))
}
