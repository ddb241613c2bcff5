//! The terminal as it was, for when we are ended while a prompt or an editor has it as they need it.

/// Its settings.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Terminal(Option<(std::fs::File, rustix::termios::Termios)>);

#[cfg(unix)]
impl Terminal {
    pub(crate) fn now() -> Self {
        Self(std::fs::File::open("/dev/tty").ok().and_then(|file| {
            let settings = rustix::termios::tcgetattr(&file).ok()?;
            Some((file, settings))
        }))
    }

    pub(crate) fn restore(&self) {
        let Some((file, settings)) = &self.0 else { return };
        // A terminal that is gone needs nothing.
        let _ = rustix::termios::tcsetattr(file, rustix::termios::OptionalActions::Now, settings);
    }
}

/// On Windows only Ctrl-C ends a prompt, which tidies up.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    pub(crate) fn now() -> Self {
        Self
    }

    pub(crate) fn restore(&self) {}
}
