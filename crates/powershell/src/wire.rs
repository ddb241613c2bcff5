//! The requests of a runspace pool (MS-PSRP 3.1.5.3, MS-WSMV 3.1.4.5.3).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use uuid::Uuid;
use winrm_transport::Client;
use winrm_wsman::{
    Body, CommandLine, Connect, Disconnect, Header, Message, Receive, ReceiveResponse, Selector, Send, Shell,
    Signal, Stream, WsOption, XsDuration, message_id, uri,
};

/// Bytes of an envelope beside the fragments in it, generously.
const ENVELOPE: usize = 4 * 1024;
/// What a service accepts that accepts anything: the least room for fragments.
const MIN_ROOM: usize = 1024;
/// What the command of a pipeline is called: nobody reads it.
const COMMAND: &str = "Invoke-Expression";

/// Between answers to Receive with nothing in them.
pub(crate) const EMPTY_ANSWER_PAUSE: Duration = Duration::from_millis(100);

pub(crate) const STDIN: &str = "stdin";
/// Answers to calls of hosts: prompt responses.
pub(crate) const PROMPT_RESPONSE: &str = "pr";

type Answer<T> = Result<T, winrm_transport::Error>;

/// What every request to the pool needs.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) client: Client,
    resource_uri: String,
    session_id: String,
    /// As the service writes it.
    shell_id: String,
}

/// As Windows writes them.
pub(crate) fn upper(id: Uuid) -> String {
    id.hyphenated().to_string().to_uppercase()
}

impl Wire {
    pub(crate) fn new(client: &Client, configuration: &str, id: Uuid) -> Self {
        let resource_uri = if configuration.starts_with("http") {
            configuration.to_owned()
        } else {
            format!("{}/{configuration}", uri::NS_POWERSHELL)
        };
        Self { client: client.clone(), resource_uri, session_id: message_id(), shell_id: upper(id) }
    }

    /// Bytes of fragments that fit into a request: base64 makes four of three.
    pub(crate) fn room(&self) -> usize {
        (self.client.max_request_size().saturating_sub(ENVELOPE) / 4 * 3).max(MIN_ROOM)
    }

    fn header(&self, action: &str) -> Header {
        let mut header = self.client.robust_header(&self.resource_uri, action);
        header.session_id = Some(self.session_id.clone());
        if action != uri::ACTION_CREATE {
            header.selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, &self.shell_id)];
        }
        header
    }

    async fn request(&self, header: Header, body: Body) -> Answer<Message> {
        self.client.request(Message::new(header, body)).await
    }

    fn with_protocol(&self, action: &str) -> Header {
        let mut header = self.header(action);
        let mut option = WsOption::new("protocolversion", "2.3");
        option.must_comply = true;
        header.options = vec![option];
        header
    }

    pub(crate) async fn create(
        &mut self,
        name: Option<&str>,
        idle_timeout: Option<Duration>,
        fragments: Bytes,
    ) -> Answer<()> {
        let body = Shell {
            requested_shell_id: Some(self.shell_id.clone()),
            // OMI wants one.
            name: Some(name.unwrap_or("Runspace").to_owned()),
            idle_timeout: idle_timeout.and_then(|timeout| XsDuration::try_from(timeout).ok()),
            input_streams: vec![STDIN.to_owned(), PROMPT_RESPONSE.to_owned()],
            output_streams: vec!["stdout".to_owned()],
            creation_xml: Some(fragments),
            ..Shell::default()
        };
        let header = self.with_protocol(uri::ACTION_CREATE);
        let answer = self.request(header, Body::Create(Box::new(body))).await?;
        let Body::CreateResponse(created) = answer.body else {
            return Err(self.client.unexpected(&answer.header));
        };
        if let Some(id) = created.shell_id() {
            id.clone_into(&mut self.shell_id);
        }
        Ok(())
    }

    pub(crate) async fn connect(&self, fragments: Bytes) -> Answer<Bytes> {
        let header = self.with_protocol(uri::ACTION_CONNECT);
        let body = Connect { command_id: None, connect_xml: Some(fragments) };
        let answer = self.request(header, Body::Connect(body)).await?;
        match answer.body {
            Body::ConnectResponse(response) => Ok(response.connect_response_xml.unwrap_or_default()),
            _ => Err(self.client.unexpected(&answer.header)),
        }
    }

    /// Connects to a pipeline of a pool that was connected to.
    pub(crate) async fn connect_command(&self, pipeline: Uuid) -> Answer<()> {
        let body = Connect { command_id: Some(upper(pipeline)), connect_xml: None };
        self.request(self.header(uri::ACTION_CONNECT), Body::Connect(body)).await.map(drop)
    }

    pub(crate) async fn disconnect(&self) -> Answer<()> {
        let body = Body::Disconnect(Disconnect::default());
        self.request(self.header(uri::ACTION_DISCONNECT), body).await.map(drop)
    }

    pub(crate) async fn reconnect(&self) -> Answer<()> {
        self.request(self.header(uri::ACTION_RECONNECT), Body::Reconnect).await.map(drop)
    }

    /// Starts a pipeline with its first fragments.
    pub(crate) async fn command(&self, id: Uuid, fragments: &[u8]) -> Answer<()> {
        let line = CommandLine {
            command: COMMAND.to_owned(),
            arguments: vec![STANDARD.encode(fragments)],
            command_id: Some(upper(id)),
        };
        self.request(self.header(uri::ACTION_COMMAND), Body::Command(line)).await.map(drop)
    }

    /// Output of the pool, or of a pipeline.
    pub(crate) async fn receive(&self, pipeline: Option<Uuid>) -> Answer<ReceiveResponse> {
        let mut header = self.header(uri::ACTION_RECEIVE);
        header.options = vec![WsOption::new(uri::OPTION_KEEP_ALIVE, "TRUE")];
        let body = Receive { command_id: pipeline.map(upper), desired_streams: vec!["stdout".to_owned()] };
        let answer = self.request(header, Body::Receive(body)).await?;
        match answer.body {
            Body::ReceiveResponse(response) => Ok(response),
            _ => Err(self.client.unexpected(&answer.header)),
        }
    }

    pub(crate) async fn send(&self, pipeline: Option<Uuid>, stream: &str, data: Bytes) -> Answer<()> {
        let stream = Stream { name: stream.to_owned(), command_id: pipeline.map(upper), end: false, data };
        let body = Body::Send(Send { streams: vec![stream] });
        self.request(self.header(uri::ACTION_SEND), body).await.map(drop)
    }

    pub(crate) async fn signal(&self, pipeline: Uuid, code: &str) -> Answer<()> {
        let body = Body::Signal(Signal { command_id: Some(upper(pipeline)), code: code.to_owned() });
        forget_if_gone(self.request(self.header(uri::ACTION_SIGNAL), body).await)
    }

    pub(crate) async fn delete(&self) -> Answer<()> {
        forget_if_gone(self.request(self.header(uri::ACTION_DELETE), Body::Delete).await)
    }
}

/// What is gone needs no end.
fn forget_if_gone(answer: Answer<Message>) -> Answer<()> {
    match answer {
        Err(error) if error.is_shell_gone() => Ok(()),
        answer => answer.map(drop),
    }
}
