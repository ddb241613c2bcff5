//! What a pipeline runs (MS-PSRP 2.2.3.11 to 2.2.3.13).

use winrm_clixml::{PsObject, PsString, PsValue};

use crate::field::{Fields, items_of, list, or_nil};
use crate::value::enumeration_value;
use crate::{DecodeError, PipelineResultTypes};

/// The list type of PowerShell's own objects, which statements, commands and arguments come in.
fn ps_object_list(items: Vec<PsValue>) -> PsValue {
    const TYPE: &str = "System.Collections.Generic.List`1[[System.Management.Automation.PSObject, \
                        System.Management.Automation, Version=1.0.0.0, Culture=neutral, \
                        PublicKeyToken=31bf3856ad364e35]]";
    list([TYPE, "System.Object"], items)
}

/// Statements of commands (MS-PSRP 2.2.3.11).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PowerShell {
    /// One after the other; the commands of each are connected by pipes.
    pub statements: Vec<Vec<Command>>,
    /// What to put into the history in place of the commands.
    pub history: Option<PsString>,
    /// `RedirectShellErrorOutputPipe`: errors that the session itself writes go to the pipeline's error stream.
    pub redirect_shell_error_output_pipe: bool,
}

impl PowerShell {
    /// One script.
    pub fn script(text: impl Into<PsString>) -> Self {
        Self::default().with(Command::script(text))
    }

    /// Adds a command behind the last one, into the same statement.
    pub fn with(mut self, command: Command) -> Self {
        match self.statements.last_mut() {
            Some(statement) => statement.push(command),
            None => self.statements.push(vec![command]),
        }
        self
    }

    /// Adds a statement.
    pub fn with_statement(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        self.statements.push(commands.into_iter().collect());
        self
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("PowerShell", value)?;
        let commands =
            |items: &[PsValue]| items.iter().map(Command::from_value).collect::<Result<Vec<_>, _>>();
        // All statements are in ExtraCmds, the first one too, if there are several.
        let extra = fields.read_optional("ExtraCmds", "a list", items_of)?.unwrap_or_default();
        let statements = if extra.is_empty() {
            vec![commands(fields.items("Cmds")?)?]
        } else {
            let statement = |value| commands(Fields::of("PowerShell", value)?.items("Cmds")?);
            extra.iter().map(statement).collect::<Result<_, _>>()?
        };
        Ok(Self {
            statements,
            history: fields.optional_string("History")?,
            redirect_shell_error_output_pipe: fields
                .read_optional("RedirectShellErrorOutputPipe", "a truth value", PsValue::as_bool)?
                .unwrap_or_default(),
        })
    }

    pub(crate) fn to_value(&self, is_nested: bool) -> PsValue {
        let commands =
            |commands: &[Command]| ps_object_list(commands.iter().map(Command::to_value).collect());
        let mut object = PsObject::new().with_extended("IsNested", is_nested);
        if self.statements.len() > 1 {
            let statement =
                |statement: &Vec<Command>| PsObject::new().with_extended("Cmds", commands(statement)).into();
            let statements = self.statements.iter().map(statement).collect();
            object = object.with_extended("ExtraCmds", ps_object_list(statements));
        }
        let first = self.statements.first().map(Vec::as_slice).unwrap_or_default();
        object
            .with_extended("Cmds", commands(first))
            .with_extended("History", or_nil(self.history.clone()))
            .with_extended("RedirectShellErrorOutputPipe", self.redirect_shell_error_output_pipe)
            .into()
    }
}

/// One command, or one script (MS-PSRP 2.2.3.12).
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The name of the command, or the text of the script.
    pub text: PsString,
    /// Whether it is a script.
    pub is_script: bool,
    /// Whether it has variables of its own; none leaves it to the kind of the command.
    pub use_local_scope: Option<bool>,
    /// `MergeMyResult`: the stream that goes elsewhere, in the way of version 2.1.
    pub merge_my_result: PipelineResultTypes,
    /// `MergeToResult`: where it goes.
    pub merge_to_result: PipelineResultTypes,
    /// `MergePreviousResults`: what the commands before it write that nobody took.
    pub merge_previous_results: PipelineResultTypes,
    /// Where each stream goes, in the way of version 2.2.
    pub merge: Option<Merge>,
    /// Parameters and arguments in order.
    pub arguments: Vec<Argument>,
}

/// The one place where the numbers are bits: as a stream, 3 is that of warnings.
const OUTPUT_AND_ERROR: PipelineResultTypes = PipelineResultTypes(3);

fn previous_results(types: PipelineResultTypes) -> PsValue {
    if types != OUTPUT_AND_ERROR {
        return types.to_value();
    }
    enumeration_value(PipelineResultTypes::TYPE_NAME, types.0, "Output, Error")
}

/// Where the streams of a command go (MS-PSRP 2.2.3.12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Merge {
    /// Errors.
    pub error: PipelineResultTypes,
    /// Warnings.
    pub warning: PipelineResultTypes,
    /// Verbose records.
    pub verbose: PipelineResultTypes,
    /// Debug records.
    pub debug: PipelineResultTypes,
    /// Information records; only in version 2.3.
    pub information: Option<PipelineResultTypes>,
}

impl Default for Merge {
    fn default() -> Self {
        let none = PipelineResultTypes::NONE;
        Self { error: none, warning: none, verbose: none, debug: none, information: Some(none) }
    }
}

/// A parameter, or an argument without a name (MS-PSRP 2.2.3.13).
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `N`: of the parameter.
    pub name: Option<PsString>,
    /// `V`. `Nil` for a switch that is not given one.
    pub value: PsValue,
}

impl Command {
    fn new(text: PsString, is_script: bool) -> Self {
        Self {
            text,
            is_script,
            use_local_scope: None,
            merge_my_result: PipelineResultTypes::NONE,
            merge_to_result: PipelineResultTypes::NONE,
            merge_previous_results: PipelineResultTypes::NONE,
            merge: Some(Merge::default()),
            arguments: Vec::new(),
        }
    }

    /// A command by its name.
    pub fn named(name: impl Into<PsString>) -> Self {
        Self::new(name.into(), false)
    }

    /// A script.
    pub fn script(text: impl Into<PsString>) -> Self {
        Self::new(text.into(), true)
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl Into<PsString>, value: impl Into<PsValue>) -> Self {
        self.arguments.push(Argument { name: Some(name.into()), value: value.into() });
        self
    }

    /// Adds an argument without a name.
    pub fn argument(mut self, value: impl Into<PsValue>) -> Self {
        self.arguments.push(Argument { name: None, value: value.into() });
        self
    }

    /// Sets [`use_local_scope`](Self::use_local_scope).
    pub fn local_scope(mut self, local: bool) -> Self {
        self.use_local_scope = Some(local);
        self
    }

    /// Sends errors elsewhere, in both ways that there are to say so.
    pub fn merge_error(mut self, to: PipelineResultTypes) -> Self {
        if to != PipelineResultTypes::NULL {
            let merged = to != PipelineResultTypes::NONE;
            self.merge_my_result = if merged { PipelineResultTypes::ERROR } else { to };
            self.merge_to_result = to;
        }
        self.merge.get_or_insert_default().error = to;
        self
    }

    /// Sends all other streams elsewhere.
    pub fn merge_all(mut self, to: PipelineResultTypes) -> Self {
        self = self.merge_error(to);
        self.merge = Some(Merge { error: to, warning: to, verbose: to, debug: to, information: Some(to) });
        self
    }

    /// Takes what the commands before it write and nobody takes: output and errors.
    pub fn merge_unclaimed(mut self) -> Self {
        self.merge_previous_results = OUTPUT_AND_ERROR;
        self
    }

    fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("Command", value)?;
        let merge = |field| fields.read_optional(field, "a number", PipelineResultTypes::from_value);
        let or_none = |found: Option<_>| found.unwrap_or(PipelineResultTypes::NONE);
        let streams =
            [merge("MergeError")?, merge("MergeWarning")?, merge("MergeVerbose")?, merge("MergeDebug")?];
        let information = merge("MergeInformation")?;
        let [error, warning, verbose, debug] = streams.map(or_none);
        let known = streams.iter().any(Option::is_some) || information.is_some();
        let arguments = fields.read_optional("Args", "a list", items_of)?.unwrap_or_default();
        Ok(Self {
            text: fields.string("Cmd")?,
            is_script: fields.bool("IsScript")?,
            use_local_scope: fields.read_optional("UseLocalScope", "a truth value", PsValue::as_bool)?,
            merge_my_result: or_none(merge("MergeMyResult")?),
            merge_to_result: or_none(merge("MergeToResult")?),
            merge_previous_results: or_none(merge("MergePreviousResults")?),
            merge: known.then_some(Merge { error, warning, verbose, debug, information }),
            arguments: arguments.iter().map(Argument::from_value).collect::<Result<_, _>>()?,
        })
    }

    fn to_value(&self) -> PsValue {
        let mut object = PsObject::new()
            .with_extended("Cmd", self.text.clone())
            .with_extended("IsScript", self.is_script)
            .with_extended("UseLocalScope", or_nil(self.use_local_scope))
            .with_extended("MergeMyResult", self.merge_my_result.to_value())
            .with_extended("MergeToResult", self.merge_to_result.to_value())
            .with_extended("MergePreviousResults", previous_results(self.merge_previous_results));
        if let Some(merge) = &self.merge {
            object = object
                .with_extended("MergeError", merge.error.to_value())
                .with_extended("MergeWarning", merge.warning.to_value())
                .with_extended("MergeVerbose", merge.verbose.to_value())
                .with_extended("MergeDebug", merge.debug.to_value());
            if let Some(information) = merge.information {
                object = object.with_extended("MergeInformation", information.to_value());
            }
        }
        let arguments = ps_object_list(self.arguments.iter().map(Argument::to_value).collect());
        object.with_extended("Args", arguments).into()
    }
}

impl Argument {
    fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("Argument", value)?;
        Ok(Self { name: fields.optional_string("N")?, value: fields.any("V") })
    }

    fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_extended("N", or_nil(self.name.clone()))
            .with_extended("V", self.value.clone())
            .into()
    }
}
