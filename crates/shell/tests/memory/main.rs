//! What a client holds does not grow with what goes through it.
#![cfg(all(target_os = "linux", feature = "files"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod apart;
mod large;

/// More than a client may hold. The whole gigabyte is for `cargo bench --bench memory`.
const SIZE: u64 = 100_000_000;
const ALLOWED: u64 = 64 * 1024 * 1024;

/// The service, in the process that the test below starts.
#[test]
fn serves_in_a_process_of_its_own() {
    if !apart::serve_if_asked() {
        // In the usual run there is nobody to serve.
        assert!(apart::peak() > 0);
    }
}

#[test]
fn streams_and_files_need_little_memory() {
    let service = apart::Apart::start(&["--exact", "serves_in_a_process_of_its_own", "--nocapture"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let taken = runtime.block_on(async {
        let client = service.client();
        let taken = large::each_direction(&client, SIZE).await;
        client.close().await;
        taken
    });
    for large::Taken { what, peak, time } in taken {
        println!("{what}: {} MB in {time:?}", peak / 1_000_000);
        assert!(peak < ALLOWED, "{what}: {} MB", peak / 1_000_000);
    }
    println!("service: {} MB", service.peak() / 1_000_000);
}
