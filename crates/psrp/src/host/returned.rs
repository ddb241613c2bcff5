//! What the methods of a host give (MS-PSRP 2.2.3.17).

use uuid::Uuid;
use winrm_clixml::{Content, PsObject, PsString, PsValue, SecureString, Version};

use super::{BufferCells, ConsoleColor, Coordinates, Credential, HostMethodId, KeyInfo, Size};
use crate::DecodeError;
use crate::field::{array_list, i32_of, items_of, string_of, version_of};

/// What a method of the host gave.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HostReturn {
    /// `GetName`, `GetCurrentCulture`, `GetCurrentUICulture`, `ReadLine`, `GetWindowTitle`.
    Text(PsString),
    /// `GetVersion`.
    Version(Version),
    /// `GetInstanceId`.
    Guid(Uuid),
    /// `ReadLineAsSecureString`, under the session key.
    SecureString(SecureString),
    /// `Prompt`: the name of each field and what was filled in.
    Fields(Vec<(PsString, PsValue)>),
    /// `PromptForCredential`; none if the user would not.
    Credential(Option<Credential>),
    /// `PromptForChoice`, `GetCursorSize`.
    Number(i32),
    /// `PromptForChoiceMultipleSelection`.
    Numbers(Vec<i32>),
    /// `GetForegroundColor`, `GetBackgroundColor`.
    Color(ConsoleColor),
    /// `GetCursorPosition`, `GetWindowPosition`.
    Coordinates(Coordinates),
    /// `GetBufferSize`, `GetWindowSize` and the largest ones.
    Size(Size),
    /// `GetKeyAvailable`, `GetIsRunspacePushed`.
    Bool(bool),
    /// `ReadKey`.
    Key(KeyInfo),
    /// `GetBufferContents`.
    Cells(BufferCells),
    /// `GetRunspace`, which has no form that crosses.
    Value(PsValue),
}

impl HostReturn {
    /// As it is sent.
    pub fn to_value(&self) -> PsValue {
        match self {
            Self::Text(text) => PsValue::String(text.clone()),
            Self::Version(version) => PsValue::Version(version.clone()),
            Self::Guid(guid) => PsValue::Guid(*guid),
            Self::SecureString(secret) => PsValue::SecureString(secret.clone()),
            Self::Fields(fields) => {
                let entries =
                    fields.iter().map(|(name, value)| (PsValue::String(name.clone()), value.clone()));
                PsObject::new()
                    .with_type_names(["System.Collections.Hashtable", "System.Object"])
                    .with_content(Content::Dictionary(entries.collect()))
                    .into()
            }
            Self::Credential(credential) => credential.as_ref().map_or(PsValue::Nil, Credential::to_value),
            Self::Number(number) => PsValue::I32(*number),
            Self::Numbers(numbers) => array_list(numbers.iter().copied().map(PsValue::I32).collect()),
            Self::Color(color) => PsValue::I32(color.0),
            Self::Coordinates(coordinates) => coordinates.to_value(),
            Self::Size(size) => size.to_value(),
            Self::Bool(value) => PsValue::Bool(*value),
            Self::Key(key) => key.to_value(),
            Self::Cells(cells) => cells.to_value(),
            Self::Value(value) => value.clone(),
        }
    }

    /// What this method gave, from what was sent.
    ///
    /// # Errors
    ///
    /// A method that does not exist or gives nothing, or a value of another type than it gives.
    pub fn decode(method: HostMethodId, value: &PsValue) -> Result<Self, DecodeError> {
        let unknown = DecodeError::UnknownHostMethod { found: method.0 };
        let kind = method.name().ok_or(unknown.clone())?;
        let invalid = |expected| DecodeError::Invalid { kind, field: "mr", expected };
        let number = || i32_of(value).ok_or(invalid("a signed integer of 32 bits"));
        Ok(match method {
            HostMethodId::GET_NAME
            | HostMethodId::GET_CURRENT_CULTURE
            | HostMethodId::GET_CURRENT_UI_CULTURE
            | HostMethodId::READ_LINE
            | HostMethodId::GET_WINDOW_TITLE => Self::Text(string_of(value).ok_or(invalid("a string"))?),
            HostMethodId::GET_VERSION => Self::Version(version_of(value).ok_or(invalid("a version"))?),
            HostMethodId::GET_INSTANCE_ID => match value.primitive() {
                PsValue::Guid(guid) => Self::Guid(*guid),
                _ => return Err(invalid("a GUID")),
            },
            HostMethodId::READ_LINE_AS_SECURE_STRING => match value.primitive() {
                PsValue::SecureString(secret) => Self::SecureString(secret.clone()),
                _ => return Err(invalid("a secure string")),
            },
            HostMethodId::PROMPT => Self::Fields(fields(value).ok_or(invalid("a dictionary of strings"))?),
            HostMethodId::PROMPT_FOR_CREDENTIAL1 | HostMethodId::PROMPT_FOR_CREDENTIAL2 => {
                let credential = if value.is_nil() { None } else { Some(Credential::from_value(value)?) };
                Self::Credential(credential)
            }
            HostMethodId::PROMPT_FOR_CHOICE | HostMethodId::GET_CURSOR_SIZE => Self::Number(number()?),
            HostMethodId::PROMPT_FOR_CHOICE_MULTIPLE_SELECTION => {
                let numbers: Option<Vec<_>> =
                    items_of(value).and_then(|items| items.iter().map(i32_of).collect());
                Self::Numbers(numbers.ok_or(invalid("a list of numbers"))?)
            }
            HostMethodId::GET_FOREGROUND_COLOR | HostMethodId::GET_BACKGROUND_COLOR => {
                Self::Color(ConsoleColor(number()?))
            }
            HostMethodId::GET_CURSOR_POSITION | HostMethodId::GET_WINDOW_POSITION => {
                Self::Coordinates(Coordinates::from_value(value)?)
            }
            HostMethodId::GET_BUFFER_SIZE
            | HostMethodId::GET_WINDOW_SIZE
            | HostMethodId::GET_MAX_WINDOW_SIZE
            | HostMethodId::GET_MAX_PHYSICAL_WINDOW_SIZE => Self::Size(Size::from_value(value)?),
            HostMethodId::GET_KEY_AVAILABLE | HostMethodId::GET_IS_RUNSPACE_PUSHED => {
                Self::Bool(value.as_bool().ok_or(invalid("a truth value"))?)
            }
            HostMethodId::READ_KEY => Self::Key(KeyInfo::from_value(value)?),
            HostMethodId::GET_BUFFER_CONTENTS => Self::Cells(BufferCells::from_value(value)?),
            HostMethodId::GET_RUNSPACE => Self::Value(value.clone()),
            _ => return Err(unknown),
        })
    }
}

fn fields(value: &PsValue) -> Option<Vec<(PsString, PsValue)>> {
    let entries = value.as_object()?.dictionary()?;
    entries.iter().map(|(name, value)| Some((string_of(name)?, value.clone()))).collect()
}
