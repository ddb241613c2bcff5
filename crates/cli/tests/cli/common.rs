//! A service to run against, and the command to run.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use winrm_loopback::{Builder, Service};

pub(crate) const USER: &str = "tester";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A service and the threads it needs.
pub(crate) struct Host {
    runtime: tokio::runtime::Runtime,
    service: Option<Service>,
}

impl Host {
    pub(crate) fn start() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let builder = change(Service::builder().account(USER, PASSWORD));
        #[cfg(unix)]
        heed_interrupts(&runtime);
        let service = runtime.block_on(builder.start()).unwrap();
        Self { runtime, service: Some(service) }
    }

    pub(crate) fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.service().url()
    }

    /// Waits until so many commands run.
    pub(crate) fn wait_for_commands(&self, count: usize) {
        until("commands run", || self.service().running_commands() == count);
    }

    /// Nothing of the client's is left.
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.service().running_commands(), 0, "commands left");
        assert_eq!(self.service().open_shells(), 0, "shells left");
    }
}

/// Shells start what runs in the background with SIGINT ignored, and that is inherited down to the commands which tests
/// interrupt. A handler of ours is not: commands begin with the default again.
#[cfg(unix)]
fn heed_interrupts(runtime: &tokio::runtime::Runtime) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let _in_runtime = runtime.enter();
        let mut interrupts =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap();
        std::thread::spawn(move || {
            let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
            if waiting.block_on(interrupts.recv()).is_some() {
                // Who interrupts the tests means it.
                std::process::exit(130);
            }
        });
    });
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            self.runtime.block_on(service.shutdown());
        }
    }
}

/// Waits, but not for ever.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(4), "not within 4 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `winrm` with nothing of the developer's settings, and no terminal.
pub(crate) fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_winrm"));
    for variable in [
        "WINRM_USER",
        "WINRM_PASSWORD",
        "WINRM_LOG",
        "WINRM_CONFIG",
        "WINRM_PROXY_PASSWORD",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(variable);
    }
    command.env("XDG_CONFIG_HOME", "/nonexistent").env("APPDATA", "/nonexistent");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `winrm` with the right user and password.
pub(crate) fn winrm(arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command.env("WINRM_USER", USER).env("WINRM_PASSWORD", PASSWORD);
    command
}

/// Runs it with `input`.
pub(crate) fn with_input(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Its end, which must come within `limit`.
pub(crate) fn end_within(limit: Duration, mut child: Child) -> Output {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > limit {
            child.kill().unwrap();
            panic!("still running after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// Sends a signal by its name, such as `INT`.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
pub(crate) fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "stdout {:?}, stderr {:?}", stdout(output), stderr(output));
}

/// Every line as JSON.
pub(crate) fn json_lines(output: &Output) -> Vec<serde_json::Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
