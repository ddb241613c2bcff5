//! How long a command takes in a shell that is open already: a line of microseconds for each, for `cargo xtask bench latency`.
//!
//! `latency COUNT PROGRAM [ARGUMENT...]`, with `WINRM_URL`, `WINRM_USER` and `WINRM_PASSWORD` in the environment.
//! Without arguments the program is a whole line for the host's shell.

use std::error::Error;
use std::time::Instant;

use winrm_shell::Shell;
use winrm_transport::{Client, Credentials};

/// Not counted: log-on, and what is done for the first time.
const WARM_UP: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().ok_or("how many?")?.parse()?;
    let program = arguments.next().ok_or("which program?")?;
    let arguments: Vec<String> = arguments.collect();
    let setting = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let credentials = Credentials::password(&setting("WINRM_USER")?, &setting("WINRM_PASSWORD")?);
    let client = Client::builder(setting("WINRM_URL")?)?.credentials(credentials).build()?;
    let shell = Shell::builder(&client).open().await?;
    for n in 0..WARM_UP + count {
        let begin = Instant::now();
        let mut command =
            if arguments.is_empty() { shell.raw_command(&program) } else { shell.command(&program) };
        let output = command.args(&arguments).output().await?;
        let time = begin.elapsed();
        if !output.status.success() {
            return Err(format!("{program} ended with {}", output.status).into());
        }
        if n >= WARM_UP {
            println!("{}", time.as_micros());
        }
    }
    shell.close().await?;
    client.close().await;
    Ok(())
}
