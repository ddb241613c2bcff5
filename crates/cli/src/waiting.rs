//! `--wait`: until a host answers.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use winrm::ClientBuilder;

use crate::report::{Failure, to_stderr, warn};
use crate::target::Target;

/// How long `--wait` without a time waits.
pub(crate) const DEFAULT: &str = "300";

/// Waits until `target` answers. `quiet` says nothing meanwhile.
///
/// On a terminal one line says for how long, and is taken back; elsewhere a line tells of the beginning, and one of the
/// end.
pub(crate) async fn wait(
    builder: &ClientBuilder,
    target: &Target,
    limit: Duration,
    quiet: bool,
) -> Result<(), Failure> {
    let started = Instant::now();
    let in_place = !quiet && std::io::stderr().is_terminal();
    let mut attempts = 0_u32;
    let ended = builder
        .wait_until_ready(limit, |error| {
            attempts += 1;
            tracing(error);
            let waited = started.elapsed().as_secs();
            if in_place {
                to_stderr(&format!("\r\x1b[Kwaiting for {}: {waited} s", target.label));
            } else if attempts == 1 && !quiet {
                warn(&format!("waiting for {}, {} s at most", target.label, limit.as_secs()));
            }
        })
        .await;
    if in_place && attempts > 0 {
        to_stderr("\r\x1b[K");
    }
    match ended {
        Ok(_) => {
            if !quiet && !in_place && attempts > 0 {
                warn(&format!("{} answers after {} s", target.label, started.elapsed().as_secs()));
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn tracing(error: &winrm::Error) {
    tracing::debug!(endpoint = %error.endpoint(), %error, "not yet");
}
