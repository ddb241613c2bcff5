//! Serves until standard input ends, and prints where as one JSON object: for test suites in other languages.
//!
//! ```sh
//! cargo run -p winrm-loopback --example serve
//! ```

use tokio::io::AsyncReadExt as _;
use winrm_loopback::Service;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (user, password) = ("tester", winrm_wsman::guid());
    let service = Service::builder().account(user, &password).start().await?;
    println!(r#"{{"url":"{}","user":"{user}","password":"{password}"}}"#, service.url());
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    service.shutdown().await;
    Ok(())
}
