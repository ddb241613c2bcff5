//! Pipelines to be.

use std::sync::Arc;

use winrm_clixml::PsValue;
use winrm_psrp::PipelineResultTypes;
use winrm_psrp::message::{Command, CreatePipeline};

use crate::error::Error;
use crate::input::Input;
use crate::output::PsOutput;
use crate::pool::Handle;
use crate::running::{self, Running};

/// A pipeline to be: statements of commands with their parameters, as .NET's `PowerShell` puts them together.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `invoke` or `start`"]
pub struct PowerShell {
    pool: Arc<Handle>,
    pipeline: CreatePipeline,
    input: Vec<PsValue>,
}

impl PowerShell {
    pub(crate) fn new(pool: Arc<Handle>, pipeline: CreatePipeline) -> Self {
        Self { pool, pipeline, input: Vec::new() }
    }

    fn last(&mut self, change: impl FnOnce(Command) -> Command) {
        if let Some(command) =
            self.pipeline.powershell.statements.last_mut().and_then(|statement| statement.last_mut())
        {
            let changed = change(std::mem::replace(command, Command::named("")));
            *command = changed;
        }
    }

    /// Adds a named parameter to the last command.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<PsValue>) -> Self {
        self.last(|command| command.parameter(name.into(), value));
        self
    }

    /// Adds a switch to the last command.
    pub fn switch(self, name: impl Into<String>) -> Self {
        self.parameter(name, true)
    }

    /// Adds a positional argument to the last command.
    pub fn argument(mut self, value: impl Into<PsValue>) -> Self {
        self.last(|command| command.argument(value));
        self
    }

    /// Gives the last script a scope of its own, or the caller's.
    pub fn local_scope(mut self, local: bool) -> Self {
        self.last(|command| command.local_scope(local));
        self
    }

    /// Sends errors of the last command into the output.
    pub fn merge_errors(mut self) -> Self {
        self.last(|command| command.merge_error(PipelineResultTypes::OUTPUT));
        self
    }

    /// Hands the objects of the last command to another one.
    pub fn pipe(mut self, name: impl Into<String>) -> Self {
        self.pipeline.powershell = self.pipeline.powershell.with(Command::named(name.into()));
        self
    }

    /// Hands the objects of the last command to a script.
    pub fn pipe_script(mut self, text: impl Into<String>) -> Self {
        self.pipeline.powershell = self.pipeline.powershell.with(Command::script(text.into()));
        self
    }

    /// Begins another statement with a command.
    pub fn statement(mut self, name: impl Into<String>) -> Self {
        self.pipeline.powershell = self.pipeline.powershell.with_statement([Command::named(name.into())]);
        self
    }

    /// Keeps it in the runspace's history.
    pub fn add_to_history(mut self) -> Self {
        self.pipeline.add_to_history = true;
        self
    }

    /// Runs inside of a pipeline that is running: from a host that was told to enter a nested prompt.
    pub fn nested(mut self) -> Self {
        self.pipeline.is_nested = true;
        self
    }

    /// Objects for its input, which ends with them.
    pub fn input<V: Into<PsValue>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.input.extend(values.into_iter().map(Into::into));
        self.pipeline.no_input = false;
        self
    }

    /// Starts it; what it gives comes as it comes.
    ///
    /// # Errors
    /// [`Error::Start`], and [`Error::Protocol`] where the pool is not open.
    pub async fn start(self) -> Result<Running, Error> {
        let (running, id) = running::start(&self.pool, &self.pipeline).await?;
        if !self.pipeline.no_input {
            let input = Input::new(Arc::clone(&self.pool), id);
            let values = self.input;
            let client = self.pool.wire.client.clone();
            client.spawn_background(async move {
                if let Err(error) = input.send_all(values).await {
                    tracing::debug!(%error, "a pipeline did not take its input");
                }
            });
        }
        Ok(running)
    }

    /// Starts it with input that the caller sends while it runs.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with_input(mut self) -> Result<(Running, Input), Error> {
        self.pipeline.no_input = false;
        let (running, id) = running::start(&self.pool, &self.pipeline).await?;
        let mut input = Input::new(Arc::clone(&self.pool), id);
        for value in self.input {
            input.send(&value).await?;
        }
        Ok((running, input))
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// [`Error::Failed`] with the error that ended it and what came before; errors that did not end it are in
    /// [`PsOutput::errors`].
    pub async fn invoke(self) -> Result<PsOutput, Error> {
        self.start().await?.collect().await
    }
}
