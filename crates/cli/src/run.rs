//! `winrm run`: one command on one host or many.

use std::sync::Arc;

use winrm::{Client, Command, Stdio};

use crate::args::{ProcessArgs, RunArgs};
use crate::control::Control;
use crate::fan::Hosts;
use crate::input;
use crate::process::{self, How};
use crate::report::Failure;

/// Runs it everywhere; the exit status.
pub(crate) async fn run(args: RunArgs) -> Result<i32, Failure> {
    input::read_once(&args.targets, &args.connection, args.stdin.then_some("--stdin"))?;
    let control = Control::start()?;
    let how = How { expect_disconnect: args.expect_disconnect, raw: args.process.raw };
    let what = Arc::new(What {
        command: args.command,
        process: args.process,
        codepage: args.codepage,
        stdin: args.stdin,
    });
    let mut hosts = Hosts::read(&args.targets, args.fan, args.connection, control).await?;
    if args.stdin {
        hosts.feed().await?;
    }
    hosts
        .act(move |mut host, client, wishes| {
            let what = Arc::clone(&what);
            async move {
                let input = host.input.take();
                process::drive(&host, what.command(&client)?, input, how, wishes).await
            }
        })
        .await
}

struct What {
    command: Vec<String>,
    process: ProcessArgs,
    codepage: Option<u32>,
    stdin: bool,
}

impl What {
    fn command(&self, client: &Client) -> Result<Command, Failure> {
        let mut command = match self.command.split_first() {
            Some((line, [])) => client.raw_command(line),
            Some((program, arguments)) => {
                let mut command = client.command(program);
                command.args(arguments);
                command
            }
            None => return Err(Failure::new("no command")),
        };
        process::prepare(&mut command, &self.process);
        if let Some(codepage) = self.codepage {
            command.codepage(codepage);
        }
        command.stdin(if self.stdin { Stdio::piped() } else { Stdio::null() });
        Ok(command)
    }
}
