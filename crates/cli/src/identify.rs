//! `winrm identify`: what answers there, what it offers, what we would choose, and why not the others.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use winrm::{Credentials, IdentifyResponse, Probe, Security};

use crate::args::{Auth, Connection, IdentifyArgs};
use crate::connect;
use crate::control::{self, Control, Reason, Wish};
use crate::exit::CLIENT_FAILED;
use crate::input;
use crate::report::Failure;
use crate::target::{self, Target};

/// The one scheme we log on by.
const NEGOTIATE: &str = "Negotiate";

/// Asks every host; the exit status is 0 when each of them is one that we would log on to.
pub(crate) async fn identify(args: IdentifyArgs) -> Result<i32, Failure> {
    input::read_once(&args.targets, &args.connection, false)?;
    let targets = target::resolve(&args.targets.targets)?;
    let control = Control::start()?;
    let credentials = connect::credentials(&args.connection, &control).await?;
    control.end_after(args.connection.timeout);
    let (is_json, several) = (args.targets.json, targets.len() > 1);
    let shared = Arc::new((args.connection, credentials));
    let mut asking = JoinSet::new();
    for (number, target) in targets.iter().cloned().enumerate() {
        let (shared, mut wishes) = (Arc::clone(&shared), control.subscribe());
        asking.spawn(async move {
            let stopped = async {
                match control::wanted(&mut wishes, |wish| *wish != Wish::Run).await {
                    Wish::Terminate(Reason::Timeout(timeout)) => {
                        Failure::new(format!("no answer within {} s", timeout.as_secs_f64()))
                    }
                    _ => Failure::new("interrupted"),
                }
            };
            let found = tokio::select! {
                found = ask(&shared.0, shared.1.clone(), &target) => found,
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
        all_well &= show(target, answer, is_json, several)?;
    }
    Ok(if all_well { 0 } else { CLIENT_FAILED })
}

/// What a host says.
#[derive(Debug)]
struct Found {
    probe: Probe,
    auth: Auth,
    /// With log-on.
    logon: Option<Result<Logon, Failure>>,
}

#[derive(Debug)]
struct Logon {
    user: String,
    identity: IdentifyResponse,
    security: Security,
}

async fn ask(
    connection: &Connection,
    credentials: Option<Credentials>,
    target: &Target,
) -> Result<Found, Failure> {
    let builder = connect::builder(connection, target);
    let probe = builder.probe().await?;
    let logon = match credentials {
        Some(credentials) => Some(log_on(builder, credentials, connection).await),
        None => None,
    };
    Ok(Found { probe, auth: connection.auth, logon })
}

async fn log_on(
    builder: winrm::ClientBuilder,
    credentials: Credentials,
    connection: &Connection,
) -> Result<Logon, Failure> {
    let client = builder.credentials(credentials).build()?;
    let identity = client.identify().await;
    client.close().await;
    let security = client.security().ok_or_else(|| Failure::new("nothing was negotiated"));
    Ok(Logon { user: connection.user.clone().unwrap_or_default(), identity: identity?, security: security? })
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
        Err(failure) if is_json => (json_line(failure.json(), target, &url), Some(failure)),
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

impl Found {
    /// How we would log on; `None` when we cannot.
    fn choice(&self) -> Option<&'static str> {
        let offered = self.probe.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(NEGOTIATE));
        offered.then_some(match self.auth {
            Auth::Negotiate => "SPNEGO with NTLM",
            Auth::Ntlm => "NTLM without SPNEGO",
        })
    }

    /// Other ways to log on that the host offers, and why we do not take them.
    fn not_chosen(&self) -> Vec<(String, &'static str)> {
        let offers = |name: &str| self.probe.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(name));
        let mut others: Vec<(String, &'static str)> = self
            .probe
            .schemes
            .iter()
            .filter(|scheme| !scheme.eq_ignore_ascii_case(NEGOTIATE))
            .map(|scheme| (scheme.clone(), why_not(scheme)))
            .collect();
        if offers(NEGOTIATE) && !offers("Kerberos") {
            others.push(("Kerberos in Negotiate".to_owned(), why_not("Kerberos")));
        }
        others
    }

    /// Why we would not get anywhere here.
    fn problem(&self) -> Option<Failure> {
        match &self.logon {
            Some(Ok(_)) => None,
            Some(Err(failure)) => Some(failure.clone()),
            None if self.choice().is_some() => None,
            None if self.probe.identity.is_none() && self.probe.schemes.is_empty() => Some(
                Failure::new(format!("no WinRM service answers there (HTTP {})", self.probe.status))
                    .with_remedy("check host, port and path: WinRM's own are port 5985 and /wsman"),
            ),
            None => Some(Failure::new("the service offers no scheme that this build speaks").with_remedy(
                "enable Negotiate on the host: `winrm set winrm/config/service/auth @{Negotiate=\"true\"}`",
            )),
        }
    }

    fn text(&self, url: &str) -> String {
        let mut text = format!("{url}\n");
        let mut line = |name: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name:<11} {value}");
        };
        let server = self.probe.server.as_deref().unwrap_or("a server without a name");
        line("answers", format!("{server}, HTTP {} without log-on", self.probe.status));
        line(
            "product",
            match &self.probe.identity {
                Some(identity) => product(identity),
                None => "does not identify itself without log-on".to_owned(),
            },
        );
        if let Some(identity) = &self.probe.identity {
            line("protocol", identity.protocol_versions.join(", "));
        }
        let schemes = &self.probe.schemes;
        line("offers", if schemes.is_empty() { "no scheme".to_owned() } else { schemes.join(", ") });
        line(
            "we choose",
            match self.choice() {
                Some(how) => format!("{NEGOTIATE}: {how}, every message sealed"),
                None => "nothing: we speak Negotiate alone".to_owned(),
            },
        );
        for (scheme, reason) in self.not_chosen() {
            line("not", format!("{scheme}: {reason}"));
        }
        if let Some(Ok(logon)) = &self.logon {
            line("logged on", format!("as {}: {}", logon.user, logon.security));
            line("system", product(&logon.identity));
        }
        text
    }

    fn json(&self, target: &Target, url: &str, problem: Option<&Failure>) -> String {
        let probe = &self.probe;
        let others = self.not_chosen().into_iter();
        let mut object = problem.map(Failure::json).unwrap_or_default();
        let mut member = |name: &str, value: Value| object.insert(name.to_owned(), value);
        member("server", json!(probe.server));
        member("status", json!(probe.status.as_u16()));
        member("identity", probe.identity.as_ref().map_or(Value::Null, identity_json));
        member("schemes", json!(probe.schemes));
        member(
            "choice",
            match self.choice() {
                Some(how) => json!({ "scheme": NEGOTIATE, "mechanism": how, "sealed": true }),
                None => Value::Null,
            },
        );
        member(
            "not_chosen",
            others.map(|(scheme, reason)| json!({ "scheme": scheme, "reason": reason })).collect(),
        );
        if let Some(Ok(logon)) = &self.logon {
            member(
                "logon",
                json!({
                    "user": logon.user,
                    "identity": identity_json(&logon.identity),
                    "security": security_json(&logon.security),
                }),
            );
        }
        json_line(object, target, url)
    }
}

fn why_not(scheme: &str) -> &'static str {
    match scheme.to_ascii_lowercase().as_str() {
        "kerberos" => "this build does not speak Kerberos",
        "basic" => "it would send the password readable over http; this build does not speak it",
        "credssp" => "it hands the password to the host; this build does not speak it",
        "digest" => "it cannot seal messages; this build does not speak it",
        "ntlm" => "the same mechanism goes into Negotiate, which WinRM services take",
        _ => "this build does not speak it",
    }
}

fn product(identity: &IdentifyResponse) -> String {
    let parts: Vec<&str> = [&identity.product_vendor, &identity.product_version]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if parts.is_empty() { "does not say".to_owned() } else { parts.join(", ") }
}

fn identity_json(identity: &IdentifyResponse) -> Value {
    json!({
        "product_vendor": identity.product_vendor,
        "product_version": identity.product_version,
        "protocol_versions": identity.protocol_versions,
        "security_profiles": identity.security_profiles,
    })
}

fn security_json(security: &Security) -> Value {
    let ntlm = &security.ntlm;
    json!({
        "scheme": security.scheme,
        "spnego": security.spnego,
        "mechanism": ntlm.response.to_string(),
        "key_bits": ntlm.key_bits(),
        "mic": ntlm.mic,
        "signed": ntlm.signs(),
        "sealed": ntlm.seals(),
        "key_exchange": ntlm.exchanges_key(),
        "extended_session_security": ntlm.has_extended_session_security(),
    })
}

fn json_line(mut object: Map<String, Value>, target: &Target, url: &str) -> String {
    object.insert("host".to_owned(), json!(target.label));
    object.insert("url".to_owned(), json!(url));
    format!("{}\n", Value::from(object))
}
