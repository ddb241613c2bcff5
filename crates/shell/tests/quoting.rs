//! Arguments reach programs as given, by the word of readers that our quoting was not written with.
//!
//! The service has a reader of its own. `vectors/wine_cmd_quoting.json` has what programs received from Wine's `cmd`, which
//! `xtask/interop/wine_quoting.py` fills in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/lines.rs"]
mod lines;

use lines::Lines;
use proptest::prelude::*;
use serde_json::Value;

const WINE: &str = include_str!("vectors/wine_cmd_quoting.json");

/// Hands its arguments on by `%*`.
const BATCH: &str = "batch.cmd";

/// Where a program gets something else from Wine's cmd: the argument vector, what it gets, and why it would not on Windows.
const WINE_DIFFERS: [(&[&str], &str, &str); 2] = [
    (&[BATCH, "50%"], "50", "Windows looks for variables once, not in what it puts in the place of %*"),
    (&[BATCH, "%undefined%"], "", "as before"),
];

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn programs_under_wine_receive_what_was_given() {
    let vectors: Value = serde_json::from_str(WINE).unwrap();
    assert!(vectors["wine"].as_str().unwrap().starts_with("wine-"));
    let cases = vectors["cases"].as_array().unwrap();
    let mut excused = 0;
    let lines = Lines::open().await;
    for case in cases {
        let argv = strings(&case["argv"]);
        // Else what Wine said was about another line: run the script again.
        assert_eq!(lines.of(&argv).await.command_line(), case["line"].as_str().unwrap(), "{argv:?}");
        let (program, arguments) = argv.split_first().unwrap();
        let excuse = WINE_DIFFERS.iter().find(|(excused, ..)| argv == *excused);
        for reader in ["crt", "shell32"] {
            let received = strings(&case["received"][reader]);
            assert!(received[0] == *program || program == BATCH, "{reader}: {argv:?}: {received:?}");
            match excuse {
                None => assert_eq!(&received[1..], arguments, "{reader}: {argv:?}"),
                Some((_, other, _)) => assert_eq!(received[1..], [*other], "{reader}: {argv:?}"),
            }
        }
        excused += usize::from(excuse.is_some());
    }
    assert_eq!(excused, WINE_DIFFERS.len(), "an excuse for a case that is not there");
    assert!(cases.len() > 200, "{} cases", cases.len());
}

/// What no line can carry is refused before it is sent, and what XML cannot express when it is; the rest must arrive.
fn argument() -> impl Strategy<Value = String> {
    prop_oneof![
        // What cmd, CommandLineToArgvW and batch files act on.
        3 => r#"[a-c \t\\"&|<>()^%!;,=é]{0,12}"#,
        // Quotes and backslashes in every order, and variables.
        2 => r#"[\\" ]{0,8}"#,
        1 => r"(%[a-z]{0,4}(:~[0-9]?,[0-9]?)?%?|\^|a){0,4}",
        2 => r"\PC{0,16}",
    ]
}

#[test]
fn the_reader_of_the_service_finds_what_was_given() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lines = runtime.block_on(Lines::open());
    proptest!(|(
        program in r"[a-zA-Z0-9\\.&()%^;,='!@é][a-zA-Z0-9 \\.&()%^;,='!@é]{0,8}[a-z]",
        arguments in proptest::collection::vec(argument(), 0..5),
    )| {
        let argv: Vec<String> = std::iter::once(program).chain(arguments).collect();
        let sent = runtime.block_on(lines.of(&argv));
        prop_assert_eq!(sent.argv().unwrap(), argv, "sent {}", sent.command_line());
    });
}
