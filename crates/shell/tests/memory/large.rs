//! More than a client may hold, in each direction.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use winrm_shell::files::{Download, Upload, WinRs};
use winrm_shell::{Command, Stdio};
use winrm_transport::Client;

use crate::apart;

/// What one direction took.
pub(crate) struct Taken {
    pub(crate) what: &'static str,
    pub(crate) time: Duration,
    /// Of this process, in bytes.
    pub(crate) peak: u64,
}

/// `size` bytes of standard output, read as they come, then as a file there and back.
pub(crate) async fn each_direction(client: &Client, size: u64) -> Vec<Taken> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // Without blocks of its own on the disk.
    std::fs::File::create(at("source")).unwrap().set_len(size).unwrap();
    let there = at("there").to_str().unwrap().to_owned();
    let mut taken = vec![taking("standard output", output(client, size)).await];
    let upload = Upload::new(WinRs::new(client), at("source"), there.clone());
    taken.push(taking("upload", async { assert_eq!(upload.await.unwrap().bytes, size) }).await);
    std::fs::remove_file(at("source")).unwrap();
    let download = Download::new(WinRs::new(client), there, at("back"));
    taken.push(taking("download", async { assert_eq!(download.await.unwrap().bytes, size) }).await);
    taken
}

async fn output(client: &Client, size: u64) {
    let mut command = Command::raw(client, format!("head -c {size} /dev/zero"));
    let mut child = command.stdout(Stdio::piped()).spawn().await.unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut block = vec![0; 64 * 1024];
    let mut len = 0;
    loop {
        match stdout.read(&mut block).await.unwrap() {
            0 => break,
            read => len += u64::try_from(read).unwrap(),
        }
    }
    assert_eq!(len, size);
    assert!(child.wait().await.unwrap().success());
}

async fn taking(what: &'static str, work: impl Future<Output = ()>) -> Taken {
    apart::forget_peak();
    let begin = Instant::now();
    work.await;
    Taken { what, time: begin.elapsed(), peak: apart::peak() }
}
