//! `winrm run`: one command on one host or many.

use std::sync::Arc;

use winrm::{Client, Command, Stdio};

use crate::args::RunArgs;
use crate::control::Control;
use crate::fan::Hosts;
use crate::input;
use crate::process::{self, How};
use crate::report::Failure;

/// Runs it everywhere; the exit status.
pub(crate) async fn run(args: RunArgs) -> Result<i32, Failure> {
    input::read_once(&args.targets, &args.connection, args.stdin.then_some("--stdin"))?;
    let control = Control::start()?;
    let what = Arc::new(What {
        command: args.command,
        environment: args.environment,
        cwd: args.cwd,
        codepage: args.codepage,
        stdin: args.stdin,
    });
    let how = How { expect_disconnect: args.expect_disconnect, raw: args.raw };
    let hosts = Hosts::read(&args.targets, args.fan, args.connection, control.clone()).await?;
    let inputs = input::for_hosts(args.stdin, &hosts, control).await?;
    hosts
        .act(move |host, client, wishes| {
            let (what, input) = (Arc::clone(&what), inputs.take(host.number));
            async move { process::drive(&host, what.command(&client)?, input, how, wishes).await }
        })
        .await
}

struct What {
    command: Vec<String>,
    environment: Vec<(String, String)>,
    cwd: Option<String>,
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
        command.envs(self.environment.iter().cloned());
        if let Some(directory) = &self.cwd {
            command.current_dir(directory);
        }
        if let Some(codepage) = self.codepage {
            command.codepage(codepage);
        }
        command.stdin(if self.stdin { Stdio::piped() } else { Stdio::null() });
        Ok(command)
    }
}
