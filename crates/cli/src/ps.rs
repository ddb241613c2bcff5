//! `winrm ps`: a PowerShell script on one host or many, by PowerShell remoting or in a `powershell.exe` of its own.

pub(crate) mod host;
mod json;
mod progress;
pub(crate) mod remoting;

use std::sync::Arc;

use tokio::io::AsyncReadExt;
use winrm::Stdio;

use crate::args::PsArgs;
use crate::control::{self, Control, Wish};
use crate::fan::{Hosts, stopped};
use crate::input;
use crate::process::{self, How};
use crate::report::Failure;

/// The longest script, in bytes: a mistake in the name of its file shall not send something else.
pub(crate) const MAX_SCRIPT: u64 = 16 * 1024 * 1024;

/// Runs it everywhere; the exit status.
pub(crate) async fn ps(args: PsArgs) -> Result<i32, Failure> {
    input::read_once(&args.targets, &args.connection, args.stdin.then_some("--stdin"))?;
    let control = Control::start()?;
    check(&args)?;
    let script = script(&args, &control).await?;
    let hosts = Hosts::read(&args.targets, args.fan, args.connection, control).await?;
    if !args.exe {
        let what = Arc::new(remoting::What {
            script,
            arguments: args.arguments,
            configuration: args.configuration,
            clixml: args.clixml,
            is_alone: hosts.labels().len() == 1,
        });
        return hosts
            .act(move |host, client, wishes| {
                let what = Arc::clone(&what);
                async move { remoting::drive(&host, &client, &what, wishes).await }
            })
            .await;
    }
    let script = Arc::new(script);
    let how = How { expect_disconnect: false, raw: args.process.raw };
    let started = args.process;
    hosts
        .act(move |host, client, wishes| {
            let mut command = client.powershell(script.as_str());
            process::prepare(&mut command, &started);
            command.stdin(Stdio::null());
            async move { process::drive(&host, command, None, how, wishes).await }
        })
        .await
}

/// Options that only one of the two ways has.
fn check(args: &PsArgs) -> Result<(), Failure> {
    let process = &args.process;
    if !args.exe && (process.raw || process.cwd.is_some() || !process.environment.is_empty()) {
        return Err(Failure::new("--env, --cwd and --raw are for a powershell.exe")
            .with_remedy("give --exe as well, or set them in the script"));
    }
    Ok(())
}

/// From the command line, a file, or standard input.
async fn script(args: &PsArgs, control: &Control) -> Result<String, Failure> {
    let (name, bytes) = if let Some(file) = &args.file {
        let name = file.display().to_string();
        let read = async {
            let mut bytes = Vec::new();
            tokio::fs::File::open(file).await?.take(MAX_SCRIPT + 1).read_to_end(&mut bytes).await?;
            Ok::<_, std::io::Error>(bytes)
        };
        let bytes = read.await.map_err(|error| Failure::caused_by(format!("cannot read {name}"), &error))?;
        (name, bytes)
    } else if args.stdin {
        let mut bytes = Vec::new();
        let mut wishes = control.subscribe();
        let mut stdin = tokio::io::stdin().take(MAX_SCRIPT + 1);
        tokio::select! {
            read = stdin.read_to_end(&mut bytes) => {
                read.map_err(|error| Failure::caused_by("cannot read standard input", &error))?;
            }
            wish = control::wanted(&mut wishes, |wish| *wish != Wish::Run) => return Err(stopped(wish)),
        }
        ("standard input".to_owned(), bytes)
    } else {
        return Ok(args.script.join(" "));
    };
    if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_SCRIPT) {
        return Err(Failure::new(format!("{name} is longer than {MAX_SCRIPT} bytes: that is no script")));
    }
    text(&bytes).ok_or_else(|| {
        Failure::new(format!("{name} is neither UTF-8 nor UTF-16 with a byte order mark"))
            .with_remedy("save the script as UTF-8")
    })
}

/// UTF-8, with or without a byte order mark, or UTF-16 with one, as PowerShell saves scripts.
fn text(bytes: &[u8]) -> Option<String> {
    let utf_16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> =
            bytes.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map(unit)).collect::<Result<_, _>>().ok()?;
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        bytes => String::from_utf8(bytes.to_vec()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_read_as_powershell_saves_them() {
        assert_eq!(text(b"\xef\xbb\xbf'\xc3\xa9'").as_deref(), Some("'é'"));
        assert_eq!(text(b"\xff\xfe\xe9\x00").as_deref(), Some("é"));
        assert_eq!(text(b"\xfe\xff\x00\xe9").as_deref(), Some("é"));
        assert_eq!(text("é".as_bytes()).as_deref(), Some("é"));
        for wrong in [&b"\xe9"[..], b"\xff\xfe\xe9", b"\xff\xfe\x00\xd8"] {
            assert_eq!(text(wrong), None);
        }
    }
}
