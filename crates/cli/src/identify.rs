//! `winrm identify`: what answers there, what it offers, what we would choose, and why not the others.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use winrm::{ErrorKind, IdentifyResponse, Probe, Security, TlsChannel, TlsError};

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
/// The scheme we log on by unless told otherwise.
const NEGOTIATE: &str = "Negotiate";
/// The other one that we speak.
const BASIC: &str = "Basic";
/// What stands for a log-on by a client certificate.
const MUTUAL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";

/// What can be done about a host with Basic over http.
const CLEAR_TEXT: &str = "enable Negotiate on the host, or use https; only if everybody on the network may read all of it: \
     `--auth basic --dangerous-allow-clear-text-basic`";

/// Asks every host; the exit status is 0 when each of them is one that we would log on to.
pub(crate) async fn identify(args: IdentifyArgs) -> Result<i32, Failure> {
    input::read_once(&args.targets, &args.connection, false)?;
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
    let user = match &proof {
        Proof::User(_) => user,
        Proof::Certificate(_) => "whoever the certificate stands for".to_owned(),
    };
    let client = proof.given_to(builder).build()?;
    let identity = client.identify().await;
    client.close().await;
    let security = client.security().ok_or_else(|| Failure::new("nothing was negotiated"));
    Ok(Logon { user, identity: identity?, security: security? })
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
    /// The scheme we are to log on by.
    fn scheme(&self) -> &'static str {
        match self.auth {
            Auth::Negotiate | Auth::Ntlm => NEGOTIATE,
            Auth::Basic => BASIC,
            Auth::Certificate => MUTUAL,
        }
    }

    /// How we would log on; `None` when we cannot.
    fn choice(&self) -> Option<&'static str> {
        let offered = self.probe.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(self.scheme()));
        match self.auth {
            // Windows does not list it among its schemes.
            Auth::Certificate => self.probe.tls.map(|_| "a client certificate"),
            _ if !offered => None,
            Auth::Negotiate => Some("SPNEGO with NTLM"),
            Auth::Ntlm => Some("NTLM without SPNEGO"),
            Auth::Basic if self.probe.tls.is_none() && !self.clear_text => None,
            Auth::Basic => Some("user and password as they are"),
        }
    }

    /// Whether messages would be sealed.
    fn seals(&self) -> bool {
        matches!(self.auth, Auth::Negotiate | Auth::Ntlm)
            && (self.probe.tls.is_none() || self.encryption == Encryption::Always)
    }

    /// Why so: what the choice protects.
    fn reason(&self) -> &'static str {
        match (self.auth, self.probe.tls.is_some(), self.seals()) {
            (Auth::Certificate, ..) => "asked for; nothing secret leaves this side",
            (Auth::Basic, false, _) => {
                "asked for; everybody on the network reads the password and every message"
            }
            (Auth::Basic, ..) => "asked for; TLS protects the password on its way, and the host learns it",
            (_, false, _) => "every message sealed",
            (_, true, false) => "bound to the TLS channel, which protects messages",
            (_, true, true) => "bound to the TLS channel, every message sealed inside it",
        }
    }

    /// Other ways to log on that the host offers, and why we do not take them.
    fn not_chosen(&self) -> Vec<(String, &'static str)> {
        let offers = |name: &str| self.probe.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(name));
        let mut others: Vec<(String, &'static str)> = self
            .probe
            .schemes
            .iter()
            .filter(|scheme| !scheme.eq_ignore_ascii_case(self.scheme()))
            .map(|scheme| (scheme.clone(), why_not(scheme, self.probe.tls.is_some())))
            .collect();
        if offers(NEGOTIATE) && !offers("Kerberos") {
            others.push(("Kerberos in Negotiate".to_owned(), why_not("Kerberos", false)));
        }
        others
    }

    /// Why we would not get anywhere here.
    fn problem(&self) -> Option<Failure> {
        if let Some(untrusted) = &self.untrusted {
            return Some(untrusted.clone());
        }
        match &self.logon {
            Some(Ok(_)) => None,
            Some(Err(failure)) => Some(failure.clone()),
            None if self.choice().is_some() => None,
            None if self.probe.identity.is_none() && self.probe.schemes.is_empty() => Some(
                Failure::new(format!("no WinRM service answers there (HTTP {})", self.probe.status))
                    .with_remedy("check host, port and path: WinRM's own are port 5985 and /wsman"),
            ),
            None if self.auth == Auth::Certificate => {
                Some(Failure::new("client certificates are for https only"))
            }
            None if self.auth == Auth::Basic && self.probe.tls.is_none() && !self.clear_text => Some(
                Failure::new("Basic sends the password readable, so it is used over https only")
                    .with_remedy(CLEAR_TEXT),
            ),
            None if self.auth == Auth::Basic => Some(
                Failure::new("the service does not offer Basic").with_remedy("use Negotiate, which is safer"),
            ),
            None if self.probe.tls.is_none()
                && self.probe.schemes.iter().all(|scheme| scheme.eq_ignore_ascii_case(BASIC)) =>
            {
                let refusal = "the service offers Basic alone, which over http would send the password and every message readable";
                Some(Failure::new(refusal).with_remedy(CLEAR_TEXT))
            }
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
        if let Some(proxy) = &self.probe.proxy {
            line("through", proxy.clone());
        }
        if let Some(tls) = &self.probe.tls {
            line("tls", tls.to_string());
            line("certificate", format!("--pin {}", tls.certificate));
            if let Some(pin) = tls.public_key {
                line("its key", format!("--pin {pin}"));
            }
        }
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
                Some(how) => format!("{}: {how}, {}", self.scheme(), self.reason()),
                None => format!("nothing: we are to speak {} alone", self.scheme()),
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
        member("proxy", json!(probe.proxy));
        member("tls", probe.tls.as_ref().map_or(Value::Null, tls_json));
        member("status", json!(probe.status.as_u16()));
        member("identity", probe.identity.as_ref().map_or(Value::Null, identity_json));
        member("schemes", json!(probe.schemes));
        member(
            "choice",
            match self.choice() {
                Some(how) => json!({
                    "scheme": self.scheme(),
                    "mechanism": how,
                    "sealed": self.seals(),
                    "channel_bound": matches!(self.auth, Auth::Negotiate | Auth::Ntlm) && probe.tls.is_some(),
                    "reason": self.reason(),
                }),
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

fn why_not(scheme: &str, is_tls: bool) -> &'static str {
    match scheme.to_ascii_lowercase().as_str() {
        "kerberos" => "this build does not speak Kerberos",
        "basic" if is_tls => "it hands the password to the host; --auth basic takes it",
        "basic" => "it would send the password readable over http",
        "negotiate" => "another scheme was asked for",
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
    let mut object = json!({
        "scheme": security.scheme,
        "spnego": security.spnego,
        "sealed": security.sealed,
        "channel_bound": security.channel_bound,
    });
    if let (Some(ntlm), Some(members)) = (&security.ntlm, object.as_object_mut()) {
        let mut member = |name: &str, value: Value| members.insert(name.to_owned(), value);
        member("mechanism", json!(ntlm.response.to_string()));
        member("key_bits", json!(ntlm.key_bits()));
        member("mic", json!(ntlm.mic));
        member("signed", json!(ntlm.signs()));
        member("key_exchange", json!(ntlm.exchanges_key()));
        member("extended_session_security", json!(ntlm.has_extended_session_security()));
    }
    object
}

fn tls_json(tls: &TlsChannel) -> Value {
    json!({
        "version": tls.version.to_string(),
        "certificate_pin": tls.certificate.to_string(),
        "public_key_pin": tls.public_key.map(|pin| pin.to_string()),
        "verified": tls.trust.to_string(),
    })
}

fn json_line(mut object: Map<String, Value>, target: &Target, url: &str) -> String {
    object.insert("host".to_owned(), json!(target.label));
    object.insert("url".to_owned(), json!(url));
    format!("{}\n", Value::from(object))
}
