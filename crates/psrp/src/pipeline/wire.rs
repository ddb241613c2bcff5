//! How pipelines are read and written.

use winrm_clixml::{PsObject, PsValue};

use super::{Command, Merge, Parameter, Pipeline, ResultType};
use crate::fields::{Fields, enumeration, list, object, or_nil};
use crate::host::HostInfo;
use crate::message::{ApartmentState, MessageError};

const OBJECTS: [&str; 2] = [
    "System.Collections.Generic.List`1[[System.Management.Automation.PSObject, System.Management.Automation, \
     Version=1.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35]]",
    "System.Object",
];

impl Pipeline {
    pub(crate) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let shell = fields.object("PowerShell")?;
        let extra = shell.items("ExtraCmds")?;
        // Several statements stand all in the second list, the first of them in the first one too.
        let statements = if extra.is_empty() {
            vec![commands(shell)?]
        } else {
            extra.iter().map(|item| commands(shell.each(item, "ExtraCmds")?)).collect::<Result<_, _>>()?
        };
        Ok(Self {
            statements,
            no_input: fields.bool("NoInput")?,
            add_to_history: fields.flag("AddToHistory")?,
            is_nested: shell.flag("IsNested")?,
            history: shell.optional_string("History")?,
            redirect_error_output: shell.flag("RedirectShellErrorOutputPipe")?,
            apartment_state: ApartmentState::from_code(fields.i32("ApartmentState")?)
                .ok_or_else(|| fields.invalid("ApartmentState", "one of 0 to 2"))?,
            remote_stream_options: fields.i32("RemoteStreamOptions")?,
            host_info: HostInfo::read(fields.object("HostInfo")?)?,
        })
    }

    pub(crate) fn to_object(&self) -> PsObject {
        let written = |commands: &Vec<Command>| {
            let items = commands.iter().map(|command| object(command.to_object())).collect();
            list(&OBJECTS, items)
        };
        let extra = match self.statements.as_slice() {
            [] | [_] => PsValue::Nil,
            several => {
                let several = several.iter();
                object(list(
                    &OBJECTS,
                    several
                        .map(|commands| PsObject::new().with_extended("Cmds", written(commands)).into())
                        .collect(),
                ))
            }
        };
        let first = self.statements.first().map_or_else(|| list(&OBJECTS, Vec::new()), written);
        let shell = PsObject::new()
            .with_extended("IsNested", self.is_nested)
            .with_extended("ExtraCmds", extra)
            .with_extended("Cmds", first)
            .with_extended("History", or_nil(self.history.clone()))
            .with_extended("RedirectShellErrorOutputPipe", self.redirect_error_output);
        // .NET names the sum of all four after the last one.
        let options = match self.remote_stream_options {
            15 => "AddInvocationInfo".to_owned(),
            other => other.to_string(),
        };
        PsObject::new()
            .with_extended("NoInput", self.no_input)
            .with_extended("ApartmentState", self.apartment_state.to_object())
            .with_extended(
                "RemoteStreamOptions",
                enumeration(
                    "System.Management.Automation.Runspaces.RemoteStreamOptions",
                    &options,
                    self.remote_stream_options,
                ),
            )
            .with_extended("AddToHistory", self.add_to_history)
            .with_extended("HostInfo", self.host_info.to_object())
            .with_extended("PowerShell", shell)
            .with_extended("IsNested", self.is_nested)
    }
}

fn commands(fields: Fields<'_>) -> Result<Vec<Command>, MessageError> {
    fields.items("Cmds")?.iter().map(|item| Command::read(fields.each(item, "Cmds")?)).collect()
}

impl Command {
    fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let use_local_scope = match fields.optional("UseLocalScope") {
            Some(_) => Some(fields.bool("UseLocalScope")?),
            None => None,
        };
        let parameters = fields.items("Args")?.iter().map(|item| {
            let parameter = fields.each(item, "Args")?;
            Ok(Parameter { name: parameter.optional_string("N")?, value: parameter.value("V")?.clone() })
        });
        Ok(Self {
            text: fields.string("Cmd")?.clone(),
            is_script: fields.bool("IsScript")?,
            use_local_scope,
            parameters: parameters.collect::<Result<_, _>>()?,
            merge: Merge::read(fields)?,
        })
    }

    fn to_object(&self) -> PsObject {
        let parameters = self.parameters.iter().map(|Parameter { name, value }| {
            PsObject::new().with_extended("N", or_nil(name.clone())).with_extended("V", value.clone()).into()
        });
        let command = PsObject::new()
            .with_extended("Cmd", self.text.clone())
            .with_extended("IsScript", self.is_script)
            .with_extended("UseLocalScope", or_nil(self.use_local_scope))
            .with_extended("MergeMyResult", self.merge.my_result.to_object())
            .with_extended("MergeToResult", self.merge.to_result.to_object())
            .with_extended("MergePreviousResults", self.merge.previous.to_object())
            .with_extended("Args", list(&OBJECTS, parameters.collect()));
        self.merge.streams().into_iter().fold(command, |command, (name, target)| match target {
            Some(target) => command.with_extended(name, target.to_object()),
            None => command,
        })
    }
}

impl Merge {
    fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let stream = |field| match fields.optional(field) {
            Some(_) => fields.i32(field).map(ResultType).map(Some),
            None => Ok(None),
        };
        let or_none = |field| stream(field).map(Option::unwrap_or_default);
        Ok(Self {
            my_result: or_none("MergeMyResult")?,
            to_result: or_none("MergeToResult")?,
            previous: or_none("MergePreviousResults")?,
            error: stream("MergeError")?,
            warning: stream("MergeWarning")?,
            verbose: stream("MergeVerbose")?,
            debug: stream("MergeDebug")?,
            information: stream("MergeInformation")?,
        })
    }

    fn streams(&self) -> [(&'static str, Option<ResultType>); 5] {
        [
            ("MergeError", self.error),
            ("MergeWarning", self.warning),
            ("MergeVerbose", self.verbose),
            ("MergeDebug", self.debug),
            ("MergeInformation", self.information),
        ]
    }
}

impl ResultType {
    fn to_object(self) -> PsObject {
        let text = match self.0 {
            0 => "None".to_owned(),
            1 => "Output".to_owned(),
            2 => "Error".to_owned(),
            3 => "Output, Error".to_owned(),
            other => other.to_string(),
        };
        enumeration("System.Management.Automation.Runspaces.PipelineResultTypes", &text, self.0)
    }
}
