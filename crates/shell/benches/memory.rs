//! The memory that a gigabyte in each direction takes; `CI` in the environment makes it a quarter of that, and a
//! test run a hundredth. Linux only: elsewhere the system is not asked in this way.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[cfg(target_os = "linux")]
#[path = "../tests/memory/apart.rs"]
mod apart;
#[cfg(target_os = "linux")]
#[path = "../tests/memory/large.rs"]
mod large;

#[cfg(target_os = "linux")]
fn main() {
    if apart::serve_if_asked() {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Of criterion's options only these matter here. A name asks for some other bench, unless it is this one's.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"memory".contains(argument)) {
        return;
    }
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    let size = if has("--test") || !has("--bench") {
        10_000_000
    } else if std::env::var_os("CI")
        .is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
    {
        256_000_000
    } else {
        1_000_000_000
    };
    let service = apart::Apart::start(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let taken = runtime.block_on(async {
        let client = service.client();
        let taken = large::each_direction(&client, size).await;
        client.close().await;
        taken
    });
    let megabytes = |bytes: u64| f64::from(u32::try_from(bytes).unwrap()) / 1e6;
    println!("{} MB, goal: at most 64 MiB (67 MB) of memory", size / 1_000_000);
    for large::Taken { what, time, peak } in taken {
        println!(
            "{what}: {:.1} MB of memory at most, {:.1} MB/s",
            megabytes(peak),
            megabytes(size) / time.as_secs_f64()
        );
    }
    println!("the service: {:.1} MB of memory at most", megabytes(service.peak()));
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("memory: measured on Linux only");
}
