//! What prompts ask for, and what they give.

use winrm_clixml::{PsObject, PsString, PsValue, SecureString};

use crate::DecodeError;
use crate::field::{Fields, array_list, or_nil};

/// One of several things to choose from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChoiceDescription {
    /// With `&` before the letter that chooses it.
    pub label: PsString,
    /// What it does.
    pub help_message: Option<PsString>,
}

impl ChoiceDescription {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("ChoiceDescription", value)?;
        Ok(Self { label: fields.string("label")?, help_message: fields.optional_string("helpMessage")? })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_extended("label", self.label.clone())
            .with_extended("helpMessage", or_nil(self.help_message.clone()))
            .into()
    }
}

/// One of several things to fill in.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDescription {
    /// Names the answer.
    pub name: PsString,
    /// What to show, with `&` before a letter; empty where the name will do.
    pub label: PsString,
    /// The type that is wanted, in short.
    pub parameter_type_name: PsString,
    /// With its namespace, as in `System.Security.SecureString`.
    pub parameter_type_full_name: PsString,
    /// With its assembly.
    pub parameter_assembly_full_name: PsString,
    /// What it is for.
    pub help_message: PsString,
    /// Whether there must be an answer.
    pub is_mandatory: bool,
    /// What to take if there is no answer; `Nil` for nothing.
    pub default_value: PsValue,
}

impl FieldDescription {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("FieldDescription", value)?;
        let text = |field| fields.optional_string(field).map(Option::unwrap_or_default);
        Ok(Self {
            name: fields.string("name")?,
            label: text("label")?,
            parameter_type_name: text("parameterTypeName")?,
            parameter_type_full_name: text("parameterTypeFullName")?,
            parameter_assembly_full_name: text("parameterAssemblyFullName")?,
            help_message: text("helpMessage")?,
            is_mandatory: fields
                .read_optional("isMandatory", "a truth value", PsValue::as_bool)?
                .unwrap_or_default(),
            default_value: fields.any("defaultValue"),
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_extended("name", self.name.clone())
            .with_extended("label", self.label.clone())
            .with_extended("parameterTypeName", self.parameter_type_name.clone())
            .with_extended("parameterTypeFullName", self.parameter_type_full_name.clone())
            .with_extended("parameterAssemblyFullName", self.parameter_assembly_full_name.clone())
            .with_extended("helpMessage", self.help_message.clone())
            .with_extended("isMandatory", self.is_mandatory)
            .with_extended("defaultValue", self.default_value.clone())
            // Attributes of .NET do not cross.
            .with_extended("metadata", array_list(Vec::new()))
            .with_extended("modifiedByRemotingProtocol", false)
            .with_extended("isFromRemoteHost", false)
            .into()
    }
}

/// A name and a password (MS-PSRP 2.2.3.25), which crosses only under a session key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    /// With its domain, if it has one.
    pub user_name: PsString,
    /// Under the session key.
    pub password: SecureString,
}

impl Credential {
    /// Reads the object of a PSCredential.
    ///
    /// # Errors
    ///
    /// A value of another type.
    pub fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("PSCredential", value)?;
        Ok(Self {
            user_name: fields.string("UserName")?,
            password: fields.read("Password", "a secure string", |value| match value.primitive() {
                PsValue::SecureString(password) => Some(password.clone()),
                _ => None,
            })?,
        })
    }

    /// The object of a PSCredential, as a parameter of a command for instance.
    pub fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_type_names(["System.Management.Automation.PSCredential", "System.Object"])
            .with_to_string("System.Management.Automation.PSCredential")
            .with_adapted("UserName", self.user_name.clone())
            .with_adapted("Password", self.password.clone())
            .into()
    }
}
