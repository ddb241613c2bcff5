//! Our side of a pipe to another implementation of the PowerShell remoting protocol.
//!
//! `psrp-peer client` opens pools and runs pipelines as it is told; `psrp-peer server` has a few commands of its own. One JSON object a
//! line in, with what to do in `do`; one out, with `sent`, pairs of a pipeline's id (or null) and fragments in base64, and with `events`, or
//! with `error`.

mod client;
mod server;
mod values;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use winrm_psrp::uuid::Uuid;

/// Fragments are cut to this, so that messages come in pieces.
const PAYLOAD: usize = 700;

type Failure = Box<dyn Error + Send + Sync>;
/// Fragments, and the pipeline that they belong to.
type Payload = (Option<Uuid>, Vec<u8>);

/// A state machine that does what it is told.
trait Peer {
    /// Does it; what came of it.
    fn act(&mut self, request: &Value) -> Result<Vec<Value>, Failure>;
    /// The next one for the other side.
    fn payload(&mut self) -> Result<Option<Payload>, Failure>;
}

fn main() -> ExitCode {
    let mut peer: Box<dyn Peer> = match std::env::args().nth(1).as_deref() {
        Some("client") => Box::new(client::Client::new()),
        Some("server") => Box::new(server::Server::new()),
        _ => {
            eprintln!("usage: psrp-peer client|server");
            return ExitCode::from(2);
        }
    };
    for line in std::io::stdin().lock().lines() {
        let answer = line.map_err(Into::into).and_then(|line| answer(&mut *peer, &line));
        let answer = answer.unwrap_or_else(|error| json!({ "error": chain(&*error) }));
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn answer(peer: &mut dyn Peer, line: &str) -> Result<Value, Failure> {
    let events = peer.act(&serde_json::from_str(line)?)?;
    let mut sent = Vec::new();
    while let Some((pipeline, payload)) = peer.payload()? {
        sent.push(json!([pipeline.map(|id| id.to_string()), STANDARD.encode(&payload)]));
    }
    Ok(json!({ "events": events, "sent": sent }))
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
