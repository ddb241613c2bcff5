//! The methods of a host, by number (MS-PSRP 2.2.3.17).

use std::fmt;

use winrm_clixml::PsValue;

use crate::value::enumeration;

enumeration! {
    /// A method of PSHost, PSHostUserInterface or PSHostRawUserInterface (MS-PSRP 2.2.3.17).
    HostMethodId: "System.Management.Automation.Remoting.RemoteHostMethodId" {
        /// PSHost.
        GET_NAME = 1 "GetName",
        /// PSHost.
        GET_VERSION = 2 "GetVersion",
        /// PSHost.
        GET_INSTANCE_ID = 3 "GetInstanceId",
        /// PSHost.
        GET_CURRENT_CULTURE = 4 "GetCurrentCulture",
        /// PSHost.
        GET_CURRENT_UI_CULTURE = 5 "GetCurrentUICulture",
        /// PSHost.
        SET_SHOULD_EXIT = 6 "SetShouldExit",
        /// PSHost.
        ENTER_NESTED_PROMPT = 7 "EnterNestedPrompt",
        /// PSHost.
        EXIT_NESTED_PROMPT = 8 "ExitNestedPrompt",
        /// PSHost.
        NOTIFY_BEGIN_APPLICATION = 9 "NotifyBeginApplication",
        /// PSHost.
        NOTIFY_END_APPLICATION = 10 "NotifyEndApplication",
        /// User interface.
        READ_LINE = 11 "ReadLine",
        /// User interface.
        READ_LINE_AS_SECURE_STRING = 12 "ReadLineAsSecureString",
        /// User interface.
        WRITE1 = 13 "Write1",
        /// User interface.
        WRITE2 = 14 "Write2",
        /// User interface.
        WRITE_LINE1 = 15 "WriteLine1",
        /// User interface.
        WRITE_LINE2 = 16 "WriteLine2",
        /// User interface.
        WRITE_LINE3 = 17 "WriteLine3",
        /// User interface.
        WRITE_ERROR_LINE = 18 "WriteErrorLine",
        /// User interface.
        WRITE_DEBUG_LINE = 19 "WriteDebugLine",
        /// User interface.
        WRITE_PROGRESS = 20 "WriteProgress",
        /// User interface.
        WRITE_VERBOSE_LINE = 21 "WriteVerboseLine",
        /// User interface.
        WRITE_WARNING_LINE = 22 "WriteWarningLine",
        /// User interface.
        PROMPT = 23 "Prompt",
        /// User interface.
        PROMPT_FOR_CREDENTIAL1 = 24 "PromptForCredential1",
        /// User interface.
        PROMPT_FOR_CREDENTIAL2 = 25 "PromptForCredential2",
        /// User interface.
        PROMPT_FOR_CHOICE = 26 "PromptForChoice",
        /// Raw user interface.
        GET_FOREGROUND_COLOR = 27 "GetForegroundColor",
        /// Raw user interface.
        SET_FOREGROUND_COLOR = 28 "SetForegroundColor",
        /// Raw user interface.
        GET_BACKGROUND_COLOR = 29 "GetBackgroundColor",
        /// Raw user interface.
        SET_BACKGROUND_COLOR = 30 "SetBackgroundColor",
        /// Raw user interface.
        GET_CURSOR_POSITION = 31 "GetCursorPosition",
        /// Raw user interface.
        SET_CURSOR_POSITION = 32 "SetCursorPosition",
        /// Raw user interface.
        GET_WINDOW_POSITION = 33 "GetWindowPosition",
        /// Raw user interface.
        SET_WINDOW_POSITION = 34 "SetWindowPosition",
        /// Raw user interface.
        GET_CURSOR_SIZE = 35 "GetCursorSize",
        /// Raw user interface.
        SET_CURSOR_SIZE = 36 "SetCursorSize",
        /// Raw user interface.
        GET_BUFFER_SIZE = 37 "GetBufferSize",
        /// Raw user interface.
        SET_BUFFER_SIZE = 38 "SetBufferSize",
        /// Raw user interface.
        GET_WINDOW_SIZE = 39 "GetWindowSize",
        /// Raw user interface.
        SET_WINDOW_SIZE = 40 "SetWindowSize",
        /// Raw user interface.
        GET_WINDOW_TITLE = 41 "GetWindowTitle",
        /// Raw user interface.
        SET_WINDOW_TITLE = 42 "SetWindowTitle",
        /// Raw user interface.
        GET_MAX_WINDOW_SIZE = 43 "GetMaxWindowSize",
        /// Raw user interface.
        GET_MAX_PHYSICAL_WINDOW_SIZE = 44 "GetMaxPhysicalWindowSize",
        /// Raw user interface.
        GET_KEY_AVAILABLE = 45 "GetKeyAvailable",
        /// Raw user interface.
        READ_KEY = 46 "ReadKey",
        /// Raw user interface.
        FLUSH_INPUT_BUFFER = 47 "FlushInputBuffer",
        /// Raw user interface.
        SET_BUFFER_CONTENTS1 = 48 "SetBufferContents1",
        /// Raw user interface.
        SET_BUFFER_CONTENTS2 = 49 "SetBufferContents2",
        /// Raw user interface.
        GET_BUFFER_CONTENTS = 50 "GetBufferContents",
        /// Raw user interface.
        SCROLL_BUFFER_CONTENTS = 51 "ScrollBufferContents",
        /// Host with runspaces of its own.
        PUSH_RUNSPACE = 52 "PushRunspace",
        /// Host with runspaces of its own.
        POP_RUNSPACE = 53 "PopRunspace",
        /// Host with runspaces of its own.
        GET_IS_RUNSPACE_PUSHED = 54 "GetIsRunspacePushed",
        /// Host with runspaces of its own.
        GET_RUNSPACE = 55 "GetRunspace",
        /// User interface with several choices.
        PROMPT_FOR_CHOICE_MULTIPLE_SELECTION = 56 "PromptForChoiceMultipleSelection",
    }
}

impl HostMethodId {
    /// Whether the method gives something, so that the server waits for an answer.
    pub fn returns(self) -> bool {
        matches!(self.0, 1..=5 | 11..=12 | 23..=26 | 27 | 29 | 31 | 33 | 35 | 37 | 39 | 41 | 43..=46 | 50 | 54..=56)
    }
}
