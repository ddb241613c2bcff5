//! A whole command against the loopback service, client and service in one process and one thread.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::io::AsyncWriteExt;
use winrm_loopback::{Invocation, Io, Service};
use winrm_shell::{Command, Shell};
use winrm_transport::{Client, Credentials};

async fn hello(_: Invocation, mut io: Io) -> u32 {
    u32::from(io.stdout.write_all(b"hello\r\n").await.is_err())
}

fn run(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service =
        runtime.block_on(Service::builder().account("user", "password").handler(hello).start()).unwrap();
    let client = || {
        let credentials = Credentials::password("user", "password");
        Client::builder(service.url()).unwrap().credentials(credentials).build().unwrap()
    };
    let mut group = c.benchmark_group("run");
    group.bench_function("cold: connect, log on, one command, clean up", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let client = client();
                let output = Command::new(&client, "hello").output().await.unwrap();
                client.close().await;
                output
            })
        });
    });
    let shell = runtime.block_on(Shell::builder(&client()).open()).unwrap();
    group.bench_function("warm: one command in an open shell", |b| {
        b.iter(|| runtime.block_on(async { shell.command("hello").output().await.unwrap() }));
    });
    group.finish();
}

criterion_group!(benches, run);
criterion_main!(benches);
