//! Our side of a pipe to another implementation of NTLM and SPNEGO.
//!
//! ```text
//! interop-peer initiator|acceptor [--bare] [--no-timestamp] USER PASSWORD
//!
//! step HEX|-          ->  continue HEX | established HEX|-
//! wrap HEX            ->  wrapped HEADER MESSAGE
//! unwrap HEADER HEX   ->  plain HEX
//! ```
//!
//! One line in, one line out, bytes in hex, `-` for no token. Whatever fails answers `error` and the chain of reasons.
//! `--bare` leaves SPNEGO out on the initiator's side; the acceptor recognises it. `--no-timestamp` makes an acceptor
//! of the time before MsvAvTimestamp, which is answered without a MIC.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use winrm_ntlm::av_pair::AvId;
use winrm_ntlm::message::ChallengeMessage;
use winrm_ntlm::{Credentials, Fresh, client, server};
use winrm_spnego::{Acceptor, Initiator, Mechanism, MechanismError, ObjectIdentifier, Progress, Step, oid};
use winrm_transport::auth::{Accounts, NtlmAcceptor, NtlmInitiator};

const USAGE: &str = "usage: interop-peer initiator|acceptor [--bare] [--no-timestamp] USER PASSWORD";

type Answer = Result<String, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, positional): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with("--"));
    let has = |option| options.contains(&option);
    let mut peer = match positional.as_slice() {
        ["initiator", user, password] => Peer::initiator(user, password, has("--bare")),
        ["acceptor", user, password] => Peer::acceptor(user, password, has("--no-timestamp")),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    for line in std::io::stdin().lock().lines() {
        let answer = line.map_err(Into::into).and_then(|line| peer.answer(&line));
        let answer = answer.unwrap_or_else(|error| format!("error {}", chain(&*error)));
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

enum Peer {
    Initiator(Initiator<NtlmInitiator>),
    Acceptor(Acceptor<Box<dyn Mechanism>>),
}

impl Peer {
    fn initiator(user: &str, password: &str, bare: bool) -> Self {
        let config = client::Config::default().target_name("HTTP/localhost").workstation("PIPE");
        let ntlm = NtlmInitiator::new(Credentials::password(user, password), config);
        Self::Initiator(if bare { Initiator::bare(ntlm) } else { Initiator::new(vec![ntlm]) })
    }

    fn acceptor(user: &str, password: &str, no_timestamp: bool) -> Self {
        let known = Credentials::password(user, password);
        let accounts: Arc<dyn Accounts> = Arc::new(move |_domain: &str, name: &str| {
            name.eq_ignore_ascii_case(known.user_name()).then(|| known.clone())
        });
        let config = server::Config::new("PIPE");
        let ntlm: Box<dyn Mechanism> = if no_timestamp {
            Box::new(WithoutTimestamp { start: Some((accounts, config)), ntlm: None })
        } else {
            Box::new(NtlmAcceptor::new(accounts, config))
        };
        Self::Acceptor(Acceptor::new(vec![ntlm]))
    }

    fn answer(&mut self, line: &str) -> Answer {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (words.as_slice(), self) {
            (["step", "-"], Self::Initiator(initiator)) => Ok(progress(&initiator.step(None)?)),
            (["step", token], Self::Initiator(initiator)) => {
                Ok(progress(&initiator.step(Some(&unhex(token)?))?))
            }
            (["step", token], Self::Acceptor(acceptor)) => Ok(progress(&acceptor.step(&unhex(token)?)?)),
            (["wrap", message], peer) => {
                let mut message = unhex(message)?;
                let header = match peer {
                    Self::Initiator(initiator) => initiator.wrap(&mut message)?,
                    Self::Acceptor(acceptor) => acceptor.wrap(&mut message)?,
                };
                Ok(format!("wrapped {} {}", hex(&header), hex(&message)))
            }
            (["unwrap", header, message], peer) => {
                let (header, mut message) = (unhex(header)?, unhex(message)?);
                match peer {
                    Self::Initiator(initiator) => initiator.unwrap(&header, &mut message)?,
                    Self::Acceptor(acceptor) => acceptor.unwrap(&header, &mut message)?,
                }
                Ok(format!("plain {}", hex(&message)))
            }
            _ => Err(format!("no such request: {line}").into()),
        }
    }
}

fn progress(progress: &Progress) -> String {
    match progress {
        Progress::Continue(token) => format!("continue {}", hex(token)),
        Progress::Established(Some(token)) => format!("established {}", hex(token)),
        Progress::Established(None) => "established -".to_owned(),
    }
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text.replace('\n', " ")
}

fn hex(bytes: &[u8]) -> String {
    // A word of its own, even for nothing.
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, MechanismError> {
    let text = if text == "-" { "" } else { text };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err("half a byte of hex".into());
    }
    let byte = |pair: &[u8; 2]| Ok(u8::from_str_radix(str::from_utf8(pair)?, 16)?);
    pairs.iter().map(byte).collect()
}

/// Our acceptor with the timestamp taken out of its CHALLENGE.
struct WithoutTimestamp {
    start: Option<(Arc<dyn Accounts>, server::Config)>,
    ntlm: Option<NtlmAcceptor>,
}

impl WithoutTimestamp {
    fn challenge(&mut self, negotiate: &[u8]) -> Result<Vec<u8>, MechanismError> {
        let (accounts, config) = self.start.take().ok_or("stepped twice")?;
        let (_, challenge) = server::Start::new(config.clone()).challenge(negotiate, &Fresh::generate()?)?;
        let mut challenge = ChallengeMessage::decode(&challenge)?;
        let mut pairs = challenge.av_pairs()?;
        pairs.0.retain(|pair| pair.id != AvId::TIMESTAMP);
        challenge.target_info = pairs.encode()?;
        let challenge = challenge.encode()?;
        let waiting = server::AwaitAuthenticate::resume(config, negotiate, &challenge)?;
        self.ntlm = Some(NtlmAcceptor::resume(accounts, waiting));
        Ok(challenge)
    }

    fn ntlm(&mut self) -> Result<&mut NtlmAcceptor, MechanismError> {
        self.ntlm.as_mut().ok_or_else(|| "no challenge was sent".into())
    }
}

impl Mechanism for WithoutTimestamp {
    fn mech_type(&self) -> ObjectIdentifier {
        oid::NTLMSSP
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        match (&mut self.ntlm, token) {
            (Some(ntlm), token) => ntlm.step(token),
            (None, Some(negotiate)) => self.challenge(negotiate).map(Step::Continue),
            (None, None) => Err("an acceptor waits for a token".into()),
        }
    }

    fn requires_mech_list_mic(&self) -> bool {
        self.ntlm.as_ref().is_some_and(Mechanism::requires_mech_list_mic)
    }

    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        self.ntlm()?.sign_mech_list(mech_types)
    }

    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        self.ntlm()?.verify_mech_list(mech_types, mic)
    }

    fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        self.ntlm()?.wrap(message)
    }

    fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError> {
        self.ntlm()?.unwrap(header, message)
    }
}
