//! Standard input of a process: gathered into few requests, each as large as the service takes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::sync::{oneshot, watch};
use winrm_wsman::{Body, FaultCode, Message, Send, Stream, uri};

use crate::pipes::INPUT_BYTES;
use crate::running::{Exit, Remote};

/// Between two attempts to hand over input that the service is not ready for.
const BUSY_PAUSE: Duration = Duration::from_millis(200);
/// Room for what the service may count beside the envelope.
const ENVELOPE_SLACK: usize = 512;
/// Of input in one request, however little the service takes.
const MIN_SEND_BYTES: usize = 1024;

impl Remote {
    /// Hands input over.
    pub(crate) async fn send(&self, data: Bytes, end: bool) -> Result<(), winrm_transport::Error> {
        self.shell.request(uri::ACTION_SEND, Vec::new(), self.send_body(data, end)).await.map(|_| ())
    }

    fn send_body(&self, data: Bytes, end: bool) -> Body {
        let stream =
            Stream { name: "stdin".to_owned(), command_id: Some(self.command_id.clone()), end, data };
        Body::Send(Send { streams: vec![stream] })
    }

    /// How many bytes of input one request can carry: what the service takes, less the envelope around it, and four
    /// characters of base64 carry three bytes.
    fn send_budget(&self) -> usize {
        let header = self.shell.header(uri::ACTION_SEND);
        let around = Message::new(header, self.send_body(Bytes::new(), true)).encode();
        let around = around.map_or(0, |envelope| envelope.len()).saturating_add(ENVELOPE_SLACK);
        let room = self.client().max_request_size().saturating_sub(around);
        (room / 4 * 3).clamp(MIN_SEND_BYTES, INPUT_BYTES)
    }

    /// Hands input over in as many requests as the service's MaxEnvelopeSize asks for. A request that was refused for its
    /// size was not taken: its content goes again in smaller ones.
    async fn hand_over_all(&self, mut data: Bytes, end: bool) -> Result<(), winrm_transport::Error> {
        loop {
            let mut rest = data.clone();
            let block = rest.split_to(self.send_budget().min(rest.len()));
            let last = rest.is_empty();
            let len = block.len();
            match self.hand_over(block, end && last).await {
                Ok(()) if last => return Ok(()),
                Ok(()) => data = rest,
                // Known by now to be too much.
                Err(error) if error.is_request_too_large() && self.send_budget() < len => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands one block of input over, however long the process takes to read it.
    async fn hand_over(&self, data: Bytes, end: bool) -> Result<(), winrm_transport::Error> {
        loop {
            match self.send(data.clone(), end).await {
                Err(error) => match error.fault_code() {
                    // The service has taken the block and goes on handing it over: sent again, it would arrive twice.
                    Some(FaultCode::TIMED_OUT) => return Ok(()),
                    // It is still at the block before, and has not taken this one.
                    Some(FaultCode::BUSY) if !self.finished.load(Ordering::Acquire) => {
                        tokio::time::sleep(BUSY_PAUSE).await;
                    }
                    _ => return Err(error),
                },
                Ok(()) => return Ok(()),
            }
        }
    }
}

/// Hands over what the caller writes, in few requests, and its end.
pub(crate) async fn pump(
    remote: Arc<Remote>,
    preamble: Bytes,
    mut source: Option<DuplexStream>,
    mut exited: watch::Receiver<Option<Exit>>,
    refused: oneshot::Sender<winrm_transport::Error>,
) {
    let mut data = BytesMut::from(preamble);
    loop {
        let room = remote.send_budget().saturating_sub(data.len());
        data.reserve(room);
        let mut end = source.is_none();
        if let Some(source) = &mut source {
            if data.is_empty() {
                let read = tokio::select! {
                    read = source.read_buf(&mut data) => read,
                    _ = exited.wait_for(Option::is_some) => return,
                };
                end = matches!(read, Ok(0) | Err(_));
            }
            // What is there already goes along, the end too.
            while !end && data.len() < data.capacity() {
                match read_now(source, &mut data).await {
                    Some(read) => end = matches!(read, Ok(0) | Err(_)),
                    None => break,
                }
            }
        }
        match remote.hand_over_all(data.split().freeze(), end).await {
            Ok(()) if end => return,
            Ok(()) => {}
            // Dropping `source` tells the caller by a broken pipe, as a local process does that closed its input.
            Err(error) if error.fault_code().is_some_and(FaultCode::is_input_closed) => return,
            Err(error) => {
                drop(refused.send(error));
                return;
            }
        }
    }
}

/// What can be read without waiting.
async fn read_now(source: &mut DuplexStream, data: &mut BytesMut) -> Option<std::io::Result<usize>> {
    let mut reading = pin!(source.read_buf(data));
    poll_fn(|cx| {
        Poll::Ready(match reading.as_mut().poll(cx) {
            Poll::Ready(read) => Some(read),
            Poll::Pending => None,
        })
    })
    .await
}
