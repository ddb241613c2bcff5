//! One conversation with one fault, and what must hold of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use winrm_shell::{Command, Error};
use winrm_transport::{Client, Credentials, ErrorKind};

use crate::conversation::{Conversation, FIRST, Outcome, PASSWORD, SECOND, USER, service};
use crate::link::{Direction, Fault, Link};

/// Within this every conversation ends: the longest of its deadlines (a Receive, 30 s; 5 s of grace for refused input;
/// retries of what may be repeated, 60 s and one more exchange) and the few seconds that it takes itself.
const END: Duration = Duration::from_secs(150);
/// Closing waits ten seconds at most.
const CLOSED: Duration = Duration::from_secs(11);
/// After this a shell that nobody could delete has deleted itself.
const IDLE: Duration = Duration::from_hours(3);
/// What hangs although the clock runs has no deadline at all.
const WATCHDOG: Duration = Duration::from_mins(1);

/// A conversation, and where it breaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) conversation: Conversation,
    pub(crate) fault: Option<Fault>,
    /// Afterwards the same client is used again.
    pub(crate) again: bool,
}

/// What a whole conversation looks like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) requests: usize,
    pub(crate) responses: usize,
    /// Where messages begin and end.
    pub(crate) turns: Vec<(Direction, usize)>,
}

impl Case {
    /// Runs it on a runtime of its own, whose clock goes on when nothing else does.
    pub(crate) fn run(self) -> Shape {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (done, watched) = std::sync::mpsc::channel::<()>();
        let watchdog = std::thread::spawn(move || {
            if watched.recv_timeout(WATCHDOG) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{self:?} hangs");
                std::process::abort();
            }
        });
        let shape = runtime.block_on(self.check());
        drop(done);
        watchdog.join().unwrap();
        shape
    }

    /// What a conversation that is lost hands over.
    pub(crate) fn partial_output(self) -> Vec<u8> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (builder, _) = service();
            let service = Arc::new(builder.start().await.unwrap());
            let link = Link::new(Arc::clone(&service), self.fault);
            let client = Client::builder("host.test")
                .unwrap()
                .credentials(Credentials::password(USER, PASSWORD))
                .connector(link)
                .build()
                .unwrap();
            match self.conversation.hold(&client).await {
                Err(error) => error.partial_output().map(|output| output.stdout.clone()).unwrap_or_default(),
                Ok(_) => panic!("{self:?}: not lost"),
            }
        })
    }

    async fn check(self) -> Shape {
        let (builder, started) = service();
        let service = Arc::new(builder.start().await.unwrap());
        let link = Link::new(Arc::clone(&service), self.fault);
        let client = Client::builder("host.test")
            .unwrap()
            .credentials(Credentials::password(USER, PASSWORD))
            .connector(link.clone())
            .build()
            .unwrap();

        let began = Instant::now();
        let outcome = tokio::time::timeout(END, self.conversation.hold(&client)).await;
        let Ok(outcome) = outcome else { panic!("{self:?}: not ended after {:?}", began.elapsed()) };
        self.judge(&outcome, started.load(Ordering::SeqCst), &service.log().actions());

        if self.again {
            let commands = started.load(Ordering::SeqCst);
            let output = Command::new(&client, "talk").output().await;
            let output = output.unwrap_or_else(|error| panic!("{self:?}: afterwards {error:?}"));
            assert_eq!(output.stdout, [FIRST, SECOND].concat(), "{self:?}");
            assert_eq!(started.load(Ordering::SeqCst), commands + 1, "{self:?}");
        }
        let closing = Instant::now();
        client.close().await;
        assert!(closing.elapsed() <= CLOSED, "{self:?}: closed after {:?}", closing.elapsed());
        drop(client);
        if service.open_shells() > 0 {
            // Nobody knows of it any more.
            assert!(self.fault.is_some(), "{self:?}: a shell is left");
            tokio::time::sleep(IDLE).await;
        }
        assert_eq!((service.open_shells(), service.running_commands()), (0, 0), "{self:?}");
        let progress = link.progress.lock().unwrap();
        Shape { requests: progress.requests, responses: progress.responses, turns: progress.turns.clone() }
    }

    fn judge(self, outcome: &Outcome, started: usize, actions: &[&str]) {
        assert!(started <= self.conversation.commands(), "{self:?}: {started} commands");
        let taken = |action: &str| actions.iter().filter(|name| **name == action).count();
        let error = match outcome {
            Ok(output) => {
                assert_eq!(output, &self.conversation.output(), "{self:?}");
                assert_eq!(started, self.conversation.commands(), "{self:?}");
                return;
            }
            Err(error) => error,
        };
        assert!(self.fault.is_some(), "{self:?}: {error:?}");
        let Some(transport) = error.transport() else { panic!("{self:?}: {error:?}") };
        assert!(
            matches!(
                transport.kind(),
                ErrorKind::ConnectionLost(_)
                    | ErrorKind::ConnectionClosed(_)
                    | ErrorKind::Deadline(_)
                    | ErrorKind::Io(_)
                    // 400, to a request that ended too early.
                    | ErrorKind::Status { .. }
                    // Cut before the service's proof, or the shell is gone already where Delete was repeated.
                    | ErrorKind::Fault(_)
            ),
            "{self:?}: {transport:?}"
        );
        // What the error says of the outcome is so.
        match error {
            Error::Open(_) if !transport.is_outcome_unknown() => {
                assert_eq!(taken("Create"), 0, "{self:?}: {transport}");
            }
            Error::Spawn(_) if !transport.is_outcome_unknown() => {
                assert_eq!(started, taken("Command").saturating_sub(1), "{self:?}: {transport}");
            }
            Error::Lost { output, .. } => {
                assert!(started >= 1, "{self:?}");
                let whole = self.conversation.output();
                assert!(whole.starts_with(&output.stdout), "{self:?}: {:?}", output.stdout);
            }
            _ => {}
        }
    }
}
