//! How long a pipeline takes in a pool that is open already: a line of microseconds for each, for `cargo xtask bench pipelines`.
//!
//! `pipelines COUNT`, with `WINRM_URL`, `WINRM_USER` and `WINRM_PASSWORD` in the environment.

use std::error::Error;
use std::time::Instant;

use winrm_powershell::{PsValue, RunspacePool};
use winrm_transport::{Client, Credentials};

/// Not counted: log-on, and what is done for the first time.
const WARM_UP: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).ok_or("how many?")?.parse()?;
    let setting = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let credentials = Credentials::password(&setting("WINRM_USER")?, &setting("WINRM_PASSWORD")?);
    let client = Client::builder(setting("WINRM_URL")?)?.credentials(credentials).build()?;
    let pool = RunspacePool::builder(&client).open().await?;
    for n in 0..WARM_UP + count {
        let begin = Instant::now();
        let output = pool.command("Write-Output").argument(42).invoke().await?;
        let time = begin.elapsed();
        if output.output.first().and_then(PsValue::as_i64) != Some(42) {
            return Err("another answer".into());
        }
        if n >= WARM_UP {
            println!("{}", time.as_micros());
        }
    }
    pool.close().await?;
    client.close().await;
    Ok(())
}
