//! Runs one program and prints what it wrote.
//!
//! `WINRM_PASSWORD=… cargo run --example run -- web01 'EXAMPLE\ops'`

use std::error::Error;

use winrm::{Client, Credentials};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (target, user) = arguments.next().zip(arguments.next()).ok_or("usage: run TARGET USER")?;
    let password = std::env::var("WINRM_PASSWORD")?;

    let client = Client::builder(target)?.credentials(Credentials::password(&user, &password)).build()?;
    let output = client.command("hostname").output().await?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", output.status);

    // Waits until the shell is deleted: without it the program could end first.
    client.close().await;
    Ok(())
}
