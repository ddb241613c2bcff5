//! The client's side of the server's console: what scripts write to it, and ask of it.

mod call;

use winrm_clixml::Version;
use winrm_psrp::host::{
    BufferCells, ChoiceDescription, ConsoleColor, Coordinates, FieldDescription, HostCall, HostDefaultData,
    KeyInfo, Rectangle, Size,
};
use winrm_psrp::record::ProgressRecord;
use zeroize::Zeroizing;

pub(crate) use call::answer;

/// Why a host cannot do what it is asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Nobody is there to be asked.
    #[error("the host cannot ask anybody: {0}")]
    NotInteractive(&'static str),
    /// It has no such thing.
    #[error("the host does not have {0}")]
    NotSupported(&'static str),
    /// The user wants nothing of it.
    #[error("cancelled")]
    Cancelled,
    /// It failed.
    #[error("{0}")]
    Other(String),
}

/// Of text and background.
pub type Colors = Option<(ConsoleColor, ConsoleColor)>;

/// A host, as PSHost, PSHostUserInterface and PSHostRawUserInterface of .NET (MS-PSRP 2.2.3.17).
///
/// Methods are called on threads that may block, one after the other for each call of the server's. All have defaults: what
/// is written goes nowhere, and what is asked fails, which tells the script that nobody is there.
#[allow(unused_variables, reason = "defaults need nothing, and names say what they are")]
pub trait PsHost: Send + Sync + 'static {
    /// Colours and sizes, for a host that can place characters; then scripts believe in a console.
    fn data(&self) -> Option<HostDefaultData> {
        None
    }

    /// `Name`.
    fn name(&self) -> String {
        "winrm".to_owned()
    }

    /// `Version`.
    fn version(&self) -> Version {
        [0, 1].into()
    }

    /// `InstanceId`.
    fn instance_id(&self) -> uuid::Uuid {
        uuid::Uuid::nil()
    }

    /// `CurrentCulture`.
    fn culture(&self) -> String {
        "en-US".to_owned()
    }

    /// `CurrentUICulture`.
    fn ui_culture(&self) -> String {
        "en-US".to_owned()
    }

    /// `SetShouldExit`: a script called `exit`.
    fn set_should_exit(&self, code: i32) {}

    /// `EnterNestedPrompt`.
    ///
    /// # Errors
    /// The host has none.
    fn enter_nested_prompt(&self) -> Result<(), HostError> {
        Err(HostError::NotSupported("a nested prompt"))
    }

    /// `ExitNestedPrompt`.
    ///
    /// # Errors
    /// The host has none.
    fn exit_nested_prompt(&self) -> Result<(), HostError> {
        Err(HostError::NotSupported("a nested prompt"))
    }

    /// `NotifyBeginApplication`.
    fn notify_begin_application(&self) {}

    /// `NotifyEndApplication`.
    fn notify_end_application(&self) {}

    /// `ReadLine`.
    ///
    /// # Errors
    /// Nobody is there.
    fn read_line(&self) -> Result<String, HostError> {
        Err(HostError::NotInteractive("a line was asked for"))
    }

    /// `ReadLineAsSecureString`.
    ///
    /// # Errors
    /// Nobody is there.
    fn read_line_as_secure_string(&self) -> Result<Zeroizing<String>, HostError> {
        Err(HostError::NotInteractive("a secret was asked for"))
    }

    /// `Write`, with or without colours.
    fn write(&self, text: &str, colors: Colors) {}

    /// `WriteLine`, with or without colours.
    fn write_line(&self, text: &str, colors: Colors) {
        self.write(&format!("{text}\n"), colors);
    }

    /// `WriteErrorLine`.
    fn write_error_line(&self, text: &str) {}

    /// `WriteDebugLine`.
    fn write_debug_line(&self, text: &str) {}

    /// `WriteVerboseLine`.
    fn write_verbose_line(&self, text: &str) {}

    /// `WriteWarningLine`.
    fn write_warning_line(&self, text: &str) {}

    /// `WriteProgress`, of this source.
    fn write_progress(&self, source: i64, record: &ProgressRecord) {}

    /// `Prompt`: values by the names of the fields.
    ///
    /// # Errors
    /// Nobody is there.
    fn prompt(
        &self,
        caption: &str,
        message: &str,
        fields: &[FieldDescription],
    ) -> Result<Vec<(String, Zeroizing<String>)>, HostError> {
        Err(HostError::NotInteractive("values were asked for"))
    }

    /// `PromptForCredential`: user and password.
    ///
    /// # Errors
    /// Nobody is there.
    fn prompt_for_credential(
        &self,
        caption: &str,
        message: &str,
        user: Option<&str>,
        target: &str,
    ) -> Result<(String, Zeroizing<String>), HostError> {
        Err(HostError::NotInteractive("a user and password were asked for"))
    }

    /// `PromptForChoice`: the index of one.
    ///
    /// # Errors
    /// Nobody is there.
    fn prompt_for_choice(
        &self,
        caption: &str,
        message: &str,
        choices: &[ChoiceDescription],
        default: i32,
    ) -> Result<i32, HostError> {
        Err(HostError::NotInteractive("a choice was asked for"))
    }

    /// `PromptForChoiceMultipleSelection`: the indices of several.
    ///
    /// # Errors
    /// Nobody is there.
    fn prompt_for_choices(
        &self,
        caption: &str,
        message: &str,
        choices: &[ChoiceDescription],
        defaults: &[i32],
    ) -> Result<Vec<i32>, HostError> {
        Err(HostError::NotInteractive("choices were asked for"))
    }

    /// Sets one of the settings of [`data`](Self::data): colours, cursor, sizes, title.
    fn set(&self, setting: Setting) {}

    /// `KeyAvailable`.
    fn key_available(&self) -> bool {
        false
    }

    /// `ReadKey`, by the bits of `ReadKeyOptions`.
    ///
    /// # Errors
    /// Nobody is there.
    fn read_key(&self, options: i32) -> Result<KeyInfo, HostError> {
        Err(HostError::NotInteractive("a key was asked for"))
    }

    /// `FlushInputBuffer`.
    fn flush_input(&self) {}

    /// `SetBufferContents` and `ScrollBufferContents`, as they came.
    fn draw(&self, call: &HostCall) {}

    /// `GetBufferContents`.
    ///
    /// # Errors
    /// The host has none.
    fn buffer_contents(&self, region: Rectangle) -> Result<BufferCells, HostError> {
        Err(HostError::NotSupported("a buffer of cells"))
    }
}

/// What a script sets of the host's window.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Setting {
    /// The text's colour.
    Foreground(ConsoleColor),
    /// The background's.
    Background(ConsoleColor),
    /// Where the cursor is.
    CursorPosition(Coordinates),
    /// Where the window is in the buffer.
    WindowPosition(Coordinates),
    /// In percent of a cell.
    CursorSize(i32),
    /// Of the buffer.
    BufferSize(Size),
    /// Of the window.
    WindowSize(Size),
    /// Of the window.
    Title(String),
}

/// No host: nobody reads what is written, and nobody answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl PsHost for NoHost {}
