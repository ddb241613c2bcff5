//! The methods of a host with their parameters (MS-PSRP 2.2.3.17).

use winrm_clixml::{PsString, PsValue};

use super::{
    BufferCell, BufferCells, ChoiceDescription, ConsoleColor, Coordinates, FieldDescription, HostMethodId,
    Rectangle, Size,
};
use crate::DecodeError;
use crate::field::{array_list, i32_of, items_of, or_nil, string_of};
use crate::record::ProgressRecord;

/// A parameter of a method: how it is read and written.
trait Parameter: Sized {
    const EXPECTED: &'static str;
    fn read(value: &PsValue) -> Option<Self>;
    fn write(&self) -> PsValue;
}

/// Declares the methods, and with them their reader and writer.
macro_rules! host_calls {
    ($($(#[$docs:meta])* $variant:ident $id:ident { $($(#[$field_docs:meta])* $field:ident: $type:ty,)* })*) => {
        /// A method of the host with its parameters (MS-PSRP 2.2.3.17).
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum HostCall {
            $($(#[$docs])* $variant { $($(#[$field_docs])* $field: $type,)* },)*
        }

        impl HostCall {
            /// Its number.
            pub fn method(&self) -> HostMethodId {
                match self {
                    $(Self::$variant { .. } => HostMethodId::$id,)*
                }
            }

            /// Its parameters as they are sent.
            pub fn parameters(&self) -> Vec<PsValue> {
                match self {
                    $(Self::$variant { $($field,)* } => vec![$($field.write(),)*],)*
                }
            }

            /// A method from its number and its parameters as sent.
            ///
            /// # Errors
            ///
            /// A method that does not exist, or parameters that are not its own.
            pub fn decode(method: HostMethodId, parameters: &[PsValue]) -> Result<Self, DecodeError> {
                match method {
                    $(HostMethodId::$id => {
                        #[allow(unused_mut, reason = "some methods have no parameters")]
                        let mut rest = parameters.iter();
                        $(let $field = next(method, &mut rest, stringify!($field))?;)*
                        if rest.next().is_some() {
                            return Err(invalid(method, "mp", "as many parameters as the method has"));
                        }
                        Ok(Self::$variant { $($field,)* })
                    })*
                    _ => Err(DecodeError::UnknownHostMethod { found: method.0 }),
                }
            }
        }
    };
}

fn invalid(method: HostMethodId, field: &'static str, expected: &'static str) -> DecodeError {
    DecodeError::Invalid { kind: method.name().unwrap_or("host call"), field, expected }
}

fn next<T: Parameter>(
    method: HostMethodId,
    rest: &mut std::slice::Iter<'_, PsValue>,
    field: &'static str,
) -> Result<T, DecodeError> {
    let kind = method.name().unwrap_or("host call");
    let value = rest.next().ok_or(DecodeError::Missing { kind, field })?;
    T::read(value).ok_or_else(|| invalid(method, field, T::EXPECTED))
}

host_calls! {
    /// What the host is called.
    GetName GET_NAME {}
    /// Its version.
    GetVersion GET_VERSION {}
    /// Its identifier.
    GetInstanceId GET_INSTANCE_ID {}
    /// The culture for numbers and dates, as in `en-US`.
    GetCurrentCulture GET_CURRENT_CULTURE {}
    /// The culture for texts.
    GetCurrentUiCulture GET_CURRENT_UI_CULTURE {}
    /// The script wants the client to end.
    SetShouldExit SET_SHOULD_EXIT {
        /// With this exit code.
        exit_code: i32,
    }
    /// The script waits in a prompt of its own.
    EnterNestedPrompt ENTER_NESTED_PROMPT {}
    /// The script waits no longer.
    ExitNestedPrompt EXIT_NESTED_PROMPT {}
    /// A console program begins.
    NotifyBeginApplication NOTIFY_BEGIN_APPLICATION {}
    /// A console program has ended.
    NotifyEndApplication NOTIFY_END_APPLICATION {}
    /// A line from the user.
    ReadLine READ_LINE {}
    /// A line that is not shown.
    ReadLineAsSecureString READ_LINE_AS_SECURE_STRING {}
    /// Text.
    Write WRITE1 {
        /// The text.
        value: PsString,
    }
    /// Text with colours.
    WriteColored WRITE2 {
        /// Of the text.
        foreground_color: ConsoleColor,
        /// Behind.
        background_color: ConsoleColor,
        /// The text.
        value: PsString,
    }
    /// The end of a line.
    WriteNewLine WRITE_LINE1 {}
    /// A line.
    WriteLine WRITE_LINE2 {
        /// The text.
        value: PsString,
    }
    /// A line with colours.
    WriteLineColored WRITE_LINE3 {
        /// Of the text.
        foreground_color: ConsoleColor,
        /// Behind.
        background_color: ConsoleColor,
        /// The text.
        value: PsString,
    }
    /// An error.
    WriteErrorLine WRITE_ERROR_LINE {
        /// The text.
        message: PsString,
    }
    /// A debug record.
    WriteDebugLine WRITE_DEBUG_LINE {
        /// The text.
        message: PsString,
    }
    /// Progress.
    WriteProgress WRITE_PROGRESS {
        /// Tells sources apart.
        source_id: i64,
        /// How far.
        record: ProgressRecord,
    }
    /// A verbose record.
    WriteVerboseLine WRITE_VERBOSE_LINE {
        /// The text.
        message: PsString,
    }
    /// A warning.
    WriteWarningLine WRITE_WARNING_LINE {
        /// The text.
        message: PsString,
    }
    /// Several things to fill in.
    Prompt PROMPT {
        /// Above.
        caption: PsString,
        /// What for.
        message: PsString,
        /// What.
        descriptions: Vec<FieldDescription>,
    }
    /// A name and a password.
    PromptForCredential PROMPT_FOR_CREDENTIAL1 {
        /// Above.
        caption: PsString,
        /// What for.
        message: PsString,
        /// The name, if it is known.
        user_name: Option<PsString>,
        /// Where it will be used.
        target_name: PsString,
    }
    /// A name and a password, with conditions.
    PromptForCredentialOptions PROMPT_FOR_CREDENTIAL2 {
        /// Above.
        caption: PsString,
        /// What for.
        message: PsString,
        /// The name, if it is known.
        user_name: Option<PsString>,
        /// Where it will be used.
        target_name: PsString,
        /// Bits: 1 generic, 2 of a domain.
        allowed_credential_types: i32,
        /// Bits: 1 checks the form of the name, 2 asks always, 4 leaves the name as it is.
        options: i32,
    }
    /// One of several choices.
    PromptForChoice PROMPT_FOR_CHOICE {
        /// Above.
        caption: PsString,
        /// What for.
        message: PsString,
        /// The choices.
        choices: Vec<ChoiceDescription>,
        /// Counts from 0; -1 for none.
        default_choice: i32,
    }
    /// The colour of text.
    GetForegroundColor GET_FOREGROUND_COLOR {}
    /// Sets the colour of text.
    SetForegroundColor SET_FOREGROUND_COLOR {
        /// The colour.
        color: ConsoleColor,
    }
    /// The colour behind text.
    GetBackgroundColor GET_BACKGROUND_COLOR {}
    /// Sets the colour behind text.
    SetBackgroundColor SET_BACKGROUND_COLOR {
        /// The colour.
        color: ConsoleColor,
    }
    /// Where the cursor is.
    GetCursorPosition GET_CURSOR_POSITION {}
    /// Moves the cursor.
    SetCursorPosition SET_CURSOR_POSITION {
        /// Where to.
        position: Coordinates,
    }
    /// Where the window is in the buffer.
    GetWindowPosition GET_WINDOW_POSITION {}
    /// Moves the window in the buffer.
    SetWindowPosition SET_WINDOW_POSITION {
        /// Where to.
        position: Coordinates,
    }
    /// How large the cursor is.
    GetCursorSize GET_CURSOR_SIZE {}
    /// Sets how large the cursor is.
    SetCursorSize SET_CURSOR_SIZE {
        /// Percent of a cell.
        size: i32,
    }
    /// How large the buffer is.
    GetBufferSize GET_BUFFER_SIZE {}
    /// Sets how large the buffer is.
    SetBufferSize SET_BUFFER_SIZE {
        /// How large.
        size: Size,
    }
    /// How large the window is.
    GetWindowSize GET_WINDOW_SIZE {}
    /// Sets how large the window is.
    SetWindowSize SET_WINDOW_SIZE {
        /// How large.
        size: Size,
    }
    /// What stands above the window.
    GetWindowTitle GET_WINDOW_TITLE {}
    /// Sets what stands above the window.
    SetWindowTitle SET_WINDOW_TITLE {
        /// The text.
        title: PsString,
    }
    /// How large the window can be in this buffer.
    GetMaxWindowSize GET_MAX_WINDOW_SIZE {}
    /// How large the window can be on this screen.
    GetMaxPhysicalWindowSize GET_MAX_PHYSICAL_WINDOW_SIZE {}
    /// Whether a key waits to be read.
    GetKeyAvailable GET_KEY_AVAILABLE {}
    /// A key.
    ReadKey READ_KEY {
        /// Bits: 1 lets Ctrl-C through, 2 does not show it, 4 wants keys pressed, 8 keys let go.
        options: i32,
    }
    /// Forgets keys that wait.
    FlushInputBuffer FLUSH_INPUT_BUFFER {}
    /// Fills a part of the screen.
    FillBufferContents SET_BUFFER_CONTENTS1 {
        /// Which part.
        region: Rectangle,
        /// With this.
        fill: BufferCell,
    }
    /// Writes cells.
    SetBufferContents SET_BUFFER_CONTENTS2 {
        /// Where the first one goes.
        origin: Coordinates,
        /// The cells.
        contents: BufferCells,
    }
    /// The cells of a part of the screen.
    GetBufferContents GET_BUFFER_CONTENTS {
        /// Which part.
        region: Rectangle,
    }
    /// Moves a part of the screen.
    ScrollBufferContents SCROLL_BUFFER_CONTENTS {
        /// Which part.
        source: Rectangle,
        /// Where to.
        destination: Coordinates,
        /// Nothing outside of this changes.
        clip: Rectangle,
        /// What is left behind.
        fill: BufferCell,
    }
    /// The host shall work in another runspace. Its parameter has no form that crosses.
    PushRunspace PUSH_RUNSPACE {
        /// As sent.
        runspace: PsValue,
    }
    /// The host shall go back to its own runspace.
    PopRunspace POP_RUNSPACE {}
    /// Whether the host works in another runspace.
    GetIsRunspacePushed GET_IS_RUNSPACE_PUSHED {}
    /// The runspace of the host.
    GetRunspace GET_RUNSPACE {}
    /// Any of several choices.
    PromptForChoiceMultipleSelection PROMPT_FOR_CHOICE_MULTIPLE_SELECTION {
        /// Above.
        caption: PsString,
        /// What for.
        message: PsString,
        /// The choices.
        choices: Vec<ChoiceDescription>,
        /// Each counts from 0.
        default_choices: Vec<i32>,
    }
}

macro_rules! parameters {
    ($($type:ty: $expected:literal, $read:expr, $write:expr;)*) => {$(
        impl Parameter for $type {
            const EXPECTED: &'static str = $expected;

            fn read(value: &PsValue) -> Option<Self> {
                $read(value)
            }

            fn write(&self) -> PsValue {
                $write(self)
            }
        }
    )*};
}

parameters! {
    i32: "a signed integer of 32 bits", i32_of, |value: &i32| PsValue::I32(*value);
    i64: "an integer", PsValue::as_i64, |value: &i64| PsValue::I64(*value);
    // A null text is an empty one: scripts pass either.
    PsString: "a string", text, |value: &PsString| PsValue::String(value.clone());
    Option<PsString>: "a string", optional_text, |value: &Option<PsString>| or_nil(value.clone());
    ConsoleColor: "a colour", ConsoleColor::from_value, |value: &ConsoleColor| PsValue::I32(value.0);
    Coordinates: "coordinates", |value| Coordinates::from_value(value).ok(), |value: &Coordinates| value.to_value();
    Size: "a size", |value| Size::from_value(value).ok(), |value: &Size| value.to_value();
    Rectangle: "a rectangle", |value| Rectangle::from_value(value).ok(), |value: &Rectangle| value.to_value();
    BufferCell: "a cell", |value| BufferCell::from_value(value).ok(), |value: &BufferCell| value.to_value();
    BufferCells: "cells", |value| BufferCells::from_value(value).ok(), BufferCells::to_value;
    ProgressRecord: "a progress record", |value: &PsValue| ProgressRecord::from_value(value.clone()).ok(),
        ProgressRecord::to_value;
    FieldDescription: "a field", |value| FieldDescription::from_value(value).ok(), FieldDescription::to_value;
    ChoiceDescription: "a choice", |value| ChoiceDescription::from_value(value).ok(), ChoiceDescription::to_value;
    PsValue: "a value", |value: &PsValue| Some(value.clone()), PsValue::clone;
}

impl<T: Parameter> Parameter for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read(value: &PsValue) -> Option<Self> {
        items_of(value)?.iter().map(T::read).collect()
    }

    fn write(&self) -> PsValue {
        array_list(self.iter().map(T::write).collect())
    }
}

fn text(value: &PsValue) -> Option<PsString> {
    if value.is_nil() { Some(PsString::default()) } else { string_of(value) }
}

#[allow(clippy::option_option, reason = "a missing text and one of another type are told apart")]
fn optional_text(value: &PsValue) -> Option<Option<PsString>> {
    if value.is_nil() { Some(None) } else { string_of(value).map(Some) }
}
