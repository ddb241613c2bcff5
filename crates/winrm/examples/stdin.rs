//! Feeds a remote program's standard input and reads its output while it runs.
//!
//! `WINRM_PASSWORD=… cargo run --example stdin -- web01 'EXAMPLE\ops'`

use std::error::Error;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use winrm::{Client, Credentials, Stdio};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (target, user) = arguments.next().zip(arguments.next()).ok_or("usage: stdin TARGET USER")?;
    let password = std::env::var("WINRM_PASSWORD")?;

    let client = Client::builder(target)?.credentials(Credentials::password(&user, &password)).build()?;
    let mut child = client.command("sort").stdin(Stdio::piped()).spawn().await?;

    let mut stdin = child.stdin.take().ok_or("stdin is piped")?;
    stdin.write_all(b"pear\r\napple\r\nfig\r\n").await?;
    // Dropping the stream is end-of-file for the program.
    drop(stdin);

    // Read before waiting: a program whose output nobody reads stops at its full pipe.
    let mut lines = BufReader::new(child.stdout.take().ok_or("stdout is piped")?).lines();
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
    }
    println!("{}", child.wait().await?);

    client.close().await;
    Ok(())
}
