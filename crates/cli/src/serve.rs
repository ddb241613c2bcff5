//! `winrm serve`: a service on the loopback address, to test against.

use std::io::Write;

use serde_json::json;
use winrm_loopback::{Builtin, Service};
use zeroize::Zeroizing;

use crate::args::ServeArgs;
use crate::control::{self, Control, Wish};
use crate::password;
use crate::report::{Failure, warn};

/// Characters that nobody mistakes for each other; 32, so that each takes five bits evenly.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Of a password made up, in characters: 120 bits.
const LENGTH: usize = 24;

/// Serves until a signal ends it.
pub(crate) async fn serve(args: ServeArgs) -> Result<i32, Failure> {
    let given = password::from_environment()?;
    let is_made_up = given.is_none();
    let password = given.map_or_else(make_up, Ok)?;
    let control = Control::start()?;

    let builder = Service::builder().account(&args.user, &password).powershell(Builtin);
    let builder = if args.channel.tls { builder.self_signed_tls().basic() } else { builder };
    let mut builder =
        if args.channel.dangerous_clear_text_basic { builder.dangerous_clear_text_basic() } else { builder };
    for file in &args.channel.client_certificate {
        let certificate = std::fs::read(file)
            .map_err(|error| Failure::caused_by(format!("cannot read {}", file.display()), &error))?;
        builder = builder
            .client_certificate_file(&certificate, &args.user)
            .map_err(|error| Failure::caused_by(format!("{}", file.display()), &error))?;
    }
    let builder =
        if args.channel.require_channel_binding { builder.require_channel_binding() } else { builder };
    let builder = if args.dangerous_listen_beyond_loopback {
        warn("other machines may reach this service: whoever has the password runs commands here");
        builder.dangerously_listen_beyond_loopback(args.listen)
    } else if args.listen.ip().is_loopback() {
        builder.listen(args.listen)
    } else {
        return Err(Failure::new(format!("{} is not a loopback address", args.listen.ip())).with_remedy(
            "listen on 127.0.0.1 or [::1], or accept by --dangerous-listen-beyond-loopback that other machines \
             reach it",
        ));
    };
    let service = builder
        .start()
        .await
        .map_err(|error| Failure::caused_by(format!("cannot listen on {}", args.listen), &error))?;
    let pin = service.pin().map(|pin| pin.to_string());
    announce(&args, &service.url(), &password, is_made_up, pin.as_deref())
        .map_err(|error| Failure::caused_by("cannot write standard output", &error))?;

    // The first signal of any kind is enough.
    control::wanted(&mut control.subscribe(), |wish| *wish != Wish::Run).await;
    service.shutdown().await;
    Ok(0)
}

/// In one write: readers may take the first line and go.
fn announce(
    args: &ServeArgs,
    url: &str,
    password: &str,
    is_made_up: bool,
    pin: Option<&str>,
) -> std::io::Result<()> {
    let user = &args.user;
    let text = if args.json {
        match pin {
            Some(pin) => json!({ "url": url, "user": user, "password": password, "pin": pin }),
            None => json!({ "url": url, "user": user, "password": password }),
        }
        .to_string()
    } else {
        let pin = pin.map(|pin| format!(" with --pin {pin}")).unwrap_or_default();
        let password = if is_made_up { format!("\npassword: {password}") } else { String::new() };
        format!("listening on {url} as {user}{pin}{password}")
    };
    let text = Zeroizing::new(text + "\n");
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// A random password.
pub(crate) fn make_up() -> Result<Zeroizing<String>, Failure> {
    let mut random = Zeroizing::new([0; LENGTH]);
    getrandom::fill(&mut *random)
        .map_err(|error| Failure::new(format!("the operating system gives no random numbers: {error}")))?;
    let character = |byte: &u8| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).copied().map(char::from);
    Ok(Zeroizing::new(random.iter().filter_map(character).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_made_up_anew() {
        let (one, other) = (make_up().unwrap(), make_up().unwrap());
        assert_eq!(one.len(), LENGTH);
        assert!(one.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(*one, *other);
    }
}
