//! Pipelines: commands with their parameters, in statements (MS-PSRP 2.2.2.10, 2.2.3.11 to 2.2.3.13).

mod wire;

use winrm_clixml::{PsString, PsValue};

use crate::host::HostInfo;
use crate::message::ApartmentState;

/// What a server is to run, with all that CREATE_PIPELINE says about it.
///
/// ```
/// use winrm_psrp::pipeline::{Command, Pipeline};
///
/// let pipeline = Pipeline::command(Command::new("Get-Process").parameter("Name", "explorer"))
///     .pipe(Command::new("Select-Object").parameter("First", 3))
///     .statement(Command::script("Get-Date"));
/// assert_eq!(pipeline.statements.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "as MS-PSRP has them")]
pub struct Pipeline {
    /// Run one after the other; the commands of each pass objects on.
    pub statements: Vec<Vec<Command>>,
    /// Whether no input will be sent.
    pub no_input: bool,
    /// Whether it is kept in the runspace's history.
    pub add_to_history: bool,
    /// Whether it runs inside of one that is running.
    pub is_nested: bool,
    /// What the history keeps instead of the commands.
    pub history: Option<PsString>,
    /// Whether errors of native programs go into the error stream.
    pub redirect_error_output: bool,
    /// Of its thread.
    pub apartment_state: ApartmentState,
    /// Which records carry where they come from: bits of MS-PSRP 2.2.3.8, 1 for errors to 8 for debug records.
    pub remote_stream_options: i32,
    /// What the client's host can do for it.
    pub host_info: HostInfo,
}

/// A command of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Its name, or the script.
    pub text: PsString,
    /// Whether it is a script.
    pub is_script: bool,
    /// Whether a script has a scope of its own; null lets the server decide.
    pub use_local_scope: Option<bool>,
    /// Named and positional, in order.
    pub parameters: Vec<Parameter>,
    /// Where its streams go.
    pub merge: Merge,
}

/// A parameter with a name, or an argument without.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name, without the dash.
    pub name: Option<PsString>,
    /// The value; null for a switch or a name whose value follows.
    pub value: PsValue,
}

/// A stream of a command, or where it is sent (MS-PSRP 2.2.3.31).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ResultType(pub i32);

impl ResultType {
    /// Not merged.
    pub const NONE: Self = Self(0);
    /// The output.
    pub const OUTPUT: Self = Self(1);
    /// Errors.
    pub const ERROR: Self = Self(2);
    /// Warnings.
    pub const WARNING: Self = Self(3);
    /// Verbose records.
    pub const VERBOSE: Self = Self(4);
    /// Debug records.
    pub const DEBUG: Self = Self(5);
    /// Information records.
    pub const INFORMATION: Self = Self(6);
    /// All of them.
    pub const ALL: Self = Self(7);
    /// Thrown away.
    pub const NULL: Self = Self(8);
}

/// Where streams of a command go instead (MS-PSRP 2.2.3.12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Merge {
    /// Of protocol 2.1: what of the command is merged.
    pub my_result: ResultType,
    /// Of protocol 2.1: into what.
    pub to_result: ResultType,
    /// What of the commands before it.
    pub previous: ResultType,
    /// Errors; `None` where protocol 2.1 is spoken, which has none of these.
    pub error: Option<ResultType>,
    /// Warnings.
    pub warning: Option<ResultType>,
    /// Verbose records.
    pub verbose: Option<ResultType>,
    /// Debug records.
    pub debug: Option<ResultType>,
    /// Information records, from protocol 2.3 on.
    pub information: Option<ResultType>,
}

impl Default for Merge {
    fn default() -> Self {
        let none = Some(ResultType::NONE);
        Self {
            my_result: ResultType::NONE,
            to_result: ResultType::NONE,
            previous: ResultType::NONE,
            error: none,
            warning: none,
            verbose: none,
            debug: none,
            information: none,
        }
    }
}

impl Pipeline {
    /// One command.
    pub fn command(command: Command) -> Self {
        Self {
            statements: vec![vec![command]],
            no_input: true,
            add_to_history: false,
            is_nested: false,
            history: None,
            redirect_error_output: false,
            apartment_state: ApartmentState::default(),
            remote_stream_options: 0,
            host_info: HostInfo::default(),
        }
    }

    /// One script.
    pub fn script(text: impl Into<PsString>) -> Self {
        Self::command(Command::script(text))
    }

    /// Hands the objects of the last command to another one.
    pub fn pipe(mut self, command: Command) -> Self {
        match self.statements.last_mut() {
            Some(statement) => statement.push(command),
            None => self.statements.push(vec![command]),
        }
        self
    }

    /// Begins another statement.
    pub fn statement(mut self, command: Command) -> Self {
        self.statements.push(vec![command]);
        self
    }

    /// Whether input will be sent.
    pub fn with_input(mut self, takes_input: bool) -> Self {
        self.no_input = !takes_input;
        self
    }
}

impl Command {
    /// A cmdlet, function, alias or program.
    pub fn new(name: impl Into<PsString>) -> Self {
        Self {
            text: name.into(),
            is_script: false,
            use_local_scope: None,
            parameters: Vec::new(),
            merge: Merge::default(),
        }
    }

    /// A script.
    pub fn script(text: impl Into<PsString>) -> Self {
        Self { is_script: true, ..Self::new(text) }
    }

    /// Adds a named parameter.
    pub fn parameter(mut self, name: impl Into<PsString>, value: impl Into<PsValue>) -> Self {
        self.parameters.push(Parameter { name: Some(name.into()), value: value.into() });
        self
    }

    /// Adds a switch.
    pub fn switch(self, name: impl Into<PsString>) -> Self {
        self.parameter(name, true)
    }

    /// Adds a positional argument.
    pub fn argument(mut self, value: impl Into<PsValue>) -> Self {
        self.parameters.push(Parameter { name: None, value: value.into() });
        self
    }

    /// Whether a script has a scope of its own.
    pub fn with_local_scope(mut self, local: bool) -> Self {
        self.use_local_scope = Some(local);
        self
    }

    /// Sends all errors into the output, as `2>&1` does.
    pub fn merging_errors(mut self) -> Self {
        self.merge.my_result = ResultType::ERROR;
        self.merge.to_result = ResultType::OUTPUT;
        self.merge.error = Some(ResultType::OUTPUT);
        self
    }
}
