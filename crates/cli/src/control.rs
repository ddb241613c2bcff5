//! What ends commands early: signals, the deadline, output that nobody takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::exit::CLIENT_FAILED;
use crate::report::{Failure, warn};

/// What is wanted of the remote commands. Grows only, but in a session.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Wish {
    /// Go on.
    Run,
    /// Ctrl-C.
    Interrupt,
    /// End now.
    Terminate(Reason),
}

/// Why commands are to end now.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Reason {
    /// A second SIGINT, or a signal that asks for the end.
    Signal,
    /// `--timeout`.
    Timeout(Duration),
    /// `--host-timeout`.
    HostTimeout(Duration),
    /// Standard output or error was closed, as by `| head`.
    OutputClosed,
    /// Standard output or input failed, and that has been told.
    LocalFailure,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Signal => Self::new("interrupted: the remote process was terminated"),
            Reason::Timeout(timeout) => Self::new(format!(
                "not done within {} s: the remote process was terminated",
                timeout.as_secs_f64()
            ))
            .with_remedy("give a longer --timeout"),
            Reason::HostTimeout(timeout) => Self::new(format!("not done within {} s", timeout.as_secs_f64()))
                .with_remedy("give a longer --host-timeout"),
            Reason::OutputClosed => Self::new("standard output was closed").quiet(),
            Reason::LocalFailure => Self::new("reading input or writing output failed").quiet(),
        }
    }
}

/// Tells every command what is wanted of it.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    wish: watch::Sender<Wish>,
    /// Whether Ctrl-C ends a pipeline of a session, and never the session.
    in_session: Arc<AtomicBool>,
}

impl Control {
    fn new(wish: Wish) -> Self {
        Self { wish: watch::Sender::new(wish), in_session: Arc::default() }
    }

    /// Listens for signals from now on.
    pub(crate) fn start() -> Result<Self, Failure> {
        let control = Self::new(Wish::Run);
        control.listen().map_err(|error| Failure::caused_by("cannot listen for signals", &error))?;
        Ok(control)
    }

    /// The deadline counts from now on, if there is one.
    pub(crate) fn end_after(&self, timeout: Option<Duration>) {
        let Some(timeout) = timeout else { return };
        let control = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            control.terminate(Reason::Timeout(timeout));
        });
    }

    /// For one host: what is wanted of everybody, and its own end after a while.
    pub(crate) fn of_host(&self, timeout: Option<Duration>) -> watch::Receiver<Wish> {
        let Some(timeout) = timeout else { return self.subscribe() };
        let one = Self::new(*self.wish.borrow());
        let all = self.clone();
        // Before the task looks whether anybody listens.
        let of_host = one.subscribe();
        tokio::spawn(async move {
            let mut wishes = all.subscribe();
            let mut deadline = std::pin::pin!(tokio::time::sleep(timeout));
            let mut is_over = false;
            loop {
                let wish = *wishes.borrow_and_update();
                one.raise(wish);
                tokio::select! {
                    Ok(()) = wishes.changed() => {}
                    () = &mut deadline, if !is_over => {
                        one.terminate(Reason::HostTimeout(timeout));
                        is_over = true;
                    }
                    // Nobody listens for the host any more.
                    () = one.wish.closed() => return,
                }
            }
        });
        of_host
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Wish> {
        self.wish.subscribe()
    }

    pub(crate) fn terminate(&self, reason: Reason) {
        self.raise(Wish::Terminate(reason));
    }

    /// The first reason stays.
    fn raise(&self, wish: Wish) {
        self.wish.send_if_modified(|current| {
            let raised = *current < wish && !matches!(current, Wish::Terminate(_));
            if raised {
                *current = wish;
            }
            raised
        });
    }

    /// From now on Ctrl-C is meant for what runs in a session, until [`calm`](Self::calm).
    pub(crate) fn interrupts_pipelines(&self) {
        self.in_session.store(true, Ordering::Release);
    }

    /// Takes an interrupt back: what it was meant for is over.
    pub(crate) fn calm(&self) {
        self.wish.send_if_modified(|current| {
            let calmed = *current == Wish::Interrupt;
            if calmed {
                *current = Wish::Run;
            }
            calmed
        });
    }

    /// The first asks, the second insists, the third does not wait for clean-up.
    fn interrupt(&self) {
        let current = *self.wish.borrow();
        match current {
            Wish::Interrupt if self.in_session.load(Ordering::Acquire) => {}
            Wish::Run => self.raise(Wish::Interrupt),
            Wish::Interrupt => self.raise(Wish::Terminate(Reason::Signal)),
            Wish::Terminate(_) => {
                warn("ended without waiting for clean-up: the host may keep a shell for some minutes");
                std::process::exit(CLIENT_FAILED);
            }
        }
    }

    #[cfg(unix)]
    fn listen(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Who started us by nohup has it ignored, and means that.
        let mut hangup = if heeds_hangup() { Some(signal(SignalKind::hangup())?) } else { None };
        let control = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => control.interrupt(),
                    _ = terminate.recv() => control.terminate(Reason::Signal),
                    Some(()) = received(&mut hangup) => control.terminate(Reason::Signal),
                }
            }
        });
        Ok(())
    }

    #[cfg(windows)]
    fn listen(&self) -> std::io::Result<()> {
        let mut interrupt = tokio::signal::windows::ctrl_c()?;
        let mut close = tokio::signal::windows::ctrl_close()?;
        let control = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => control.interrupt(),
                    _ = close.recv() => control.terminate(Reason::Signal),
                }
            }
        });
        Ok(())
    }
}

/// The next of these signals, if we listen for them.
#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}

/// Whether SIGHUP is not ignored, where that can be found out. Elsewhere it does what it does by default, to who does
/// not ignore it.
#[cfg(unix)]
fn heeds_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status).is_some_and(|ignored| ignored & 1 == 0)
}

/// The mask of ignored signals, SIGHUP as its lowest bit.
#[cfg(unix)]
fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Waits for a wish that fits, and marks it as seen.
pub(crate) async fn wanted(wishes: &mut watch::Receiver<Wish>, fits: impl FnMut(&Wish) -> bool) -> Wish {
    let wish = wishes.wait_for(fits).await.ok().map(|wish| *wish);
    match wish {
        Some(wish) => wish,
        // Nobody is left who could want anything.
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_mask_of_ignored_signals_is_found() {
        assert_eq!(ignored_signals("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t1\n"), Some(0x1001));
        assert_eq!(ignored_signals(""), None);
    }

    #[test]
    fn in_a_session_ctrl_c_ends_what_runs_and_nothing_else() {
        let control = Control::new(Wish::Run);
        control.interrupts_pipelines();
        for _ in 0..3 {
            control.interrupt();
            assert_eq!(*control.wish.borrow(), Wish::Interrupt);
        }
        control.calm();
        assert_eq!(*control.wish.borrow(), Wish::Run);
        control.terminate(Reason::Signal);
        control.calm();
        assert_eq!(*control.wish.borrow(), Wish::Terminate(Reason::Signal));
    }

    #[test]
    fn wishes_only_grow_and_the_first_reason_stays() {
        let control = Control::new(Wish::Run);
        control.interrupt();
        assert_eq!(*control.wish.borrow(), Wish::Interrupt);
        control.interrupt();
        assert_eq!(*control.wish.borrow(), Wish::Terminate(Reason::Signal));
        control.terminate(Reason::OutputClosed);
        assert_eq!(*control.wish.borrow(), Wish::Terminate(Reason::Signal));
    }
}
