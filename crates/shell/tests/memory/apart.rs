//! A service in a process of its own, so that what a client holds is not mixed with what its host holds.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use winrm_loopback::Service;
use winrm_transport::{Client, Credentials};

/// Set for the process that is to serve.
const SERVES: &str = "WINRM_TEST_SERVES";
/// Before the address, on a line of its own.
const MARK: &str = "serves at ";

/// The process; it ends when this is dropped.
pub(crate) struct Apart {
    process: Child,
    /// Kept open: it may have more to say.
    _output: BufReader<ChildStdout>,
    url: String,
}

impl Apart {
    /// This program once more, with these arguments: there it must come to [`serve_if_asked`].
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(arguments)
            .env(SERVES, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let url = output.by_ref().lines().map_while(Result::ok).find_map(|line| {
            let url = line.strip_prefix(MARK)?;
            Some(url.to_owned())
        });
        Self { process, _output: output, url: url.expect("the service starts") }
    }

    pub(crate) fn client(&self) -> Client {
        let credentials = Credentials::password("user", "password");
        Client::builder(&self.url).unwrap().credentials(credentials).build().unwrap()
    }

    /// The most memory that it has had, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        peak_of(&self.process.id().to_string())
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// In the process that is to serve: does so until its input ends.
pub(crate) fn serve_if_asked() -> bool {
    if std::env::var_os(SERVES).is_none() {
        return false;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let service = runtime.block_on(Service::builder().account("user", "password").start()).unwrap();
    let mut output = std::io::stdout();
    write!(output, "\n{MARK}{}\n", service.url()).unwrap();
    output.flush().unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    runtime.block_on(service.shutdown());
    true
}

/// Forgets the peak, so that the next is that of what follows. Where the system does not, it is that of everything.
pub(crate) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process has had, in bytes: `VmHWM`.
pub(crate) fn peak() -> u64 {
    peak_of("self")
}

fn peak_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap();
    kilobytes * 1024
}
