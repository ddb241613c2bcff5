//! A few commands, for demos and tests: this is no PowerShell, and says so.

use std::sync::Arc;
use std::time::Duration;

use winrm_clixml::{DateTime, PsObject, PsValue};
use winrm_psrp::ErrorCategory;
use winrm_psrp::host::HostCall;
use winrm_psrp::message::{Command, CreatePipeline};
use winrm_psrp::record::{ErrorRecord, InformationRecord, ProgressRecord};

use super::{PipelineIo, PowerShellHandler, PowerShellRunning, version_table};

/// Knows the commands below, alone or at the start of a pipeline that ends in `Out-String`, and no scripts but `$PSVersionTable`:
/// for all others there is an error record that says so.
///
/// `Write-Output`, `Write-Error`, `Write-Warning`, `Write-Verbose`, `Write-Debug`, `Write-Information`, `Write-Host`,
/// `Write-Progress`, `Read-Host`, `Start-Sleep`, `Get-Command`, `ForEach-Object` without a script, which gives its input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtin;

impl PowerShellHandler for Builtin {
    fn run(&self, pipeline: CreatePipeline, io: PipelineIo) -> PowerShellRunning {
        Box::pin(run(pipeline, io))
    }
}

const COMMANDS: [&str; 13] = [
    "ForEach-Object",
    "Get-Command",
    "Out-String",
    "Read-Host",
    "Start-Sleep",
    "Write-Debug",
    "Write-Error",
    "Write-Host",
    "Write-Information",
    "Write-Output",
    "Write-Progress",
    "Write-Verbose",
    "Write-Warning",
];

async fn run(pipeline: CreatePipeline, mut io: PipelineIo) -> Result<(), ErrorRecord> {
    for statement in pipeline.powershell.statements {
        let is_out_string = |command: &Command| !command.is_script && name_is(command, "Out-String");
        let (commands, as_text) = match statement.as_slice() {
            [commands @ .., last] if !commands.is_empty() && is_out_string(last) => (commands, true),
            commands => (commands, false),
        };
        let [command] = commands else {
            return Err(unknown("a pipeline of several commands"));
        };
        let mut to = To { io: &mut io, as_text };
        if command.is_script {
            script(command, &mut to).await?;
        } else {
            one(command, &mut to).await?;
        }
    }
    Ok(())
}

struct To<'a> {
    io: &'a mut PipelineIo,
    as_text: bool,
}

impl To<'_> {
    async fn output(&mut self, value: PsValue) {
        let value = if self.as_text { format!("{}\r\n", text(&value)).into() } else { value };
        self.io.output(value).await;
    }
}

async fn script(command: &Command, to: &mut To<'_>) -> Result<(), ErrorRecord> {
    match command.text.to_string_lossy().trim() {
        "$PSVersionTable" => to.output(version_table()).await,
        _ => return Err(unknown("a script")),
    }
    Ok(())
}

async fn one(command: &Command, to: &mut To<'_>) -> Result<(), ErrorRecord> {
    let argument = |names: &[&str]| argument(command, names);
    let message = || {
        text(
            &argument(&["Message", "InputObject", "Object", "MessageData", "Prompt"]).unwrap_or(PsValue::Nil),
        )
    };
    let name = command.text.to_string_lossy();
    let known = COMMANDS.iter().find(|known| name.eq_ignore_ascii_case(known));
    match known.copied() {
        Some("Write-Output") => {
            let value = argument(&["InputObject"]);
            let items = value.as_ref().and_then(PsValue::as_object).and_then(PsObject::items);
            for item in items.map_or_else(|| value.iter().cloned().collect(), <[PsValue]>::to_vec) {
                to.output(item).await;
            }
        }
        Some("ForEach-Object") => {
            while let Some(value) = to.io.input().await {
                to.output(value).await;
            }
        }
        Some("Write-Error") => {
            let error = ErrorRecord::new(
                "Microsoft.PowerShell.Commands.WriteErrorException",
                message(),
                "Microsoft.PowerShell.Commands.WriteErrorException",
                ErrorCategory::NOT_SPECIFIED,
            );
            let stops = argument_named(command, "ErrorAction").is_some_and(|action| text(&action) == "Stop");
            if stops {
                return Err(error);
            }
            to.io.error(error).await;
        }
        Some("Write-Warning") => to.io.warning(&message()).await,
        Some("Write-Verbose") => to.io.verbose(&message()).await,
        Some("Write-Debug") => to.io.debug(&message()).await,
        Some("Write-Information") => {
            if let Ok(time) = DateTime::new("2001-01-01T00:00:00Z") {
                to.io.information(InformationRecord::new(message(), "Write-Information", time)).await;
            }
        }
        Some("Write-Host") => drop(to.io.host_call(HostCall::WriteLine { value: message().into() }).await),
        Some("Write-Progress") => {
            let activity = text(&argument(&["Activity"]).unwrap_or(PsValue::Nil));
            let percent = argument_named(command, "PercentComplete").and_then(|value| value.as_i64());
            let percent = percent.and_then(|percent| i32::try_from(percent).ok()).unwrap_or(-1);
            to.io
                .progress(ProgressRecord::new(0, activity, "Processing").with_percent_complete(percent))
                .await;
        }
        Some("Read-Host") => {
            let answer = to.io.host_call(HostCall::ReadLine {}).await;
            match answer.map(|answer| (answer.result, answer.error)) {
                Some((Some(line), None)) => to.output(line).await,
                Some((_, Some(error))) => return Err(error),
                _ => {}
            }
        }
        Some("Start-Sleep") => {
            let seconds = argument(&["Seconds"]).and_then(|value| value.as_i64()).unwrap_or_default();
            tokio::time::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or_default())).await;
        }
        Some("Get-Command") => {
            let names = COMMANDS.iter().map(|name| PsObject::new().with_extended("Name", *name));
            for object in names {
                to.output(PsValue::Object(Arc::new(object))).await;
            }
        }
        _ => return Err(not_found(&name)),
    }
    Ok(())
}

fn name_is(command: &Command, name: &str) -> bool {
    command.text.to_string_lossy().eq_ignore_ascii_case(name)
}

fn argument_named(command: &Command, name: &str) -> Option<PsValue> {
    let named = command.arguments.iter().find(|parameter| {
        parameter
            .name
            .as_ref()
            .is_some_and(|found| found.to_string_lossy().trim_start_matches('-').eq_ignore_ascii_case(name))
    });
    named.map(|parameter| parameter.value.clone())
}

/// One of these, or the first that has no name.
fn argument(command: &Command, names: &[&str]) -> Option<PsValue> {
    let by_name = names.iter().find_map(|name| argument_named(command, name));
    by_name.or_else(|| {
        let positional = command.arguments.iter().find(|parameter| parameter.name.is_none());
        positional.map(|parameter| parameter.value.clone())
    })
}

fn text(value: &PsValue) -> String {
    if let Some(text) = value.as_ps_string() {
        return text.to_string();
    }
    if let Some(entries) = value.as_object().and_then(PsObject::dictionary) {
        let lines = entries.iter().map(|(key, value)| format!("{:<30} {}", text(key), text(value)));
        return lines.collect::<Vec<_>>().join("\r\n");
    }
    match value.primitive() {
        PsValue::Object(object) => object.to_string.as_ref().map(ToString::to_string).unwrap_or_default(),
        PsValue::Version(version) => version.to_string(),
        PsValue::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        value => value.as_i64().map(|number| number.to_string()).unwrap_or_default(),
    }
}

fn not_found(name: &str) -> ErrorRecord {
    ErrorRecord::new(
        "System.Management.Automation.CommandNotFoundException",
        format!(
            "The term '{name}' is not known here: this service has no PowerShell but a few commands of its own."
        ),
        "CommandNotFoundException",
        ErrorCategory::OBJECT_NOT_FOUND,
    )
}

fn unknown(what: &str) -> ErrorRecord {
    ErrorRecord::new(
        "System.NotImplementedException",
        format!("This service has no PowerShell, but a few commands of its own; {what} is not among them."),
        "NotImplemented",
        ErrorCategory::NOT_IMPLEMENTED,
    )
}
