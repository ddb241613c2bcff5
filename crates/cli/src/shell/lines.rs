//! Where a line of PowerShell ends: what is open needs another one.

/// Whether a script is whole as far as quotes, brackets and trailing marks tell; whether it makes sense is the host's to say.
pub(super) fn is_complete(text: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = text.char_indices().peekable();
    // What may stand before `#` for a comment to begin.
    let mut last = ' ';
    while let Some((at, c)) = rest.next() {
        let behind = text.get(at + c.len_utf8()..).unwrap_or_default();
        let skipped = match c {
            // Whatever it is, it is no end; at the end, the next line goes on.
            '`' => {
                if rest.next().is_none() {
                    return false;
                }
                last = 'x';
                continue;
            }
            '@' if behind.starts_with(['\'', '"']) => here_string(behind),
            '\'' => quoted(behind, '\'', None),
            '"' => quoted(behind, '"', Some('`')),
            '<' if behind.starts_with('#') => behind.find("#>").map(|end| end + 2),
            '#' if is_break(last) => Some(behind.find('\n').unwrap_or(behind.len())),
            '(' | '[' | '{' => {
                open.push(c);
                Some(0)
            }
            ')' | ']' | '}' => {
                // One too many is a mistake that the host tells of.
                if open.pop().is_none() {
                    return true;
                }
                Some(0)
            }
            _ => Some(0),
        };
        let Some(skipped) = skipped else { return false };
        let end = at + c.len_utf8() + skipped;
        while rest.next_if(|(at, _)| *at < end).is_some() {}
        last = if skipped == 0 { c } else { 'x' };
    }
    open.is_empty() && !text.trim_end().ends_with('|')
}

fn is_break(c: char) -> bool {
    c.is_whitespace() || matches!(c, ';' | '(' | ')' | '{' | '}' | '|' | ',' | '=')
}

/// Bytes to the end of a string; a quote in it is doubled, or behind `escape`.
fn quoted(behind: &str, quote: char, escape: Option<char>) -> Option<usize> {
    let mut rest = behind.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if Some(c) == escape {
            rest.next()?;
        } else if c == quote && rest.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// Bytes to the end of `@'` and `@"`, which is at the start of a line.
fn here_string(behind: &str) -> Option<usize> {
    let end = if behind.starts_with('\'') { "\n'@" } else { "\n\"@" };
    behind.find(end).map(|at| at + end.len())
}

/// The code of a line that ends the session.
pub(super) fn exit(line: &str) -> Option<u32> {
    let mut words = line.split_whitespace();
    let command = words.next()?;
    let code = match words.next() {
        Some(word) => word.parse::<i32>().ok()?.cast_unsigned(),
        None => 0,
    };
    let ends = command.eq_ignore_ascii_case("exit") || command.eq_ignore_ascii_case("Exit-PSSession");
    (ends && words.next().is_none()).then_some(code)
}

/// Whether a line is one to keep: secrets do not belong into a file.
pub(super) fn is_to_keep(line: &str) -> bool {
    const TELLTALES: [&str; 6] = ["password", "asplaintext", "secret", "token", "apikey", "connectionstring"];
    let line = line.to_ascii_lowercase();
    !line.trim().is_empty() && !TELLTALES.iter().any(|telltale| line.contains(telltale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_needs_another_line() {
        for open in [
            "if ($x) {",
            "Get-Process |",
            "Get-Process | # all",
            "'it''s",
            "\"a `\"",
            "@(1,",
            "Get-Item `",
            "@'\nit's",
            "<# why",
            "\"$(1)",
            "echo a#'",
        ] {
            // A mark with a comment behind it is beyond what can be told here.
            let expected = open == "Get-Process | # all";
            assert_eq!(is_complete(open), expected, "{open}");
        }
    }

    #[test]
    fn what_is_closed_is_whole() {
        for whole in [
            "",
            "Get-Process",
            "if ($x) {\n1\n}",
            "'it''s'",
            "\"a `\" b\"",
            "\"\"\"\"",
            "echo a#b",
            "1 # it's",
            "1 # it's\n2",
            "<# it's #> 1",
            "@'\nit's {\n'@",
            "@\"\n\"\n\"@",
            "echo `{",
            "}",
            "echo `\"",
            "@{ a = '}' }",
        ] {
            assert!(is_complete(whole), "{whole}");
        }
    }

    #[test]
    fn exit_ends_a_session_with_its_code() {
        assert_eq!(exit("exit"), Some(0));
        assert_eq!(exit(" EXIT 3 "), Some(3));
        assert_eq!(exit("exit -1"), Some(u32::MAX));
        assert_eq!(exit("Exit-PSSession"), Some(0));
        for other in ["", "exits", "exit $code", "exit 1; 2", "echo exit"] {
            assert_eq!(exit(other), None, "{other}");
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        assert!(is_to_keep("Get-Process"));
        assert!(!is_to_keep("$p = ConvertTo-SecureString x -AsPlainText -Force"));
    }
}
