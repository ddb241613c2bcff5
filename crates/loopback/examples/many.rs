//! Many services in one process, each at a port of its own: hosts for a fleet to run on, until standard input ends.
//!
//! ```sh
//! WINRM_PASSWORD=secret cargo run --release -p winrm-loopback --example many -- 2000 hosts.txt
//! ```
//!
//! Every command says `hello`, and with `--together` only once there is one on every host: then all of them are connected
//! at the same time.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use winrm_loopback::{Invocation, Io, Limits, Service};

/// How long a command waits for the others, should some of them never come.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, file, options @ ..] = arguments.as_slice() else {
        return Err("usage: many COUNT FILE [--together]".into());
    };
    let (count, together): (usize, bool) =
        (count.parse()?, options.iter().any(|option| option == "--together"));
    let password = std::env::var("WINRM_PASSWORD")?;
    let missing = if together { count } else { 0 };
    // Each takes the place of one that is missing; when none is, all go on.
    let waiting = Arc::new((std::sync::atomic::AtomicUsize::new(missing), Semaphore::new(0)));
    let mut services = Vec::with_capacity(count);
    let mut urls = String::new();
    for _ in 0..count {
        let waiting = Arc::clone(&waiting);
        let handler = move |_: Invocation, mut io: Io| {
            let waiting = Arc::clone(&waiting);
            async move {
                let (missing, all) = &*waiting;
                let left = missing.fetch_update(
                    std::sync::atomic::Ordering::AcqRel,
                    std::sync::atomic::Ordering::Acquire,
                    |left| left.checked_sub(1),
                );
                match left {
                    Ok(1) => all.close(),
                    Ok(_) => drop(tokio::time::timeout(PATIENCE, all.acquire()).await),
                    Err(_) => {}
                }
                u32::from(io.stdout.write_all(b"hello\r\n").await.is_err())
            }
        };
        let mut limits = Limits::default();
        limits.log_entries = 8;
        let service =
            Service::builder().account("winrm", &password).limits(limits).handler(handler).start().await?;
        writeln!(urls, "{}", service.url())?;
        services.push(service);
    }
    std::fs::write(file, urls)?;
    println!("listening");
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    for service in services {
        service.shutdown().await;
    }
    Ok(())
}
