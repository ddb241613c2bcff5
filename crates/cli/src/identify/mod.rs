//! `winrm identify`: what answers there, what it offers, what we would choose, and why not the others.

mod judge;
mod show;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use winrm::{ErrorKind, IdentifyResponse, Probe, Security, ServiceConfig, TlsError};

use crate::args::{Auth, Connection, Encryption, IdentifyArgs};
use crate::connect::{self, Proof};
use crate::control::{self, Control, Reason, Wish};
use crate::exit::CLIENT_FAILED;
use crate::input;
use crate::report::Failure;
use crate::settings::{self, Settings};
use crate::target::{self, Target};
use crate::waiting;
use crate::wire_file::WireFile;

/// Hosts asked at the same time.
const AT_ONCE: usize = 16;

/// Asks every host; the exit status is 0 when each of them is one that we would log on to.
pub(crate) async fn identify(args: IdentifyArgs) -> Result<i32, Failure> {
    input::read_once(&args.targets, &args.connection, None)?;
    let settings = Settings::read(&args.connection)?;
    let targets = target::resolve(&args.targets.targets, &settings)?;
    let control = Control::start()?;
    let proofs = if args.print_pins {
        Vec::new()
    } else {
        connect::proofs(&args.connection, &targets, &control).await?
    };
    let trace = connect::wire_file(&args.connection)?;
    connect::warn_of_clear_text(&args.connection, &targets);
    control.end_after(args.connection.timeout);
    let (is_json, several) = (args.targets.json, targets.len() > 1);
    let print_pins = args.print_pins;
    let shared = Arc::new((args.connection, proofs, trace));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = JoinSet::new();
    for (number, target) in targets.iter().cloned().enumerate() {
        let (shared, mut wishes) = (Arc::clone(&shared), control.subscribe());
        let places = Arc::clone(&places);
        asking.spawn(async move {
            // Never closed.
            let _place = places.acquire().await;
            let stopped = async {
                match control::wanted(&mut wishes, |wish| *wish != Wish::Run).await {
                    Wish::Terminate(Reason::Timeout(timeout)) => {
                        Failure::new(format!("no answer within {} s", timeout.as_secs_f64()))
                    }
                    _ => Failure::new("interrupted"),
                }
            };
            let found = tokio::select! {
                found = ask(&shared.0, shared.1.get(number).cloned().flatten(), &target, shared.2.as_ref(), is_json) => found,
                failure = stopped => Err(failure),
            };
            (number, found)
        });
    }
    // In the order the targets were given, whoever answers first.
    let mut answers: Vec<Option<Result<Found, Failure>>> = targets.iter().map(|_| None).collect();
    while let Some(asked) = asking.join_next().await {
        let (number, found) = asked.map_err(|error| Failure::caused_by("a task failed", &error))?;
        if let Some(answer) = answers.get_mut(number) {
            *answer = Some(found);
        }
    }
    let mut all_well = true;
    for (target, answer) in targets.iter().zip(answers.into_iter().flatten()) {
        all_well &= if print_pins {
            show_pin(target, answer, several)?
        } else {
            show(target, answer, is_json, several)?
        };
    }
    Ok(if all_well { 0 } else { CLIENT_FAILED })
}

/// What a host says.
#[derive(Debug)]
struct Found {
    probe: Probe,
    auth: Auth,
    encryption: Encryption,
    /// Why its certificate is not accepted.
    untrusted: Option<Failure>,
    /// Basic may go over http.
    clear_text: bool,
    /// With log-on.
    logon: Option<Result<Logon, Failure>>,
}

#[derive(Debug)]
struct Logon {
    user: String,
    identity: IdentifyResponse,
    security: Security,
    /// Its settings, where the account may read them.
    config: Option<ServiceConfig>,
}

async fn ask(
    connection: &Connection,
    proof: Option<Proof>,
    target: &Target,
    trace: Option<&Arc<WireFile>>,
    is_json: bool,
) -> Result<Found, Failure> {
    let builder = connect::builder(connection, target, trace)?;
    if let Some(limit) = connection.wait {
        waiting::wait(&builder, target, limit, is_json).await?;
    }
    let (probe, untrusted) = match builder.probe().await {
        Ok(probe) => (probe, None),
        // Nothing secret is sent, so that whoever it is may tell about himself; but nobody logs on there.
        Err(error) if is_untrusted(&error) => {
            let anybody = connect::trusting_anybody(connection, target)?;
            (anybody.probe().await?, Some(Failure::from(error)))
        }
        Err(error) => return Err(error.into()),
    };
    let user = connect::user(connection, target).unwrap_or_default().to_owned();
    let logon = match proof {
        Some(proof) if untrusted.is_none() => Some(log_on(builder, proof, user).await),
        _ => None,
    };
    Ok(Found {
        probe,
        auth: connect::auth(connection, target),
        encryption: connect::encryption(connection, target),
        untrusted,
        clear_text: connection.dangers.dangerous_allow_clear_text_basic,
        logon,
    })
}

async fn log_on(builder: winrm::ClientBuilder, proof: Proof, user: String) -> Result<Logon, Failure> {
    let user = if proof.is_certificate() { "whoever the certificate stands for".to_owned() } else { user };
    let client = proof.given_to(builder).build()?;
    let identity = client.identify().await;
    // For administrators only, by default; a service that does not know of it is as good.
    let config = match &identity {
        Ok(_) => client.service_config().await.ok().flatten(),
        Err(_) => None,
    };
    client.close().await;
    let security = client.security().ok_or_else(|| Failure::new("nothing was negotiated"));
    Ok(Logon { user, identity: identity?, security: security?, config })
}

/// Whether the certificate is the problem, and not the way to it.
fn is_untrusted(error: &winrm::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Tls(TlsError::Untrusted { .. } | TlsError::HostName { .. } | TlsError::PinMismatch { .. })
    )
}

/// Prints the line of a pin file; whether there is one. A listener that is known by another pin is told of.
fn show_pin(target: &Target, answer: Result<Found, Failure>, several: bool) -> Result<bool, Failure> {
    let found = answer.and_then(|found| {
        let tls = found.probe.tls.ok_or_else(|| Failure::new("no certificate: it is not an https target"))?;
        match found.untrusted.filter(|_| !target.options.pins.is_empty()) {
            // Who changes pins must mean it.
            Some(mismatch) => Err(mismatch),
            None => Ok(tls.certificate),
        }
    });
    match found {
        Ok(pin) => print(&settings::pin_line(&target.endpoint, pin)).map(|()| true),
        Err(failure) => {
            failure.print(several.then_some(target.label.as_str()));
            Ok(false)
        }
    }
}

/// Prints it; whether we would log on there, and did when we were to.
fn show(
    target: &Target,
    answer: Result<Found, Failure>,
    is_json: bool,
    several: bool,
) -> Result<bool, Failure> {
    let label = several.then_some(target.label.as_str());
    let url = target.endpoint.to_string();
    let (text, problem) = match answer {
        Ok(found) => {
            let problem = found.problem();
            let text = if is_json { found.json(target, &url, problem.as_ref()) } else { found.text(&url) };
            (text, problem)
        }
        Err(failure) if is_json => (show::json_line(failure.json(), target, &url), Some(failure)),
        Err(failure) => (String::new(), Some(failure)),
    };
    print(&text)?;
    match problem {
        None => Ok(true),
        Some(failure) => {
            if !is_json {
                failure.print(label);
            }
            Ok(false)
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| {
        let failure = Failure::caused_by("cannot write standard output", &error);
        if error.kind() == std::io::ErrorKind::BrokenPipe { failure.quiet() } else { failure }
    })
}
