//! Shells and the commands in them: state, quotas and life spans. Knows nothing of SOAP.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::config::Limits;
use crate::handler::{Handler, Invocation, Io, SignalCode, Signals};
use crate::powershell::PowerShellShell;
use crate::stdin::StdinPipe;
use crate::stdout::{Channel, OutputPipe};

/// Interrupts that a handler has not looked at yet; more are dropped, as pressing Ctrl-C often does no more than once.
const MAX_INTERRUPTS: usize = 16;
/// Exit code of a command whose handler was dropped or panicked.
const ABORTED: u32 = 0xffff_ffff;

/// What a shell was created with.
#[derive(Debug)]
pub(crate) struct ShellSettings {
    pub(crate) id: String,
    /// The one it was created under, and goes by.
    pub(crate) resource_uri: String,
    pub(crate) owner: String,
    pub(crate) session_id: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) working_directory: Option<String>,
    pub(crate) codepage: Option<u32>,
    pub(crate) no_profile: bool,
    pub(crate) asked_idle_timeout: Option<Duration>,
    pub(crate) idle_timeout: Duration,
    pub(crate) name: Option<String>,
    /// The address of who created it.
    pub(crate) client: IpAddr,
    pub(crate) input_streams: Vec<String>,
    pub(crate) output_streams: Vec<String>,
}

/// Why a shell or a command cannot be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// A quota is used up; which one.
    Quota(Quota),
    /// The id that the client wishes is taken.
    IdTaken,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Quota {
    /// Shells of a user.
    Shells,
    /// Commands of a shell that run.
    Processes,
    /// Commands of a shell, also ended ones.
    Commands,
}

/// All shells of the service.
#[derive(Default)]
pub(crate) struct Shells {
    open: Mutex<HashMap<String, Arc<Shell>>>,
    /// How many handlers have not gone yet, also of commands that nobody knows any more.
    handlers: Arc<watch::Sender<usize>>,
}

/// One handler, counted until it has gone with all it holds.
struct Present(Arc<watch::Sender<usize>>);

impl Present {
    fn new(handlers: &Arc<watch::Sender<usize>>) -> Self {
        handlers.send_modify(|count| *count += 1);
        Self(Arc::clone(handlers))
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Shells {
    /// Opens a shell that closes by itself when nobody asks for it.
    pub(crate) fn open(
        self: &Arc<Self>,
        settings: ShellSettings,
        powershell: Option<Arc<PowerShellShell>>,
        limits: &Limits,
    ) -> Result<Arc<Shell>, Refusal> {
        let mut open = lock(&self.open);
        let own = open.values().filter(|shell| shell.settings.owner == settings.owner).count();
        if own >= limits.max_shells_per_user {
            return Err(Refusal::Quota(Quota::Shells));
        }
        if open.contains_key(&settings.id) {
            return Err(Refusal::IdTaken);
        }
        let powershell = powershell.map(|pool| {
            let present = Present::new(&self.handlers);
            let stream = Command::start(String::new(), &pool, Invocation::default(), limits, present);
            (pool, Arc::new(stream))
        });
        let shell = Arc::new(Shell {
            powershell,
            session_id: Mutex::new(settings.session_id.clone()),
            settings,
            commands: Mutex::default(),
            opened: Instant::now(),
            last_used: Mutex::new(Instant::now()),
            in_use: AtomicUsize::new(0),
            disconnected: watch::Sender::new(false),
            disconnected_idle: Mutex::default(),
            watcher: Mutex::default(),
            handlers: Arc::clone(&self.handlers),
        });
        shell.watch(self);
        open.insert(shell.settings.id.clone(), Arc::clone(&shell));
        Ok(shell)
    }

    /// The shell with that id, for its owner only. Ids are compared with case.
    pub(crate) fn get(&self, id: &str, owner: &str) -> Option<Arc<Shell>> {
        lock(&self.open).get(id).filter(|shell| shell.settings.owner == owner).cloned()
    }

    /// All of an owner's, the oldest first.
    pub(crate) fn of(&self, owner: &str) -> Vec<Arc<Shell>> {
        let open = lock(&self.open);
        let mut own: Vec<_> = open.values().filter(|shell| shell.settings.owner == owner).cloned().collect();
        own.sort_by_key(|shell| shell.opened);
        own
    }

    /// Forgets a shell and ends its commands.
    pub(crate) fn close(&self, id: &str) {
        let closed = lock(&self.open).remove(id);
        if let Some(shell) = closed {
            shell.end();
        }
    }

    /// Ends everything.
    pub(crate) fn close_all(&self) {
        let all: Vec<_> = lock(&self.open).drain().map(|(_, shell)| shell).collect();
        for shell in all {
            shell.end();
        }
    }

    /// Waits until every handler has gone, and what it had started with it.
    pub(crate) async fn handlers_gone(&self) {
        // The sender lives as long as `self`.
        drop(self.handlers.subscribe().wait_for(|count| *count == 0).await);
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        lock(&self.open).len()
    }

    /// How many commands run in all of them.
    pub(crate) fn running(&self) -> usize {
        let shells: Vec<_> = lock(&self.open).values().cloned().collect();
        shells
            .iter()
            .map(|shell| lock(&shell.commands).values().filter(|c| !c.output.has_ended()).count())
            .sum()
    }
}

/// Sleeps until a shell has been idle for its time-out, then closes it.
async fn close_when_idle(shells: Weak<Shells>, shell: Weak<Shell>) {
    loop {
        let Some(at) = shell.upgrade().map(|shell| shell.idle_at()) else { return };
        tokio::time::sleep_until(at).await;
        let (Some(shells), Some(shell)) = (shells.upgrade(), shell.upgrade()) else { return };
        if shell.idle_at() <= Instant::now() {
            tracing::debug!(shell = shell.settings.id, "shell was idle for too long");
            shells.close(&shell.settings.id);
            return;
        }
    }
}

/// One shell.
pub(crate) struct Shell {
    pub(crate) settings: ShellSettings,
    /// The session that it belongs to now, which another client may take over.
    session_id: Mutex<Option<String>>,
    commands: Mutex<HashMap<String, Arc<Command>>>,
    opened: Instant,
    last_used: Mutex<Instant>,
    in_use: AtomicUsize,
    /// Whether nobody may use it before it is reconnected.
    disconnected: watch::Sender<bool>,
    /// The runspace pool that it is, with the stream of the pool itself.
    pub(crate) powershell: Option<(Arc<PowerShellShell>, Arc<Command>)>,
    /// While it is disconnected, in place of its own.
    disconnected_idle: Mutex<Option<Duration>>,
    watcher: Mutex<Option<AbortHandle>>,
    /// As in [`Shells`].
    handlers: Arc<watch::Sender<usize>>,
}

/// Keeps a shell from being idle while a request for it is under way.
pub(crate) struct InUse(Arc<Shell>);

impl Drop for InUse {
    fn drop(&mut self) {
        *lock(&self.0.last_used) = Instant::now();
        self.0.in_use.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shell {
    /// To be held as long as a request is under way.
    pub(crate) fn in_use(self: &Arc<Self>) -> InUse {
        self.in_use.fetch_add(1, Ordering::SeqCst);
        InUse(Arc::clone(self))
    }

    /// The session that requests must name, if it was created in one.
    pub(crate) fn session_id(&self) -> Option<String> {
        lock(&self.session_id).clone()
    }

    /// Belongs to another session from now on.
    pub(crate) fn take_over(&self, session_id: Option<String>) {
        *lock(&self.session_id) = session_id;
    }

    /// How long ago it was opened, and used.
    pub(crate) fn times(&self) -> (Duration, Duration) {
        let is_used = self.in_use.load(Ordering::SeqCst) > 0;
        let inactivity = if is_used { Duration::ZERO } else { lock(&self.last_used).elapsed() };
        (self.opened.elapsed(), inactivity)
    }

    /// When the shell is idle for too long, as far as is known now.
    fn idle_at(&self) -> Instant {
        let since =
            if self.in_use.load(Ordering::SeqCst) > 0 { Instant::now() } else { *lock(&self.last_used) };
        // Far in the future is as good as never.
        let timeout = lock(&self.disconnected_idle).unwrap_or(self.settings.idle_timeout);
        since.checked_add(timeout).unwrap_or_else(|| since + Duration::from_secs(1 << 32))
    }

    /// Whether it is disconnected, now and from now on.
    pub(crate) fn disconnection(&self) -> watch::Receiver<bool> {
        self.disconnected.subscribe()
    }

    pub(crate) fn is_disconnected(&self) -> bool {
        *self.disconnected.borrow()
    }

    /// Lets nobody use it, and ends what is held for it; its commands go on.
    pub(crate) fn disconnect(self: &Arc<Self>, shells: &Arc<Shells>, idle_timeout: Option<Duration>) {
        *lock(&self.disconnected_idle) = idle_timeout;
        self.disconnected.send_replace(true);
        self.watch(shells);
    }

    pub(crate) fn reconnect(self: &Arc<Self>, shells: &Arc<Shells>) {
        *lock(&self.disconnected_idle) = None;
        self.disconnected.send_replace(false);
        self.watch(shells);
    }

    /// Closes it when it has been idle for too long, by what is known of that now.
    fn watch(self: &Arc<Self>, shells: &Arc<Shells>) {
        let watcher = tokio::spawn(close_when_idle(Arc::downgrade(shells), Arc::downgrade(self)));
        if let Some(before) = lock(&self.watcher).replace(watcher.abort_handle()) {
            before.abort();
        }
    }

    /// Starts a command.
    pub(crate) fn start(
        &self,
        id: String,
        handler: &dyn Handler,
        invocation: Invocation,
        limits: &Limits,
    ) -> Result<Arc<Command>, Refusal> {
        let mut commands = lock(&self.commands);
        if commands.contains_key(&id) {
            return Err(Refusal::IdTaken);
        }
        if commands.len() >= limits.max_commands_per_shell {
            return Err(Refusal::Quota(Quota::Commands));
        }
        if commands.values().filter(|command| !command.output.has_ended()).count()
            >= limits.max_processes_per_shell
        {
            return Err(Refusal::Quota(Quota::Processes));
        }
        let command =
            Arc::new(Command::start(id.clone(), handler, invocation, limits, Present::new(&self.handlers)));
        commands.insert(id, Arc::clone(&command));
        Ok(command)
    }

    /// The command with that id. Ids are compared with case.
    pub(crate) fn command(&self, id: &str) -> Option<Arc<Command>> {
        lock(&self.commands).get(id).cloned()
    }

    /// The ids of its commands.
    pub(crate) fn command_ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = lock(&self.commands).keys().cloned().collect();
        ids.sort();
        ids
    }

    /// Ends a command and frees its place.
    pub(crate) fn terminate(&self, id: &str) {
        let removed = lock(&self.commands).remove(id);
        if let Some(command) = removed {
            command.terminate();
        }
    }

    fn end(&self) {
        if let Some(watcher) = lock(&self.watcher).take() {
            watcher.abort();
        }
        let commands: Vec<_> = lock(&self.commands).drain().map(|(_, command)| command).collect();
        for command in commands {
            command.abort();
        }
        if let Some((_, stream)) = &self.powershell {
            stream.abort();
        }
    }
}

/// One command.
pub(crate) struct Command {
    pub(crate) id: String,
    pub(crate) stdin: Arc<StdinPipe>,
    pub(crate) output: Arc<OutputPipe>,
    interrupts: mpsc::Sender<SignalCode>,
    terminate: watch::Sender<bool>,
    grace: Duration,
    task: AbortHandle,
}

impl Command {
    fn start(
        id: String,
        handler: &dyn Handler,
        invocation: Invocation,
        limits: &Limits,
        present: Present,
    ) -> Self {
        let (stdin, reader) = StdinPipe::new();
        let (output, stdout, stderr) = OutputPipe::new();
        let (interrupts, interrupted) = mpsc::channel(MAX_INTERRUPTS);
        let (terminate, terminated) = watch::channel(false);
        let signals = Signals { interrupts: interrupted, terminate: terminated };
        let running = handler.run(invocation, Io { stdin: reader, stdout, stderr, signals });
        let task = tokio::spawn(async move {
            // Dropped after the handler.
            let _present = present;
            running.await
        });
        let abort = task.abort_handle();
        let (finished, unread) = (Arc::clone(&output), Arc::clone(&stdin));
        tokio::spawn(async move {
            // Also when the handler panicked: the client is told that the command has ended.
            let exit_code = task.await.unwrap_or(ABORTED);
            unread.close();
            finished.finish(exit_code);
        });
        Self { id, stdin, output, interrupts, terminate, grace: limits.termination_grace, task: abort }
    }

    /// Tells the handler; one that has ended hears nothing.
    pub(crate) fn interrupt(&self, code: SignalCode) {
        // Full means that the handler has enough of them, closed that it listens to none.
        let _ = self.interrupts.try_send(code);
    }

    /// Tells the handler to end, and ends it if it does not. What it wrote can still be fetched by who waits for it.
    fn terminate(&self) {
        self.terminate.send_replace(true);
        self.stdin.close();
        if self.output.has_ended() {
            return;
        }
        let (task, grace) = (self.task.clone(), self.grace);
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            task.abort();
        });
    }

    /// Ends the handler now.
    fn abort(&self) {
        self.terminate.send_replace(true);
        self.output.abandon();
        self.stdin.close();
        self.task.abort();
    }

    /// The streams among these names that there are; `None` when there is one that is not.
    pub(crate) fn channels(names: &[String]) -> Option<Vec<Channel>> {
        names.iter().map(|name| Channel::from_name(name)).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one statement, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
