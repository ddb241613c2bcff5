//! GET_COMMAND_METADATA (MS-PSRP 2.2.2.14).

use winrm_clixml::{PsObject, PsString, PsValue};

use crate::field::{Fields, array, items_of, string_of, strings};
use crate::{CommandTypes, DecodeError};

/// Runs a pipeline that tells which commands there are: its first output is their number, the others are they.
#[derive(Clone, Debug, PartialEq)]
pub struct GetCommandMetadata {
    /// Names, with wildcards.
    pub names: Option<Vec<PsString>>,
    /// Kinds.
    pub command_type: CommandTypes,
    /// Modules, with wildcards.
    pub namespaces: Option<Vec<PsString>>,
    /// Arguments that the parameters of a command may depend on.
    pub arguments: Option<Vec<PsValue>>,
}

impl GetCommandMetadata {
    /// All kinds of commands of these names, from anywhere.
    pub fn new<T: Into<PsString>>(names: impl IntoIterator<Item = T>) -> Self {
        let names = Some(names.into_iter().map(Into::into).collect());
        Self { names, command_type: CommandTypes::ALL, namespaces: None, arguments: None }
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("GET_COMMAND_METADATA", value)?;
        let strings = |field| {
            fields.read_optional(field, "a list of strings", |value| {
                items_of(value)?.iter().map(string_of).collect::<Option<Vec<_>>>()
            })
        };
        Ok(Self {
            names: strings("Name")?,
            command_type: fields
                .read_optional("CommandType", "a number", CommandTypes::from_value)?
                .unwrap_or(CommandTypes::ALL),
            namespaces: strings("Namespace")?,
            arguments: fields.read_optional("ArgumentList", "a list", items_of)?.map(<[_]>::to_vec),
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        let strings = |texts: &Option<Vec<PsString>>| match texts {
            Some(texts) => array("System.String[]", strings(texts)),
            None => PsValue::Nil,
        };
        let arguments = match &self.arguments {
            Some(arguments) => array("System.Object[]", arguments.clone()),
            None => PsValue::Nil,
        };
        PsObject::new()
            .with_extended("Name", strings(&self.names))
            .with_extended("CommandType", self.command_type.to_value())
            .with_extended("Namespace", strings(&self.namespaces))
            .with_extended("ArgumentList", arguments)
            .into()
    }
}
