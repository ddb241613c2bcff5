//! A Windows command line read as Windows reads it: by `cmd /C`, then by the program's runtime.

/// Why a line cannot be run without `cmd`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandLineError {
    /// The line pipes, redirects or holds a second command.
    #[error("'{0}' needs a shell: send the whole line as the command, without arguments")]
    Operator(char),
    /// Nothing to run.
    #[error("the command line is empty")]
    Empty,
}

/// What expands to nothing in every environment: the substring of no characters of the current directory.
const EXPANDS_TO_NOTHING: &str = "%cd:~,%";

/// What `cmd /C LINE` passes to the program that the line names.
///
/// Variables are left as they stand, as `cmd` leaves those that are not defined.
pub(crate) fn through_cmd(line: &str) -> Result<String, CommandLineError> {
    let expanded = strip_outer_quotes(line).replace(EXPANDS_TO_NOTHING, "");
    let mut passed = String::with_capacity(expanded.len());
    let mut quoted = false;
    let mut chars = expanded.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                passed.push(c);
            }
            '^' if !quoted => passed.extend(chars.next()),
            '&' | '|' | '<' | '>' | '\r' | '\n' if !quoted => return Err(CommandLineError::Operator(c)),
            _ => passed.push(c),
        }
    }
    Ok(passed)
}

/// `cmd /C` takes a quote at the start of the line and the last one of it away (`cmd /?`), except where they are the only
/// two, have a blank and nothing special between them, and so quote the program's name.
pub(crate) fn strip_outer_quotes(line: &str) -> String {
    let line = line.trim_start_matches([' ', '\t']);
    let Some((inner, tail)) = line.strip_prefix('"').and_then(|rest| rest.rsplit_once('"')) else {
        return line.to_owned();
    };
    let quotes_a_name = !inner.contains(['"', '&', '<', '>', '(', ')', '@', '^', '|']) && inner.contains(' ');
    if quotes_a_name { line.to_owned() } else { format!("{inner}{tail}") }
}

/// Cuts a line into the program's name and its arguments, as `CommandLineToArgvW` and the C runtime do.
pub(crate) fn split(line: &str) -> Result<Vec<String>, CommandLineError> {
    let line = line.trim_start_matches([' ', '\t']);
    // In the name a backslash is only ever a backslash, and a quote only ever a quote.
    let (program, rest) = match line.strip_prefix('"') {
        Some(rest) => rest.split_once('"').unwrap_or((rest, "")),
        None => line.find([' ', '\t']).and_then(|at| line.split_at_checked(at)).unwrap_or((line, "")),
    };
    if program.is_empty() {
        return Err(CommandLineError::Empty);
    }
    let mut found = vec![program.to_owned()];
    let mut chars = rest.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if chars.peek().is_none() {
            return Ok(found);
        }
        found.push(argument(&mut chars));
    }
}

/// Reads one argument: up to a blank outside quotes.
fn argument(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut argument = String::new();
    let mut quoted = false;
    let mut backslashes = 0_usize;
    while let Some(c) = chars.next_if(|c| quoted || !matches!(c, ' ' | '\t')) {
        match c {
            '\\' => {
                backslashes += 1;
                continue;
            }
            '"' => {
                // Before a quote two backslashes are one, and an odd one makes the quote plain.
                argument.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 1 || (quoted && chars.next_if_eq(&'"').is_some()) {
                    argument.push('"');
                } else {
                    quoted = !quoted;
                }
            }
            _ => {
                argument.extend(std::iter::repeat_n('\\', backslashes));
                argument.push(c);
            }
        }
        backslashes = 0;
    }
    argument.extend(std::iter::repeat_n('\\', backslashes));
    argument
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn argv(line: &str) -> Result<Vec<String>, CommandLineError> {
        split(&through_cmd(line)?)
    }

    #[test]
    fn lines_are_cut_by_the_windows_rules() {
        for (line, expected) in [
            ("ipconfig /all", &["ipconfig", "/all"][..]),
            ("  p  a\t b ", &["p", "a", "b"]),
            (r#"p "a b" """#, &["p", "a b", ""]),
            // The examples in the documentation of CommandLineToArgvW and of the C runtime.
            (r#"p "abc" d e"#, &["p", "abc", "d", "e"]),
            (r#"p a\\b d"e f"g h"#, &["p", r"a\\b", "de fg", "h"]),
            (r#"p a\\\"b c d"#, &["p", r#"a\"b"#, "c", "d"]),
            (r#"p a\\\\"b c" d e"#, &["p", r"a\\b c", "d", "e"]),
            (r#"p a"b"" c d"#, &["p", r#"ab" c d"#]),
            (r"C:\dir\p.exe C:\a\", &[r"C:\dir\p.exe", r"C:\a\"]),
        ] {
            assert_eq!(split(line).unwrap(), expected, "{line}");
        }
        assert_eq!(split(" \t"), Err(CommandLineError::Empty));
        assert_eq!(split("\"\" a"), Err(CommandLineError::Empty));
    }

    #[test]
    fn cmd_takes_its_share_first() {
        for (line, expected) in [
            (r#"""C:\Program Files\x.exe" /v""#, &[r"C:\Program Files\x.exe", "/v"][..]),
            (r#"""C:\Program Files\x.exe"""#, &[r"C:\Program Files\x.exe"]),
            (r#""C:\Program Files\x.exe" /v"#, &[r"C:\Program Files\x.exe", "/v"]),
            (r#"p ^"a b^" ^"^""#, &["p", "a b", ""]),
            (r#"p ^"say \^"hi\^"^""#, &["p", r#"say "hi""#]),
            ("p a^&b 50%%cd:~,% ^^ ^|", &["p", "a&b", "50%", "^", "|"]),
            (r#"p "a^&b|c""#, &["p", "a^&b|c"]),
            ("p %UNDEFINED% 100%", &["p", "%UNDEFINED%", "100%"]),
        ] {
            assert_eq!(argv(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_only_cmd_can_do_is_refused() {
        for (line, operator) in
            [("a | b", '|'), ("a & b", '&'), ("a > b", '>'), ("a < b", '<'), ("a\nb", '\n')]
        {
            assert_eq!(argv(line), Err(CommandLineError::Operator(operator)), "{line}");
        }
    }

    /// Every argument in quotes, as the C runtime's documentation says to write it, and everything escaped for `cmd`.
    fn write(arguments: &[String]) -> String {
        let mut line = "program".to_owned();
        for argument in arguments {
            let mut quoted = " \"".to_owned();
            for part in argument.split_inclusive('"') {
                let text = part.strip_suffix('"').unwrap_or(part);
                let run = text.len() - text.trim_end_matches('\\').len();
                let closes = part.len() == text.len();
                quoted.push_str(text);
                quoted.push_str(&"\\".repeat(if closes { 0 } else { run + 1 }));
                quoted.push_str(if closes { "" } else { "\"" });
            }
            let run = quoted.len() - quoted.trim_end_matches('\\').len();
            quoted.push_str(&"\\".repeat(run));
            quoted.push('"');
            line.extend(quoted.chars().flat_map(|c| (c != ' ').then_some('^').into_iter().chain([c])));
        }
        line
    }

    proptest! {
        #[test]
        fn arguments_written_by_the_rules_arrive(
            arguments in proptest::collection::vec(r#"[a-c \\"&|<>()^;,=é]{0,12}"#, 0..5),
        ) {
            let line = write(&arguments);
            let found = argv(&line).unwrap();
            prop_assert_eq!(found.first().map(String::as_str), Some("program"));
            prop_assert_eq!(&found[1..], &arguments[..], "line {}", line);
        }

        #[test]
        fn no_line_is_too_strange(line in r#"[a-b "\\^%&\t]{0,40}"#) {
            let _ = argv(&line);
        }
    }
}
