//! From a request to its answer: the checks that every request passes (DSP0226 sections 5 and 6, MS-WSMV 3.1.4.1), and the
//! operations on shells.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;
use winrm_wsman::encrypted;
use winrm_wsman::{
    Body, CommandLine, CommandResponse, CreateResponse, EncodeError, Fault, FaultCode, Header, Message,
    Receive, Send, Shell as ShellBody, Signal, Stream, XsDuration, guid, uri,
};

use crate::config::{COMPUTER_NAME, Limits};
use crate::fault;
use crate::handler::{Handler, Invocation, SignalCode};
use crate::kept::{self, Asked, KeptAnswers};
use crate::listing;
use crate::powershell::{self, PowerShellHandler, PowerShellShell};
use crate::request::{self, flag, is_id, is_known, is_powershell, is_shell_uri};
use crate::response::{describe, identify, receive_response};
use crate::shell::{Command, InUse, Quota, Refusal, Shell, ShellSettings, Shells};
use crate::stdin::SendError;
use crate::stdout::{NoPortion, Terms};

/// Bytes of a ReceiveResponse beside its blocks of output, generously.
const RECEIVE_OVERHEAD: usize = 3072;
/// `MaxEnvelopeSize` may not ask for less (DSP0226 section 6.2).
const MIN_ENVELOPE_SIZE: usize = 8192;
/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    /// `None` only for an Identify without log-on.
    pub(crate) user: Option<&'a str>,
    pub(crate) address: IpAddr,
}

/// An answer, written once.
pub(crate) struct Answer {
    pub(crate) message: Message,
    /// The envelope behind the room that sealing needs.
    pub(crate) buffer: BytesMut,
}

impl Answer {
    pub(crate) fn write(message: Message) -> Result<Self, EncodeError> {
        let mut buffer = encrypted::buffer(message.encoded_len());
        message.encode_into(&mut buffer)?;
        Ok(Self { message, buffer })
    }

    /// The envelope.
    pub(crate) fn plaintext(&self) -> &[u8] {
        self.buffer.get(encrypted::HEADROOM..).unwrap_or_default()
    }
}

/// What the service does for its callers.
pub(crate) struct Operations {
    pub(crate) shells: Arc<Shells>,
    pub(crate) handler: Arc<dyn Handler>,
    /// Resource URIs of shells beside those of `cmd`; requests for them have robust connections.
    pub(crate) custom_shells: Vec<String>,
    pub(crate) powershell: Option<Arc<dyn PowerShellHandler>>,
    pub(crate) kept: KeptAnswers,
    pub(crate) limits: Limits,
}

/// Short for operations: a fault is their other outcome.
pub(crate) type Outcome<T = Body> = Result<T, Box<Fault>>;

impl Operations {
    /// Does what is asked and answers, by a fault if need be.
    ///
    /// # Errors
    /// When the answer holds what XML cannot express; nothing that a client sends leads there.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        caller: Caller<'_>,
        request: Message,
    ) -> Result<Answer, EncodeError> {
        let header = request.header.clone();
        let answer = Answer::write(self.kept_or_made(caller, request).await)?;
        if answer.plaintext().len() <= self.max_envelope_size(&header) {
            return Ok(answer);
        }
        if let Body::CreateResponse(response) = &answer.message.body {
            // Nobody would ever know its id.
            self.shells.close(response.shell_id().unwrap_or_default());
        }
        Answer::write(Message::fault(&header, fault::response_too_large()))
    }

    /// The answer to a request, where connections are robust the one kept if it came before (MS-WSMV 3.1.4.1.39).
    async fn kept_or_made(self: &Arc<Self>, caller: Caller<'_>, request: Message) -> Message {
        let (Some(user), true) = (caller.user, self.is_robust(&request.header)) else {
            let mut message = self.make(caller.user, caller.address, request).await;
            // Said only where answers are kept.
            message.header.operation_id = None;
            message.header.sequence_id = None;
            return message;
        };
        let (user, address) = (user.to_owned(), caller.address);
        let header = request.header.clone();
        let answer = match self.kept.ask(&user, &header) {
            None => return self.make(Some(&user), address, request).await,
            Some(Asked::NotNew) => return Message::fault(&header, fault::operation_id_in_use()),
            Some(Asked::Again(answer)) => answer,
            Some(Asked::New(sender, answer)) => {
                let this = Arc::clone(self);
                // Goes on when the connection is cut.
                tokio::spawn(async move {
                    let message = this.make(Some(&user), address, request).await;
                    sender.send_replace(Some(message));
                });
                answer
            }
        };
        kept::fetch(answer).await.unwrap_or_else(|| Message::fault(&header, fault::aborted()))
    }

    fn is_robust(&self, header: &Header) -> bool {
        header.resource_uri.as_ref().is_some_and(|uri| self.custom_shells.contains(uri))
    }

    /// Does what is asked.
    async fn make(&self, user: Option<&str>, address: IpAddr, request: Message) -> Message {
        let Message { header, body } = request;
        let outcome = match self.check(&header, &body) {
            Ok(()) => self.run(Caller { user, address }, &header, body).await,
            Err(fault) => Err(fault),
        };
        match outcome {
            Ok(body) => Message::response(&header, body),
            Err(fault) => Message::fault(&header, *fault),
        }
    }

    /// The size that an answer to this request may have.
    pub(crate) fn max_envelope_size(&self, request: &Header) -> usize {
        let asked = request.max_envelope_size.and_then(|size| usize::try_from(size).ok());
        asked.map_or(self.limits.max_envelope_size, |size| size.min(self.limits.max_envelope_size))
    }

    /// What holds for every request.
    fn check(&self, header: &Header, body: &Body) -> Outcome<()> {
        if !header.unknown.is_empty() {
            return Err(Fault::not_understood().into());
        }
        if matches!(body, Body::Identify) {
            return Ok(());
        }
        let present = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
        for (name, value) in [
            ("Action", &header.action),
            ("To", &header.to),
            ("MessageID", &header.message_id),
            ("ReplyTo", &header.reply_to),
        ] {
            if !present(value) {
                return Err(Fault::header_required(COMPUTER_NAME, name).into());
            }
        }
        for (name, value) in [("ReplyTo", &header.reply_to), ("FaultTo", &header.fault_to)] {
            if value.as_deref().is_some_and(|address| address != uri::ANONYMOUS) {
                return Err(fault::addressing_mode(name).into());
            }
        }
        if header.max_envelope_size.is_some() && self.max_envelope_size(header) < MIN_ENVELOPE_SIZE {
            return Err(fault::max_envelope_size_too_small().into());
        }
        match header.resource_uri.as_deref() {
            None | Some("") => return Err(fault::missing_resource_uri().into()),
            Some(uri::RESOURCE_URI_CMD) => {}
            Some(uri::RESOURCE_URI_CONFIG) if matches!(body, Body::Get) => {}
            Some(_) if matches!(body, Body::Enumerate(_)) && listing::is_list(header) => {}
            Some(custom) if self.custom_shells.iter().any(|uri| uri == custom) => {}
            // A shell goes by the URI that it was created with, and by no other.
            Some(other) if header.shell_id().is_some() && is_shell_uri(other) => {
                return Err(Fault::shell_not_found(COMPUTER_NAME).into());
            }
            Some(_) => return Err(Fault::resource_not_found(COMPUTER_NAME).into()),
        }
        if header.compression_type.is_some() {
            return Err(fault::unsupported_feature("compression is not offered").into());
        }
        request::check_options(header)?;
        Ok(())
    }

    async fn run(&self, caller: Caller<'_>, header: &Header, body: Body) -> Outcome {
        let Some(user) = caller.user else { return identify(None, &body) };
        match body {
            Body::Identify => identify(Some(user), &body),
            Body::Create(shell) => self.create(user, caller.address, header, *shell),
            // To whoever may log on: nobody here is more of an administrator than others.
            Body::Get if header.resource_uri.as_deref() == Some(uri::RESOURCE_URI_CONFIG) => {
                Ok(Body::GetResponse(self.limits.config().to_resource()))
            }
            Body::Delete => {
                let (shell, _) = self.shell(user, header)?;
                self.shells.close(&shell.settings.id);
                Ok(Body::DeleteResponse)
            }
            Body::Command(line) => self.command(user, header, line),
            Body::Receive(receive) => self.receive(user, header, &receive).await,
            Body::Send(send) => self.send(user, header, send).await,
            Body::Signal(signal) => self.signal(user, header, &signal),
            Body::Disconnect(asked) => self.disconnect(user, header, &asked),
            Body::Reconnect => self.reconnect(user, header),
            Body::Connect(asked) => self.connect(user, header, &asked),
            Body::Enumerate(asked) if listing::is_list(header) => self.enumerate(user, header, &asked),
            _ if is_known(header.action()) => Err(fault::action_mismatch().into()),
            _ => Err(Fault::action_not_supported(COMPUTER_NAME, header.action()).into()),
        }
    }

    /// The shell that the selectors name, kept from being idle.
    pub(crate) fn shell(&self, user: &str, header: &Header) -> Outcome<(Arc<Shell>, InUse)> {
        let (shell, in_use) = self.shell_of_any_session(user, header)?;
        if let Some(session_id) = shell.session_id() {
            let same = header.session_id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&session_id));
            if !same {
                return Err(Fault::session_id_mismatch(COMPUTER_NAME).into());
            }
        }
        Ok((shell, in_use))
    }

    /// As [`shell`](Self::shell), for who may come from another session.
    pub(crate) fn shell_of_any_session(&self, user: &str, header: &Header) -> Outcome<(Arc<Shell>, InUse)> {
        let Some(id) = header.shell_id() else { return Err(fault::insufficient_selectors().into()) };
        let only_shell_id = header
            .selectors
            .iter()
            .all(|selector| selector.name.eq_ignore_ascii_case(uri::SELECTOR_SHELL_ID));
        let shell = self.shells.get(id, user).filter(|_| only_shell_id);
        let shell = shell.ok_or_else(|| Fault::shell_not_found(COMPUTER_NAME))?;
        if header.resource_uri.as_ref() != Some(&shell.settings.resource_uri) {
            return Err(Fault::shell_not_found(COMPUTER_NAME).into());
        }
        let in_use = shell.in_use();
        Ok((shell, in_use))
    }

    fn create(&self, user: &str, address: IpAddr, header: &Header, asked: ShellBody) -> Outcome {
        let pool = match (&self.powershell, &asked.creation_xml) {
            (Some(handler), Some(fragments)) if is_powershell(header) => {
                let pool = PowerShellShell::new(Arc::clone(handler), self.limits.max_envelope_size);
                pool.receive(fragments).map_err(|_| Fault::invalid_parameter(COMPUTER_NAME))?;
                Some(pool)
            }
            (Some(_), None) if is_powershell(header) => {
                return Err(Fault::invalid_parameter(COMPUTER_NAME).into());
            }
            (_, Some(_)) => return Err(Fault::resource_not_found(COMPUTER_NAME).into()),
            (_, None) => None,
        };
        let takes =
            |name: &String| name == "stdin" || (pool.is_some() && name == powershell::PROMPT_RESPONSE);
        if !asked.input_streams.iter().all(takes) {
            return Err(fault::invalid_parameter(FaultCode::INVALID_INPUT_STREAM).into());
        }
        if Command::channels(&asked.output_streams).is_none() {
            return Err(fault::invalid_parameter(FaultCode::INVALID_DESIRED_STREAMS).into());
        }
        if asked.environment.iter().any(|variable| variable.name.is_empty() || variable.name.contains('=')) {
            return Err(Fault::invalid_parameter(COMPUTER_NAME).into());
        }
        let id = match &asked.requested_shell_id {
            Some(id) if is_id(id) => id.to_ascii_uppercase(),
            Some(_) => return Err(Fault::invalid_parameter(COMPUTER_NAME).into()),
            None => guid(),
        };
        let codepage = match header.option(uri::OPTION_CODEPAGE) {
            Some(text) => match text.trim().parse() {
                Ok(codepage) => Some(codepage),
                Err(_) => return Err(fault::invalid_option_value(uri::OPTION_CODEPAGE).into()),
            },
            None => None,
        };
        let settings = ShellSettings {
            id: id.clone(),
            resource_uri: header.resource_uri.clone().unwrap_or_default(),
            owner: user.to_owned(),
            session_id: header.session_id.clone(),
            environment: asked.environment.iter().map(|v| (v.name.clone(), v.value.clone())).collect(),
            working_directory: asked.working_directory.clone(),
            codepage,
            no_profile: flag(header, uri::OPTION_NO_PROFILE)?.unwrap_or(false),
            asked_idle_timeout: asked.idle_timeout.map(XsDuration::get),
            idle_timeout: asked.idle_timeout.map_or(self.limits.idle_timeout, XsDuration::get),
            name: asked.name,
            client: address,
            input_streams: asked.input_streams,
            output_streams: asked.output_streams,
        };
        let shell = self.shells.open(settings, pool, &self.limits).map_err(refusal)?;
        let described = describe(&shell);
        Ok(Body::CreateResponse(Box::new(CreateResponse::for_shell(
            header.to.clone().unwrap_or_default(),
            described,
        ))))
    }

    fn command(&self, user: &str, header: &Header, line: CommandLine) -> Outcome {
        let (shell, _in_use) = self.connected(user, header)?;
        // What a pipeline is called does not matter.
        if line.command.trim().is_empty() && shell.powershell.is_none() {
            return Err(Fault::invalid_parameter(COMPUTER_NAME).into());
        }
        let id = match line.command_id {
            Some(id) if is_id(&id) => id,
            Some(_) => return Err(Fault::invalid_parameter(COMPUTER_NAME).into()),
            None => guid(),
        };
        let settings = &shell.settings;
        let invocation = Invocation {
            command: line.command,
            arguments: line.arguments,
            environment: settings.environment.clone(),
            working_directory: settings.working_directory.clone(),
            codepage: settings.codepage,
            no_profile: settings.no_profile,
            console_mode_stdin: flag(header, uri::OPTION_CONSOLE_MODE_STDIN)?.unwrap_or(true),
            skip_cmd_shell: flag(header, uri::OPTION_SKIP_CMD_SHELL)?.unwrap_or(false),
            user: user.to_owned(),
            idle_timeout: settings.asked_idle_timeout,
            session_id: settings.session_id.clone(),
            shell_id: settings.id.clone(),
            command_id: id.clone(),
        };
        let pool = shell.powershell.as_ref().map(|(pool, _)| powershell::Pipelines(Arc::clone(pool)));
        let handler: &dyn Handler = match &pool {
            Some(pipelines) => pipelines,
            None => &*self.handler,
        };
        let command = shell.start(id, handler, invocation, &self.limits).map_err(refusal)?;
        Ok(Body::CommandResponse(CommandResponse { command_id: command.id.clone() }))
    }

    async fn receive(&self, user: &str, header: &Header, receive: &Receive) -> Outcome {
        let (shell, _in_use) = self.connected(user, header)?;
        let mut disconnection = shell.disconnection();
        let of_pool = shell.powershell.as_ref().filter(|_| receive.command_id.is_none());
        let command = match of_pool {
            Some((_, stream)) => Arc::clone(stream),
            None => command_of(&shell, receive.command_id.as_deref())?,
        };
        let desired = Command::channels(&receive.desired_streams).filter(|desired| !desired.is_empty());
        let desired = desired.ok_or_else(|| fault::invalid_parameter(FaultCode::INVALID_DESIRED_STREAMS))?;
        // A pool has no end to wait for.
        let settle = if of_pool.is_some() { Duration::ZERO } else { self.limits.settle };
        // Four characters of base64 carry three bytes.
        let budget = self.max_envelope_size(header).saturating_sub(RECEIVE_OVERHEAD) / 4 * 3;
        let terms = Terms { budget, deadline: self.deadline(header), settle };
        // Held by this request alone, so that deleting the shell ends the wait.
        drop(shell);
        let disconnected = async {
            if disconnection.wait_for(|disconnected| *disconnected).await.is_err() {
                // Deleted, which ends the wait by itself.
                std::future::pending::<()>().await;
            }
        };
        let fetched = tokio::select! {
            fetched = command.output.fetch(&desired, terms) => fetched,
            () = disconnected => return Err(fault::stream_disconnected().into()),
        };
        match fetched {
            Ok(portion) => Ok(Body::ReceiveResponse(receive_response(&command.id, portion))),
            Err(NoPortion::TimedOut) => Err(Fault::timed_out(COMPUTER_NAME).into()),
            Err(NoPortion::Finished) => Err(Fault::command_not_found(COMPUTER_NAME).into()),
            Err(NoPortion::Abandoned) => Err(fault::aborted().into()),
        }
    }

    /// As Windows, goes on with input that it answered a time-out to, and takes none meanwhile.
    async fn send(&self, user: &str, header: &Header, send: Send) -> Outcome {
        let (shell, _in_use) = self.connected(user, header)?;
        let deadline = self.deadline(header);
        if let Some((pool, _)) = &shell.powershell
            && let Some(fragments) = powershell::of_pool(&send)
        {
            let taken = pool.receive(&fragments);
            return taken.map(|()| Body::SendResponse).map_err(|_| fault::broken_pipe().into());
        }
        let Some((command, block, end)) = input_of(&shell, send)? else { return Ok(Body::SendResponse) };
        match command.stdin.send(block, end, deadline).await {
            Ok(()) => Ok(Body::SendResponse),
            Err(SendError::StillWaiting) => Err(Fault::timed_out(COMPUTER_NAME).into()),
            Err(SendError::Busy) => Err(fault::busy().into()),
            Err(SendError::AlreadyEnded) => Err(Fault::invalid_parameter(COMPUTER_NAME).into()),
            // Terminated, or deleted with its shell, while this was held.
            Err(SendError::Closed) if shell.command(&command.id).is_none() => Err(fault::aborted().into()),
            Err(SendError::Closed) => Err(fault::broken_pipe().into()),
        }
    }

    fn signal(&self, user: &str, header: &Header, signal: &Signal) -> Outcome {
        let (shell, _in_use) = self.connected(user, header)?;
        let command = command_of(&shell, signal.command_id.as_deref())?;
        // `Terminate` is how MS-WSMV 2.2.4.38 spells it.
        if signal.code.eq_ignore_ascii_case(uri::SIGNAL_TERMINATE) {
            shell.terminate(&command.id);
        } else if signal.code.eq_ignore_ascii_case(uri::SIGNAL_CTRL_C) {
            command.interrupt(SignalCode::CtrlC);
        } else if signal.code.eq_ignore_ascii_case(uri::SIGNAL_CTRL_BREAK) {
            command.interrupt(SignalCode::CtrlBreak);
        } else if shell.powershell.is_some() {
            // As Windows: its own spelling stops, and everything else closes.
            if signal.code == uri::SIGNAL_POWERSHELL_STOP {
                command.interrupt(SignalCode::CtrlC);
            } else {
                shell.terminate(&command.id);
            }
        } else {
            return Err(Fault::invalid_parameter(COMPUTER_NAME).into());
        }
        Ok(Body::SignalResponse)
    }

    /// When the service has to answer. Longer times than its own are cut, as Windows does.
    fn deadline(&self, header: &Header) -> Instant {
        let asked = header.operation_timeout.map_or(self.limits.max_timeout, XsDuration::get);
        Instant::now() + asked.min(self.limits.max_timeout)
    }
}

fn command_of(shell: &Shell, id: Option<&str>) -> Outcome<Arc<Command>> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        // As Windows answers a Receive without one.
        return Err(Fault::invalid_parameter(COMPUTER_NAME).into());
    };
    Ok(shell.command(id).ok_or_else(|| Fault::command_not_found(COMPUTER_NAME))?)
}

/// The streams of a Send as one block, with whether it is the last, so that it is taken whole or not at all. That is why
/// they must be for one command.
fn input_of(shell: &Shell, send: Send) -> Outcome<Option<(Arc<Command>, Bytes, bool)>> {
    let mut streams = send.streams.into_iter();
    let Some(first) = streams.next() else { return Ok(None) };
    let check = |stream: &Stream| {
        let command = command_of(shell, stream.command_id.as_deref())?;
        let is_prompt_response = shell.powershell.is_some() && stream.name == powershell::PROMPT_RESPONSE;
        if stream.name != "stdin" && !is_prompt_response {
            return Err(fault::invalid_parameter(FaultCode::INVALID_INPUT_STREAM).into());
        }
        Outcome::Ok(command)
    };
    let command = check(&first)?;
    let (mut end, mut data) = (first.end, vec![first.data]);
    for stream in streams {
        if end || check(&stream)?.id != command.id {
            return Err(Fault::invalid_parameter(COMPUTER_NAME).into());
        }
        end = stream.end;
        data.push(stream.data);
    }
    let block = if data.len() == 1 { data.pop().unwrap_or_default() } else { data.concat().into() };
    Ok(Some((command, block, end)))
}

fn refusal(refusal: Refusal) -> Box<Fault> {
    Box::new(match refusal {
        Refusal::Quota(Quota::Shells) => Fault::too_many_shells(COMPUTER_NAME),
        Refusal::Quota(Quota::Processes) => fault::too_many_processes(),
        Refusal::Quota(Quota::Commands) => fault::too_many_commands(),
        Refusal::IdTaken => fault::already_exists(),
    })
}
