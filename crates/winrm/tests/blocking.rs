//! The client for callers without a runtime, used as its users do.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;
use winrm::blocking::{BuildError, Client};
use winrm::{CommandError, ConfigError, Credentials, ErrorKind, Stdio};
use winrm_loopback::{Builder, Invocation, Io, Service};

/// A service, on threads of its own.
struct Host {
    runtime: Runtime,
    service: Option<Service>,
}

impl Host {
    fn start(change: impl FnOnce(Builder) -> Builder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let builder = change(Service::builder().account("user", "correct horse"));
        let service = runtime.block_on(builder.start()).unwrap();
        Self { runtime, service: Some(service) }
    }

    /// Its commands say what was asked of them. `sort` gives back what came in, `deaf` reads nothing, `sleep` never ends.
    fn of_commands() -> Self {
        Self::start(|builder| {
            builder.handler(|invocation: Invocation, mut io: Io| async move {
                let variables: Vec<_> =
                    invocation.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let line = invocation.command_line();
                let text = format!("{line} [{}]\n", variables.join(","));
                io.stdout.write_all(text.as_bytes()).await.unwrap();
                if line.starts_with("sort") {
                    tokio::io::copy(&mut io.stdin, &mut io.stdout).await.unwrap();
                }
                if line.starts_with("sleep") {
                    std::future::pending::<()>().await;
                }
                7
            })
        })
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    fn client(&self, password: &str) -> Client {
        winrm::Client::builder(self.service().url())
            .unwrap()
            .credentials(Credentials::password("user", password))
            .build_blocking()
            .unwrap()
    }

    #[track_caller]
    fn assert_clean_soon(&self) {
        let started = Instant::now();
        while self.service().open_shells() > 0 {
            assert!(started.elapsed() < Duration::from_secs(5), "shells left");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.runtime.block_on(self.service.take().unwrap().shutdown());
    }
}

#[test]
fn programs_lines_and_shells_run() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    assert_eq!(client.security(), None);

    let output = client.command("ipconfig").arg("/all").args(["x", "y"]).env("A", "1").output().unwrap();
    assert_eq!(output.stdout, b"ipconfig /all x y [A=1]\n");
    assert_eq!(output.status.code(), Some(7));
    assert!(client.security().unwrap().ntlm.unwrap().seals());

    let output = client.raw_command("dir | findstr x").output().unwrap();
    assert_eq!(output.stdout, b"dir | findstr x []\n");
    assert_eq!(client.command("hostname").status().unwrap().code(), Some(7));
    assert!(client.powershell("exit 7").output().unwrap().stdout.starts_with(b"powershell.exe "));

    let output = client.block_on(async |client| {
        let shell = client.shell().env("B", "2").open().await?;
        let output = shell.command("hostname").output().await;
        shell.close().await?;
        output
    });
    assert_eq!(output.unwrap().stdout, b"hostname [B=2]\n");

    client.close();
    assert_eq!(host.service().open_shells(), 0);
}

#[test]
fn input_is_read_or_not() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    // More than any buffer on the way holds, there and back.
    let much = vec![b'x'; 3_000_000];
    let output = client.command("sort").input(much.clone()).output().unwrap();
    assert_eq!(output.stdout.strip_prefix(b"sort []\n").unwrap(), much);

    let mut command = client.command("sort");
    command.input("pear\n");
    for _ in 0..2 {
        assert_eq!(command.output().unwrap().stdout, b"sort []\npear\n");
        assert_eq!(command.status().unwrap().code(), Some(7));
    }
    // Whoever waits for it to be taken waits for ever.
    let output = client.command("deaf").input(much.clone()).output().unwrap();
    assert_eq!((output.stdout, output.status.code()), (b"deaf []\n".to_vec(), Some(7)));
    assert_eq!(client.command("deaf").input(much).status().unwrap().code(), Some(7));

    let output = client.command("sort").input("x").with(|command| command.stdout(Stdio::null())).output();
    assert!(output.unwrap().stdout.is_empty());
    assert!(!format!("{:?}", client.command("sort").input("hunter2")).contains("hunter2"));
}

#[test]
fn what_takes_too_long_is_terminated() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    let ended = client.command("sleep").timeout(Duration::from_millis(300)).output();
    let Err(CommandError::TimedOut { output, .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(output.stdout, b"sleep []\n");
    host.assert_clean_soon();
}

#[test]
fn clean_up_goes_on_while_nobody_calls() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    let child = client.block_on(async |client| client.command("sleep").spawn().await).unwrap();
    assert_eq!(host.service().open_shells(), 1);
    drop(child);
    host.assert_clean_soon();
    // The client is there still, and its connections are.
    assert_eq!(client.command("hostname").status().unwrap().code(), Some(7));
}

#[test]
fn the_last_clone_closes_it() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    let other = client.clone();
    drop(client);
    let _running = other.block_on(async |client| client.command("sleep").spawn().await).unwrap();
    assert_eq!(host.service().open_shells(), 1);
    drop(other);
    host.assert_clean_soon();
}

#[test]
fn it_may_be_dropped_inside_async_code() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    let child = client.block_on(async |client| client.command("sleep").spawn().await).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async move {
        drop(client);
        tokio::task::yield_now().await;
        drop(child);
    });
    host.assert_clean_soon();
}

#[test]
fn it_works_where_runtimes_let_threads_block() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let status = runtime.block_on(async move {
        tokio::task::spawn_blocking(move || client.command("hostname").status()).await.unwrap()
    });
    assert_eq!(status.unwrap().code(), Some(7));
}

#[test]
fn many_threads_share_it() {
    let host = Host::of_commands();
    let client = host.client("correct horse");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let client = client.clone();
            scope.spawn(move || {
                let output = client.command("echo").arg(number.to_string()).output().unwrap();
                assert_eq!(output.stdout, format!("echo {number} []\n").as_bytes());
            });
        }
    });
    client.close();
    assert_eq!(host.service().open_shells(), 0);
}

#[test]
fn failures_name_their_cause() {
    let host = Host::of_commands();
    let error = host.client("wrong").command("x").output().unwrap_err();
    assert!(matches!(error.transport().unwrap().kind(), ErrorKind::CredentialsRefused { .. }), "{error}");

    let identity = host.client("correct horse").identify().unwrap();
    assert!(!identity.product_version.unwrap().is_empty());

    let error = winrm::Client::builder("web01").unwrap().build_blocking().unwrap_err();
    assert!(matches!(error, BuildError::Config(ConfigError::NoCredentials)), "{error:?}");
}

#[cfg(unix)]
#[test]
fn files_go_there_and_back() {
    use winrm::files::{CopyError, Existing};

    let host = Host::start(|builder| builder);
    let client = host.client("correct horse");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("here"), b"content").unwrap();
    let there = path("there").to_str().unwrap().to_owned();

    assert_eq!(client.upload(path("here"), &there).unwrap().bytes, 7);
    let again = client.upload_with(path("here"), &there, |upload| upload.existing(Existing::Skip)).unwrap();
    assert_eq!((again.files, again.skipped), (0, 1));
    assert_eq!(client.download(&there, path("back")).unwrap().files, 1);
    assert_eq!(std::fs::read(path("back")).unwrap(), b"content");
    let refused = client.download_with(&there, path("back"), |download| download.existing(Existing::Refuse));
    assert!(matches!(refused, Err(CopyError::Incomplete(_))), "{refused:?}");
}
