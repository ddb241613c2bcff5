//! Runs several commands in one shell, which costs fewer requests than a shell for each.
//!
//! `WINRM_PASSWORD=… cargo run --example several_commands -- web01 'EXAMPLE\ops'`

use std::error::Error;

use winrm::{Client, Credentials};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (target, user) =
        arguments.next().zip(arguments.next()).ok_or("usage: several_commands TARGET USER")?;
    let password = std::env::var("WINRM_PASSWORD")?;

    let client = Client::builder(target)?.credentials(Credentials::password(&user, &password)).build()?;
    // Environment, directory and code page belong to the shell, not to its commands.
    let shell = client.shell().env("GREETING", "hello").open().await?;

    // Directory and variables a command changes are its own: the next one starts from the shell's.
    let host = shell.command("hostname").output().await?;
    print!("{}", String::from_utf8_lossy(&host.stdout));
    // Both at once; a raw line is for cmd, which knows variables and pipes.
    let (mut greeting, mut system) = (shell.raw_command("echo %GREETING%"), shell.raw_command("ver"));
    let (greeting, system) = tokio::try_join!(greeting.output(), system.output())?;
    print!("{}", String::from_utf8_lossy(&greeting.stdout));
    print!("{}", String::from_utf8_lossy(&system.stdout));

    shell.close().await?;
    client.close().await;
    Ok(())
}
