//! Words of a line, split as a POSIX shell does, which is how Ansible splits the lines of hosts.

/// The words of a line.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Words {
    pub(super) words: Vec<String>,
    /// Outside of quotes a backslash was dropped before something that needs none: perhaps it was meant.
    pub(super) dropped_backslash: bool,
}

/// A quote, or a backslash at the end, that nothing closes.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Unclosed;

/// Splits at blanks outside of quotes, up to the first `#` outside of quotes.
///
/// As in Python's `shlex`: between single quotes everything stands for itself; between double quotes a backslash
/// escapes `"` and `\` only; elsewhere it escapes anything; a `#` ends the line even inside a word.
pub(super) fn split(line: &str) -> Result<Words, Unclosed> {
    let mut result = Words::default();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            c if c.is_whitespace() => result.words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Unclosed)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Unclosed)? {
                        '"' => break,
                        '\\' => match chars.next().ok_or(Unclosed)? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                let c = chars.next().ok_or(Unclosed)?;
                result.dropped_backslash |= c.is_alphanumeric();
                word.get_or_insert_default().push(c);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    result.words.extend(word);
    Ok(result)
}

/// Takes a pair of quotes from around a value, as they are found inside words and after `key =` in `[group:vars]`.
///
/// A doubled backslash is one there. Other escapes of Python are left as they are: names of domains come before
/// line breaks here.
pub(super) fn unquote(value: &str) -> String {
    let inside = |quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    match inside('\'').or_else(|| inside('"')) {
        Some(value) => value.replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}

/// The line up to a `#` that follows a blank or begins it.
pub(super) fn before_comment(line: &str) -> &str {
    let mut after_blank = true;
    for (at, c) in line.char_indices() {
        if c == '#' && after_blank {
            return line.get(..at).unwrap_or(line);
        }
        after_blank = c.is_whitespace();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).unwrap().words
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        assert_eq!(words("  a  b=c\td "), ["a", "b=c", "d"]);
        assert_eq!(words(r"a u='EX\ops x' v=y"), ["a", r"u=EX\ops x", "v=y"]);
        assert_eq!(words(r#"u="EX\ops \"q\" \\" w"#), [r#"u=EX\ops "q" \"#, "w"]);
        assert_eq!(words(r"u=EX\\ops a\ b"), [r"u=EX\ops", "a b"]);
        assert_eq!(words("a '' b"), ["a", "", "b"]);
        assert_eq!(words("a # b 'c"), ["a"]);
        assert_eq!(words("a#b 'c"), ["a"]);
        assert_eq!(words("a '#' b"), ["a", "#", "b"]);
    }

    #[test]
    fn dropped_backslashes_are_noticed() {
        assert!(split(r"u=EX\ops").unwrap().dropped_backslash);
        assert!(!split(r"u=EX\\ops v='EX\ops'").unwrap().dropped_backslash);
    }

    #[test]
    fn quotes_must_be_closed() {
        for line in ["'", "a 'b", "a \"b", "a \"b\\", "a\\"] {
            assert_eq!(split(line), Err(Unclosed), "{line}");
        }
    }

    #[test]
    fn quotes_around_values_are_taken_off() {
        assert_eq!(unquote(r"'EX\ops'"), r"EX\ops");
        assert_eq!(unquote(r#""EX\\ops""#), r"EX\ops");
        assert_eq!(unquote("'a"), "'a");
        assert_eq!(unquote("'"), "'");
        assert_eq!(unquote("''"), "");
    }

    #[test]
    fn comments_follow_blanks() {
        assert_eq!(before_comment("a # b"), "a ");
        assert_eq!(before_comment("a#b"), "a#b");
        assert_eq!(before_comment("# a"), "");
    }
}
