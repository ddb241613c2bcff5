//! One action on every host that was named: how many at once, when to stop, and what became of each.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, json};
use tokio::sync::watch;
use winrm::fleet::{EventKind, Fleet, NotTried, Outcome, Reporter, Summary};
use winrm::{Client, ClientBuilder};

use crate::args::{Connection, FanArgs, Targets};
use crate::connect;
use crate::control::{self, Control, Wish};
use crate::exit;
use crate::input::{self, Input};
use crate::output::{Format, Printer};
use crate::report::{Failure, warn};
use crate::settings::Settings;
use crate::target::{self, Target};
use crate::waiting;

/// How long clean-up may take once commands are to end.
const CLOSE_GRACE: Duration = Duration::from_secs(3);
/// How long clean-up may take on a host that went away: it may have been the connection alone.
const GONE_GRACE: Duration = Duration::from_secs(1);
/// Hosts that a line about those that were not tried names.
const LISTED: usize = 20;

/// The hosts, and who to log on to them as.
pub(crate) struct Hosts {
    named: Vec<Host>,
    control: Control,
    printer: Arc<Printer>,
    fan: FanArgs,
}

/// One host, for an action to act on.
pub(crate) struct Host {
    pub(crate) target: Target,
    /// Its share of standard input, which goes with it: nobody waits for a host that takes none.
    pub(crate) input: Option<Input>,
    pub(crate) printer: Arc<Printer>,
    builder: ClientBuilder,
    control: Control,
    connection: Arc<Connection>,
    timeout: Option<Duration>,
}

/// How an action ended that did what it should.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// With this exit code of a remote command.
    Exited(u32),
    /// The host went away, which was expected; how.
    Disconnected(String),
    /// With these members of a JSON object to tell.
    Told(Map<String, serde_json::Value>),
}

/// How a host failed, once that has been told.
#[derive(Clone, Debug)]
struct Failed {
    /// The remote exit code; none when the client failed.
    code: Option<u32>,
    /// In words that hosts may share.
    cause: String,
    /// Credentials that another host refused kept it from being tried.
    withheld: bool,
}

impl Hosts {
    /// Reads who was named, and asks for passwords.
    pub(crate) async fn read(
        targets: &Targets,
        fan: FanArgs,
        connection: Connection,
        control: Control,
    ) -> Result<Self, Failure> {
        let settings = Settings::read(&connection)?;
        let named = target::resolve(&targets.targets, &settings)?;
        let several = named.len() > 1;
        let named: Vec<_> = match fan.shard {
            Some(shard) => {
                named.into_iter().filter(|target| shard.contains(&target.endpoint.to_string())).collect()
            }
            None => named,
        };
        let proofs = connect::proofs(&connection, &named, &control).await?;
        let proofs = proofs.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
            Failure::new("no user to log on as")
                .with_remedy("give --user, set WINRM_USER, or name one in the config file")
        })?;
        let trace = connect::wire_file(&connection)?;
        connect::warn_of_clear_text(&connection, &named);
        control.end_after(connection.timeout);
        let format = match (targets.json, several) {
            (true, _) => Format::Json,
            (false, false) => Format::Raw,
            (false, true) => Format::Prefixed,
        };
        let bar = (several && format != Format::Json && std::io::stderr().is_terminal())
            .then(|| live_summary(named.len()));
        let printer = Arc::new(Printer::new(format, control.clone(), bar));
        let connection = Arc::new(connection);
        let timeout = fan.host_timeout;
        let mut hosts = Vec::with_capacity(named.len());
        for (target, proof) in named.into_iter().zip(proofs) {
            let builder = proof.given_to(connect::builder(&connection, &target, trace.as_ref())?);
            hosts.push(Host {
                target,
                input: None,
                printer: Arc::clone(&printer),
                builder,
                control: control.clone(),
                connection: Arc::clone(&connection),
                timeout,
            });
        }
        Ok(Self { named: hosts, control, printer, fan })
    }

    /// Hands standard input to each of them.
    pub(crate) async fn feed(&mut self) -> Result<(), Failure> {
        let inputs =
            input::for_hosts(self.named.len(), self.fan.parallel.get(), self.control.clone()).await?;
        for (host, input) in self.named.iter_mut().zip(inputs) {
            host.input = Some(input);
        }
        Ok(())
    }

    /// What they are called, in their order.
    pub(crate) fn labels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.named.iter().map(|host| host.target.label.as_str())
    }

    /// Acts on all of them; the exit status.
    pub(crate) async fn act<F, A>(self, action: F) -> Result<i32, Failure>
    where
        F: Fn(Host, Client, watch::Receiver<Wish>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Ended, Failure>> + Send,
    {
        let Self { named: hosts, control, printer, fan } = self;
        if hosts.is_empty() {
            warn("no target in this shard");
            return Ok(0);
        }
        let labels: Vec<_> = hosts.iter().map(|host| host.target.label.clone()).collect();
        let action = Arc::new(action);
        let mut fleet = Fleet::new(hosts).parallel(fan.parallel.get());
        if let Some(failures) = fan.max_failures() {
            fleet = fleet.max_failures(failures);
        }
        let stopper = fleet.stopper();
        let mut events = fleet.run(move |host: Host, _: Reporter<()>| {
            let action = Arc::clone(&action);
            async move { host.told(&*action).await }
        });
        let mut wishes = control.subscribe();
        let mut summary = Summary::new();
        let mut codes = Vec::with_capacity(labels.len());
        let mut withheld = Vec::new();
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                _ = control::wanted(&mut wishes, |wish| *wish != Wish::Run), if !stopper.is_stopped() => {
                    stopper.stop();
                    continue;
                }
            };
            let Some(event) = event else { break };
            let EventKind::Ended(outcome) = event.kind else { continue };
            let label = labels.get(event.host).map(String::as_str).unwrap_or_default();
            // What it was kept from is not its own failure.
            let outcome = match outcome {
                Outcome::Failed(failed) if failed.withheld => {
                    withheld.push(label);
                    Outcome::NotTried(NotTried::Stopped)
                }
                outcome => outcome,
            };
            codes.push(match &outcome {
                Outcome::Done(code) => Some(*code),
                Outcome::Failed(failed) => failed.code,
                _ => None,
            });
            match &outcome {
                Outcome::Done(_) | Outcome::Failed(_) => {}
                // Of those that were withheld their own end has told.
                Outcome::NotTried(_) if withheld.last() == Some(&label) => {}
                Outcome::NotTried(reason) => not_tried(&printer, label, *reason).await,
                other => {
                    let failure = Failure::new(match other {
                        Outcome::Panicked(message) => format!("a task failed: {message}"),
                        _ => "ended early".to_owned(),
                    });
                    tell_failure(&printer, label, &failure).await;
                }
            }
            summary.record_with(event.host, label, &outcome, |failed| failed.cause.clone());
            printer.counted(&summary);
        }
        printer.clear();
        if labels.len() > 1 {
            tell(&printer, &summary, &withheld).await;
        }
        Ok(exit::of_all(codes))
    }
}

impl Host {
    /// The host, where messages must name it.
    pub(crate) fn shown(&self) -> Option<&str> {
        (self.printer.format() == Format::Prefixed).then_some(&self.target.label)
    }

    /// What stands before messages about it.
    pub(crate) fn prefix(&self) -> String {
        self.shown().map(|host| format!("{host}: ")).unwrap_or_default()
    }

    /// The action, with what is to be told of its end.
    async fn told<F, A>(self, action: &F) -> Result<u32, Failed>
    where
        F: Fn(Self, Client, watch::Receiver<Wish>) -> A,
        A: Future<Output = Result<Ended, Failure>>,
    {
        let (printer, label, prefix) = (Arc::clone(&self.printer), self.target.label.clone(), self.prefix());
        let is_json = printer.format() == Format::Json;
        let endpoint = self.target.endpoint.to_string();
        let ended = self.attempt(action).await;
        let (members, code) = match ended {
            Ok(Ended::Exited(raw)) => {
                if let Some(note) = exit::note(raw).filter(|_| !is_json) {
                    printer.message(&format!("{prefix}{note}"));
                }
                (exit_event(raw), raw)
            }
            Ok(Ended::Disconnected(reason)) => {
                if !is_json {
                    printer.message(&format!("{prefix}disconnected, as expected: {reason}"));
                }
                (disconnect_event(&reason), 0)
            }
            Ok(Ended::Told(members)) => (members, 0),
            Err(failure) => {
                let failed = Failed {
                    code: failure.code(),
                    cause: cause(failure.message(), &endpoint),
                    withheld: failure.is_withheld(),
                };
                // The first refusal has told everything.
                if is_json || !failed.withheld {
                    tell_failure(&printer, &label, &failure).await;
                }
                return Err(failed);
            }
        };
        let unread = is_json && printer.object(&label, members).await.is_err();
        match code {
            // That nobody reads any more has ended the command already.
            _ if unread => {
                Err(Failed { code: None, cause: "standard output was closed".to_owned(), withheld: false })
            }
            0 => Ok(0),
            code => Err(Failed {
                code: Some(code),
                cause: format!("exit code {}", exit::named(code)),
                withheld: false,
            }),
        }
    }

    async fn attempt<F, A>(self, action: &F) -> Result<Ended, Failure>
    where
        F: Fn(Self, Client, watch::Receiver<Wish>) -> A,
        A: Future<Output = Result<Ended, Failure>>,
    {
        let mut wishes = self.control.of_host(self.timeout);
        if let Some(limit) = self.connection.wait {
            let quiet = self.printer.format() == Format::Json;
            tokio::select! {
                waited = Box::pin(waiting::wait(&self.builder, &self.target, limit, quiet)) => waited?,
                wish = control::wanted(&mut wishes, |wish| *wish != Wish::Run) => return Err(stopped(wish)),
            }
        }
        let client = self.builder.clone().build()?;
        let ended = action(self, client.clone(), wishes.clone()).await;
        // The host keeps no shell of ours, unless it does not answer and we are to end.
        let gone = match &ended {
            Ok(Ended::Disconnected(_)) => true,
            Ok(_) => false,
            Err(failure) => failure.is_lost(),
        };
        let impatient = async {
            if gone {
                return tokio::time::sleep(GONE_GRACE).await;
            }
            control::wanted(&mut wishes, |wish| matches!(wish, Wish::Terminate(_))).await;
            tokio::time::sleep(CLOSE_GRACE).await;
        };
        tokio::select! {
            () = client.close() => {}
            () = impatient => {}
        }
        ended
    }
}

/// The message without the host it is about, so that hosts can share it.
fn cause(message: &str, endpoint: &str) -> String {
    message.replace(&format!("{endpoint} "), "").replace(endpoint, "the host")
}

/// Why an action was given up.
pub(crate) fn stopped(wish: Wish) -> Failure {
    match wish {
        Wish::Terminate(reason) => reason.into(),
        Wish::Interrupt | Wish::Run => Failure::new("interrupted before the command was started"),
    }
}

async fn tell_failure(printer: &Printer, label: &str, failure: &Failure) {
    if printer.format() == Format::Json {
        // That nobody reads any more has ended everything already.
        let _ = printer.object(label, failure.json()).await;
    } else {
        printer.failure(failure, (printer.format() == Format::Prefixed).then_some(label));
    }
}

async fn not_tried(printer: &Printer, label: &str, reason: NotTried) {
    if printer.format() == Format::Json {
        let _ = printer.object(label, Failure::new(format!("not tried: {}", why(reason))).json()).await;
    }
}

fn why(reason: NotTried) -> &'static str {
    match reason {
        NotTried::TooManyFailures => "too many hosts had failed",
        NotTried::Stopped => "the rest was stopped",
        NotTried::Cancelled => "the rest was cancelled",
    }
}

/// The table of several hosts, where there is more to say than that all is well.
async fn tell(printer: &Printer, summary: &Summary, withheld: &[&str]) {
    if printer.format() == Format::Json {
        let groups: Vec<_> = summary
            .groups()
            .iter()
            .map(|group| json!({"cause": group.cause, "hosts": group.hosts}))
            .collect();
        let not_tried: Vec<_> =
            summary.not_tried_hosts().into_iter().flat_map(|(_, hosts)| hosts).map(str::to_owned).collect();
        let told = json!({
            "summary": {
                "done": summary.done(),
                "failed": summary.failed() + summary.timed_out(),
                "not_tried": not_tried,
                "causes": groups,
                "seconds": summary.elapsed().as_secs_f64(),
            }
        });
        // That nobody reads any more needs no telling.
        let _ = printer.line(&told.to_string()).await;
    } else if summary.done() < summary.total() {
        printer.message(&summary.to_string());
        if !withheld.is_empty() {
            name_not_tried(printer, "another host refused their credentials", withheld);
        }
        for (reason, mut hosts) in summary.not_tried_hosts() {
            hosts.retain(|host| !withheld.contains(host));
            if !hosts.is_empty() {
                name_not_tried(printer, why(reason), &hosts);
            }
        }
    }
}

fn name_not_tried(printer: &Printer, why: &str, hosts: &[&str]) {
    let named = hosts.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    let more = hosts.len().checked_sub(LISTED).filter(|more| *more > 0);
    let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
    printer.message(&format!("not tried, as {why}: {named}{more}"));
}

fn live_summary(hosts: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(hosts).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{pos}/{len} hosts {bar:30} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn disconnect_event(reason: &str) -> Map<String, serde_json::Value> {
    members([("disconnected", json!(true)), ("reason", json!(reason))])
}

fn exit_event(raw: u32) -> Map<String, serde_json::Value> {
    members([("exit_code", json!(exit::shown(raw))), ("raw_exit_code", json!(raw))])
}

/// Of a JSON object.
pub(crate) fn members<const N: usize>(
    members: [(&str, serde_json::Value); N],
) -> Map<String, serde_json::Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
