//! Prints the line that `cmd` is given for each argument vector on standard input: a JSON array of strings in, a JSON
//! string out, a line each.
//!
//! `xtask/interop/wine_quoting.py` hands those lines to another implementation of `cmd`.
#![allow(clippy::unwrap_used, reason = "a tool for developers, who see what was wrong")]

#[path = "../tests/support/lines.rs"]
mod lines;

use std::io::BufRead as _;

use lines::Lines;

#[tokio::main]
async fn main() {
    let lines = Lines::open().await;
    for argv in std::io::stdin().lock().lines() {
        let argv: Vec<String> = serde_json::from_str(&argv.unwrap()).unwrap();
        let line = lines.of(&argv).await.command_line();
        println!("{}", serde_json::Value::from(line));
    }
}
