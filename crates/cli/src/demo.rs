//! `winrm demo`: a command on a service of our own, and what crossed the wire.

use std::fmt::Write;

use base64::Engine as _;
use bytes::Bytes;
use winrm::{Client, Credentials, Output, Security};
use winrm_loopback::{Direction, LogEntry, Service};

use crate::hexdump::hexdump;
use crate::report::Failure;
use crate::serve::make_up;

const USER: &str = "demo";
/// Works in every command interpreter.
const COMMAND: &str = "echo Nobody on the wire can read this sentence";
/// What it prints.
const SENTENCE: &str = "Nobody on the wire can read this sentence";
/// Requests of a cold command: two tokens, the second with Create, then Command, Receive, Delete.
const COLD_REQUESTS: usize = 5;
/// Bytes of the sealed request that are shown.
const EXCERPT: usize = 384;
/// Longer header values are cut, in characters.
const HEADER_VALUE: usize = 60;

/// Runs it and proves it: a demonstration that does not hold is a failure.
pub(crate) async fn demo() -> Result<i32, Failure> {
    let password = make_up()?;
    let service = Service::builder()
        .account(USER, &password)
        .capture_wire()
        .start()
        .await
        .map_err(|error| Failure::caused_by("cannot start a service on 127.0.0.1", &error))?;
    let client = Client::builder(service.url())
        .map_err(|error| Failure::new(error.to_string()))?
        .credentials(Credentials::password(USER, &password))
        .build()?;
    let output = client.raw_command(COMMAND).output().await?;
    client.close().await;
    let security = client.security().ok_or_else(|| Failure::new("nothing was negotiated"))?;
    let log = service.log();
    let wire: Vec<_> = service.wire().into_iter().map(|chunk| (chunk.direction, chunk.bytes)).collect();
    let url = service.url();
    service.shutdown().await;

    let mut text = String::new();
    describe_run(&mut text, &url, &output)?;
    describe_security(&mut text, &security)?;
    describe_requests(&mut text, &log)?;
    describe_wire(&mut text, &wire, &[COMMAND, SENTENCE, "CommandLine", &password])?;
    print(&text)?;
    Ok(0)
}

fn describe_run(text: &mut String, url: &str, output: &Output) -> Result<(), Failure> {
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || printed.trim_end() != SENTENCE {
        return Err(Failure::new(format!(
            "the command ended with {} and printed {printed:?}",
            output.status
        )));
    }
    line(text, format_args!("A WinRM service on {url}, user {USER}, with a random password."));
    line(text, format_args!("\n$ {COMMAND}\n{}", printed.trim_end()));
    line(text, format_args!("({})", output.status));
    Ok(())
}

fn describe_security(text: &mut String, security: &Security) -> Result<(), Failure> {
    let says = |yes| if yes { "yes" } else { "no" };
    let ntlm = security
        .ntlm
        .as_ref()
        .ok_or_else(|| Failure::new(format!("the service negotiated only {security}")))?;
    let scheme = if security.spnego { "Negotiate (SPNEGO)" } else { "Negotiate (bare NTLM)" };
    line(text, format_args!("\nNegotiated"));
    line(text, format_args!("  scheme            {scheme}"));
    line(text, format_args!("  mechanism         {}", ntlm.response));
    line(text, format_args!("  key length        {} bit", ntlm.key_bits()));
    line(text, format_args!("  key exchanged     {}", says(ntlm.exchanges_key())));
    line(text, format_args!("  handshake MIC     {}", says(ntlm.mic)));
    line(text, format_args!("  messages signed   {}", says(ntlm.signs())));
    line(text, format_args!("  messages sealed   {}", says(ntlm.seals())));
    let is_strong =
        ntlm.key_bits() == 128 && ntlm.exchanges_key() && ntlm.mic && ntlm.signs() && ntlm.seals();
    if security.spnego && is_strong && ntlm.response.to_string() == "NTLMv2" {
        Ok(())
    } else {
        Err(Failure::new(format!("the service negotiated only {security}")))
    }
}

fn describe_requests(text: &mut String, log: &[LogEntry]) -> Result<(), Failure> {
    line(text, format_args!("\n{} requests", log.len()));
    for (number, entry) in (1..).zip(log) {
        let name = if entry.action_name().is_empty() { "token" } else { entry.action_name() };
        let token = if entry.headers("Authorization").is_empty() { "" } else { ", with a token" };
        let sealed = if entry.sealed { ", sealed" } else { "" };
        line(text, format_args!("  {number}  {name:<8} {:>5} bytes{token}{sealed}", entry.request_body));
    }
    if log.len() != COLD_REQUESTS {
        return Err(Failure::new(format!(
            "a cold command takes {COLD_REQUESTS} requests, not {}",
            log.len()
        )));
    }
    match log.iter().find(|entry| entry.request_body > 0 && !entry.sealed) {
        Some(entry) => Err(Failure::new(format!("request {} was not sealed", entry.sequence))),
        None => Ok(()),
    }
}

/// Shows the request that carried the command, and that none of `secrets` is readable in anything that was sent.
fn describe_wire(text: &mut String, wire: &[(Direction, Bytes)], secrets: &[&str]) -> Result<(), Failure> {
    let not_captured = || Failure::new("what crossed the wire was not captured");
    // Tokens come in the first and second request, the command in the third.
    let mut requests = wire.iter().filter(|(direction, _)| *direction == Direction::Request);
    let bearer = requests.nth(2).and_then(|(_, bytes)| split_head(bytes));
    let (head, body) = bearer.ok_or_else(not_captured)?;
    line(text, format_args!("\nThe request that carried the command, as it crossed the wire"));
    for header in String::from_utf8_lossy(head).lines() {
        line(text, format_args!("  {}", shortened(header)));
    }
    text.push('\n');
    text.push_str(&hexdump(body.get(..EXCERPT).unwrap_or(body), "  "));
    line(text, format_args!("  ... {} bytes in all", body.len()));

    let directions = [Direction::Request, Direction::Response];
    let streams = directions.map(|direction| sent(wire, direction));
    // The search must be able to find what is readable.
    if find(&streams, "POST /wsman").is_none() || find(&streams, "multipart/encrypted").is_none() {
        return Err(not_captured());
    }
    if let Some((secret, form)) = secrets.iter().find_map(|secret| Some((secret, find(&streams, secret)?))) {
        let secret = if *secret == COMMAND || *secret == SENTENCE { *secret } else { "a secret" };
        return Err(Failure::new(format!("{secret:?} can be read on the wire ({form})")));
    }
    let total: usize = streams.iter().map(Vec::len).sum();
    line(
        text,
        format_args!(
            "\nSearched all {total} bytes, both ways, as UTF-8, UTF-16 and base64: neither the command nor its \
             output nor the password is readable."
        ),
    );
    Ok(())
}

/// Everything that went one way.
fn sent(wire: &[(Direction, Bytes)], way: Direction) -> Vec<u8> {
    wire.iter().filter(|(direction, _)| *direction == way).flat_map(|(_, bytes)| bytes.to_vec()).collect()
}

/// The form in which `text` can be read.
fn find(streams: &[Vec<u8>], text: &str) -> Option<&'static str> {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![("UTF-8", text.as_bytes().to_vec()), ("UTF-16", utf16)];
    // Base64 of a text depends on where in its groups of three bytes it begins.
    for skipped in 0..3 {
        let rest = text.as_bytes().get(skipped..).unwrap_or_default();
        let whole = rest.get(..rest.len() / 3 * 3).unwrap_or_default();
        forms.push(("base64", base64::engine::general_purpose::STANDARD.encode(whole).into_bytes()));
    }
    let is_in = |form: &[u8]| {
        !form.is_empty()
            && streams.iter().any(|stream| stream.windows(form.len()).any(|window| window == form))
    };
    forms.iter().find(|(_, form)| is_in(form)).map(|(name, _)| *name)
}

/// The head of an HTTP message, and what follows it.
fn split_head(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((message.get(..end)?, message.get(end + 4..)?))
}

fn shortened(header: &str) -> String {
    let mut characters = header.char_indices();
    match characters.nth(HEADER_VALUE) {
        Some((at, _)) => format!("{}...", header.get(..at).unwrap_or(header)),
        None => header.to_owned(),
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{arguments}");
}

fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| {
        let failure = Failure::caused_by("cannot write standard output", &error);
        if error.kind() == std::io::ErrorKind::BrokenPipe { failure.quiet() } else { failure }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_every_readable_form() {
        let text = "echo a sentence";
        let stream = |bytes: &[u8]| [vec![0xff], bytes.to_vec(), vec![0xff]].concat();
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(find(&[stream(b"")], text), None);
        assert_eq!(find(&[stream(text.as_bytes())], text), Some("UTF-8"));
        assert_eq!(find(&[Vec::new(), stream(&utf16)], text), Some("UTF-16"));
        for before in ["", "x", "xy"] {
            let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{before}{text}yz"));
            assert_eq!(find(&[stream(encoded.as_bytes())], text), Some("base64"), "{before:?}");
        }
    }

    /// Three requests and their answers, these bodies in the last of each.
    fn wire(request: &str, response: &str) -> Vec<(Direction, Bytes)> {
        let message = |first: &str, body: &str| {
            Bytes::from(format!("{first}\r\nContent-Type: multipart/encrypted\r\n\r\n{body}"))
        };
        let bodies = [("", ""), ("", ""), (request, response)];
        let exchange = |(request, response)| {
            [
                (Direction::Request, message("POST /wsman HTTP/1.1", request)),
                (Direction::Response, message("HTTP/1.1 200 OK", response)),
            ]
        };
        bodies.into_iter().flat_map(exchange).collect()
    }

    #[test]
    fn a_readable_wire_is_a_failure() {
        let describe = |wire: &[(Direction, Bytes)]| {
            let mut text = String::new();
            describe_wire(&mut text, wire, &[COMMAND, SENTENCE, "hidden"]).map(|()| text)
        };
        let text = describe(&wire("sealed request", "sealed answer")).unwrap();
        assert!(text.contains("POST /wsman") && text.contains("|sealed request|"), "{text}");
        assert!(describe(&wire(COMMAND, "")).is_err());
        assert!(describe(&wire("", SENTENCE)).is_err());
        let failure = describe(&wire("hidden", "")).unwrap_err();
        assert!(!format!("{failure:?}").contains("hidden"));
        // Nothing found in nothing proves nothing.
        assert!(describe(&[]).is_err());
        assert!(
            describe(&vec![(Direction::Request, Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n")); 3]).is_err()
        );
    }

    #[test]
    fn long_headers_are_cut() {
        assert_eq!(split_head(b"a: b\r\n\r\nbody"), Some((&b"a: b"[..], &b"body"[..])));
        assert_eq!(split_head(b"a: b\r\n"), None);
        assert_eq!(shortened(&"x".repeat(61)), format!("{}...", "x".repeat(60)));
        assert_eq!(shortened("x: y"), "x: y");
    }
}
