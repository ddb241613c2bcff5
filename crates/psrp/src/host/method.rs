//! Methods of a host.

macro_rules! methods {
    ($($(#[$docs:meta])* $variant:ident = $code:literal $(-> $returns:tt)?;)*) => {
        /// A method of PSHost, PSHostUserInterface or PSHostRawUserInterface (MS-PSRP 2.2.3.17).
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum HostMethod {
            $($(#[$docs])* $variant),*
        }

        impl HostMethod {
            /// By its number.
            pub fn from_code(code: i32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its number.
            pub fn code(self) -> i32 {
                match self {
                    $(Self::$variant => $code),*
                }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),*
                }
            }

            /// Whether it returns something, for which the server waits.
            pub fn returns(self) -> bool {
                match self {
                    $(Self::$variant => false $(|| $returns)?),*
                }
            }

            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
        }
    };
}

methods! {
    /// The host's name.
    GetName = 1 -> true;
    /// The host's version.
    GetVersion = 2 -> true;
    /// What tells this host from others.
    GetInstanceId = 3 -> true;
    /// The culture of numbers and dates.
    GetCurrentCulture = 4 -> true;
    /// The language.
    GetCurrentUICulture = 5 -> true;
    /// Ends the host with an exit code.
    SetShouldExit = 6;
    /// Prompts inside of a pipeline.
    EnterNestedPrompt = 7;
    /// Ends that.
    ExitNestedPrompt = 8;
    /// A program is about to use the console.
    NotifyBeginApplication = 9;
    /// It has ended.
    NotifyEndApplication = 10;
    /// A line from the user.
    ReadLine = 11 -> true;
    /// The same, not shown.
    ReadLineAsSecureString = 12 -> true;
    /// Text.
    Write1 = 13;
    /// Text in colours.
    Write2 = 14;
    /// The end of a line.
    WriteLine1 = 15;
    /// A line.
    WriteLine2 = 16;
    /// A line in colours.
    WriteLine3 = 17;
    /// A line about an error.
    WriteErrorLine = 18;
    /// A line for debugging.
    WriteDebugLine = 19;
    /// A progress record.
    WriteProgress = 20;
    /// A line that says more.
    WriteVerboseLine = 21;
    /// A line that warns.
    WriteWarningLine = 22;
    /// Values for several fields.
    Prompt = 23 -> true;
    /// A user and password.
    PromptForCredential1 = 24 -> true;
    /// The same, of certain kinds.
    PromptForCredential2 = 25 -> true;
    /// One of several choices.
    PromptForChoice = 26 -> true;
    /// The text's colour.
    GetForegroundColor = 27 -> true;
    /// Sets it.
    SetForegroundColor = 28;
    /// The background's colour.
    GetBackgroundColor = 29 -> true;
    /// Sets it.
    SetBackgroundColor = 30;
    /// Where the cursor is.
    GetCursorPosition = 31 -> true;
    /// Sets it.
    SetCursorPosition = 32;
    /// Where the window is in the buffer.
    GetWindowPosition = 33 -> true;
    /// Sets it.
    SetWindowPosition = 34;
    /// The cursor's size in percent.
    GetCursorSize = 35 -> true;
    /// Sets it.
    SetCursorSize = 36;
    /// The buffer's size.
    GetBufferSize = 37 -> true;
    /// Sets it.
    SetBufferSize = 38;
    /// The window's size.
    GetWindowSize = 39 -> true;
    /// Sets it.
    SetWindowSize = 40;
    /// The window's title.
    GetWindowTitle = 41 -> true;
    /// Sets it.
    SetWindowTitle = 42;
    /// The largest window.
    GetMaxWindowSize = 43 -> true;
    /// The largest window on this display.
    GetMaxPhysicalWindowSize = 44 -> true;
    /// Whether a key was pressed.
    GetKeyAvailable = 45 -> true;
    /// A key.
    ReadKey = 46 -> true;
    /// Forgets keys.
    FlushInputBuffer = 47;
    /// Fills a rectangle.
    SetBufferContents1 = 48;
    /// Writes cells.
    SetBufferContents2 = 49;
    /// Reads cells.
    GetBufferContents = 50 -> true;
    /// Moves cells.
    ScrollBufferContents = 51;
    /// Goes into a session inside of this one.
    PushRunspace = 52;
    /// Leaves it.
    PopRunspace = 53;
    /// Whether there is one.
    GetIsRunspacePushed = 54 -> true;
    /// The one there is.
    GetRunspace = 55 -> true;
    /// Several of several choices.
    PromptForChoiceMultipleSelection = 56 -> true;
}
