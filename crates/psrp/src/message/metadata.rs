//! What commands there are (MS-PSRP 2.2.2.14).

use winrm_clixml::{PsObject, PsString, PsValue};

use super::MessageError;
use crate::fields::{Fields, list, object};

/// Asks what commands there are. A pipeline of its own answers, whose first output is their number (MS-PSRP 3.1.5.4.15).
#[derive(Clone, Debug, PartialEq)]
pub struct GetCommandMetadata {
    /// Names or patterns; all commands when there are none.
    pub names: Vec<PsString>,
    /// Bits of MS-PSRP 2.2.3.19.
    pub command_type: i32,
    /// Modules or snap-ins; of all when there are none.
    pub namespaces: Vec<PsString>,
    /// What is bound before dynamic parameters are told.
    pub arguments: Option<Vec<PsValue>>,
}

impl GetCommandMetadata {
    /// Aliases, functions, filters and cmdlets.
    pub const CALLABLE: i32 = 0x1 | 0x2 | 0x4 | 0x8;

    /// Commands of these names or patterns.
    pub fn new(names: impl IntoIterator<Item = impl Into<PsString>>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            command_type: Self::CALLABLE,
            namespaces: Vec::new(),
            arguments: None,
        }
    }

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let arguments = match fields.optional("ArgumentList") {
            Some(_) => Some(fields.items("ArgumentList")?.to_vec()),
            None => None,
        };
        Ok(Self {
            names: fields.strings("Name")?,
            command_type: fields.i32("CommandType")?,
            namespaces: fields.strings("Namespace")?,
            arguments,
        })
    }

    pub(super) fn to_object(&self) -> PsObject {
        let strings = |texts: &[PsString]| {
            let items: Vec<PsValue> = texts.iter().cloned().map(Into::into).collect();
            if items.is_empty() {
                return PsValue::Nil;
            }
            object(list(&["System.String[]", "System.Array", "System.Object"], items))
        };
        let arguments = match &self.arguments {
            Some(arguments) => {
                object(list(&["System.Object[]", "System.Array", "System.Object"], arguments.clone()))
            }
            None => PsValue::Nil,
        };
        let command_type = crate::fields::enumeration(
            "System.Management.Automation.CommandTypes",
            &self.command_type.to_string(),
            self.command_type,
        );
        PsObject::new()
            .with_extended("Name", strings(&self.names))
            .with_extended("CommandType", command_type)
            .with_extended("Namespace", strings(&self.namespaces))
            .with_extended("ArgumentList", arguments)
    }
}
