//! How a program and its arguments become the `rsp:Command` and `rsp:Arguments` of a CommandLine (MS-WSMV 2.2.4.7).
//!
//! Two readers stand between an argument and the program that is to get it as given. The host joins Command and
//! Arguments with blanks and hands the line to `cmd /C`; what cmd makes of it goes to the program as one string,
//! which the program's runtime cuts by the rules of `CommandLineToArgvW`. So an argument is written for the
//! second reader first, and the result for the first one.

/// An argument or program that no Windows command line can carry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandLineError {
    /// A NUL ends the line for every reader.
    #[error("a command line cannot hold NUL")]
    Nul,
    /// cmd ends the command at a line break, quoted or not.
    #[error("cmd cannot pass on a line break in an argument: send it through standard input")]
    LineBreak,
    /// File names cannot hold a quote.
    #[error("a program's name cannot hold a double quote")]
    QuoteInProgram,
    /// With [`Command::skip_cmd_shell`](crate::Command::skip_cmd_shell): a host that does without cmd, and one that ignores that, would
    /// make different things of it.
    #[error("{0} cannot be passed alike with and without cmd: leave skip_cmd_shell off")]
    OnlyThroughCmd(&'static str),
    /// Nothing to run.
    #[error("the program's name is empty")]
    EmptyProgram,
}

/// What cmd expands to nothing, so that the `%` before it stands alone and begins no variable.
const LONE_PERCENT: &str = "%%cd:~,%";

/// One argument of a process, or text for the line as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Argument {
    /// To reach the program as given.
    Quoted(String),
    /// Already written for cmd and the program.
    Raw(String),
}

/// `rsp:Command` and `rsp:Arguments`.
pub(crate) fn encode(
    program: &str,
    arguments: &[Argument],
) -> Result<(String, Vec<String>), CommandLineError> {
    let mut command = quote_program(program)?;
    let mut encoded = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Quoted(text) => quote_argument(text),
            Argument::Raw(text) => refuse_unsendable(text).map(|()| text.clone()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    // `cmd /C` strips a quote that begins the line, and the last one of it: give it a pair to strip.
    if command.starts_with('"') {
        command.insert(0, '"');
        encoded.last_mut().unwrap_or(&mut command).push('"');
    }
    Ok((command, encoded))
}

/// As [`encode`], for a host that may or may not do without cmd: only what both read alike.
pub(crate) fn encode_for_both(
    program: &str,
    arguments: &[Argument],
) -> Result<(String, Vec<String>), CommandLineError> {
    let only = |what| Err(CommandLineError::OnlyThroughCmd(what));
    if program.contains('%') {
        return only("a program's name with a percent sign");
    }
    let command = quote_program(program)?;
    let mut encoded = Vec::with_capacity(arguments.len());
    for argument in arguments {
        encoded.push(match argument {
            Argument::Raw(text) => refuse_unsendable(text).map(|()| text.clone())?,
            Argument::Quoted(text) => {
                refuse_unsendable(text)?;
                // In quotes cmd acts on nothing else.
                if text.contains(['"', '%']) {
                    return only("an argument with a double quote or a percent sign");
                }
                quote_for_argv(text)
            }
        });
    }
    // cmd leaves the first quote of the line and the last where they are the only two, with a blank and nothing special between
    // them (`cmd /?`); otherwise it strips them.
    if command.starts_with('"') {
        let is_kept = command.contains(' ') && !command.contains(['&', '<', '>', '(', ')', '@', '^', '|']);
        if !is_kept {
            return only("a program's name in quotes that holds what is special to cmd");
        }
        if encoded.iter().any(|argument| argument.contains('"')) {
            return only("a program's name in quotes before arguments in quotes");
        }
    }
    Ok((command, encoded))
}

/// A whole line for cmd, sent as it is.
pub(crate) fn raw_line(line: &str) -> Result<String, CommandLineError> {
    if line.trim().is_empty() {
        return Err(CommandLineError::EmptyProgram);
    }
    refuse_unsendable(line)?;
    Ok(line.to_owned())
}

fn refuse_unsendable(text: &str) -> Result<(), CommandLineError> {
    match text.find(['\0', '\r', '\n']) {
        None => Ok(()),
        Some(at) if text[at..].starts_with('\0') => Err(CommandLineError::Nul),
        Some(_) => Err(CommandLineError::LineBreak),
    }
}

/// cmd takes the first word as the program, and only real quotes keep it one word.
fn quote_program(program: &str) -> Result<String, CommandLineError> {
    refuse_unsendable(program)?;
    if program.trim().is_empty() {
        return Err(CommandLineError::EmptyProgram);
    }
    if program.contains('"') {
        return Err(CommandLineError::QuoteInProgram);
    }
    let plain = |c: char| c.is_alphanumeric() || "\\/:._-".contains(c);
    let percent_free = program.replace('%', LONE_PERCENT);
    if program.chars().all(plain) { Ok(percent_free) } else { Ok(format!("\"{percent_free}\"")) }
}

fn quote_argument(argument: &str) -> Result<String, CommandLineError> {
    refuse_unsendable(argument)?;
    Ok(escape_for_cmd(&quote_for_argv(argument)))
}

/// What a batch file reads a second time, or takes for the end of an argument.
const BATCH_SPECIAL: [char; 12] = ['&', '|', '<', '>', '(', ')', '^', '!', '%', ',', ';', '='];

/// Undone by CommandLineToArgvW: quotes around blanks, backslashes doubled before a quote.
///
/// Quotes that CommandLineToArgvW would not need stand around what is special to cmd: a program that is a batch file
/// gets its arguments as text and acts on it again, so that a bare `a&b` would run `b` there.
fn quote_for_argv(argument: &str) -> String {
    let bare = |c: char| !matches!(c, ' ' | '\t' | '\x0b' | '"') && !BATCH_SPECIAL.contains(&c);
    if !argument.is_empty() && argument.chars().all(bare) {
        return argument.to_owned();
    }
    let mut quoted = String::with_capacity(argument.len() + 2);
    quoted.push('"');
    let mut backslashes = 0;
    for c in argument.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                // The run before it doubled, and one more for the quote itself.
                quoted.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(c);
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

/// Undone by cmd. Each quote is escaped as well, so that cmd is never inside quotes and `^` always counts:
/// cmd does not know `\"`, and would disagree with the program about where quotes end.
fn escape_for_cmd(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // Expanded before `^` is looked at.
            '%' => escaped.push_str(LONE_PERCENT),
            '^' | '"' | '&' | '|' | '<' | '>' | '(' | ')' | '!' => {
                escaped.push('^');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(program: &str, arguments: &[&str]) -> Result<String, CommandLineError> {
        let arguments: Vec<_> = arguments.iter().map(|text| Argument::Quoted((*text).to_owned())).collect();
        let (command, arguments) = encode(program, &arguments)?;
        Ok([vec![command], arguments].concat().join(" "))
    }

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(line("ipconfig", &["/all"]).unwrap(), "ipconfig /all");
        assert_eq!(line(r"C:\x\y.exe", &[r"C:\a\"]).unwrap(), r"C:\x\y.exe C:\a\");
    }

    #[test]
    fn blanks_quotes_and_backslashes() {
        assert_eq!(line("p", &["a b", ""]).unwrap(), r#"p ^"a b^" ^"^""#);
        assert_eq!(line("p", &[r#"say "hi""#]).unwrap(), r#"p ^"say \^"hi\^"^""#);
        assert_eq!(line("p", &[r"a b\"]).unwrap(), r#"p ^"a b\\^""#);
        assert_eq!(line("p", &["a&b", "50%"]).unwrap(), r#"p ^"a^&b^" ^"50%%cd:~,%^""#);
    }

    #[test]
    fn a_quoted_program_gets_a_pair_for_cmd_to_strip() {
        assert_eq!(line(r"C:\Program Files\x.exe", &["/v"]).unwrap(), r#"""C:\Program Files\x.exe" /v""#);
        assert_eq!(line(r"C:\Program Files\x.exe", &[]).unwrap(), r#"""C:\Program Files\x.exe"""#);
    }

    #[test]
    fn what_no_line_can_carry_is_refused() {
        assert_eq!(line("", &[]), Err(CommandLineError::EmptyProgram));
        assert_eq!(line("a\"b", &[]), Err(CommandLineError::QuoteInProgram));
        assert_eq!(line("p", &["a\0b"]), Err(CommandLineError::Nul));
        assert_eq!(line("p", &["a\nb"]), Err(CommandLineError::LineBreak));
        assert_eq!(line("p", &["a\rb"]), Err(CommandLineError::LineBreak));
        assert_eq!(raw_line(" "), Err(CommandLineError::EmptyProgram));
        assert_eq!(raw_line("dir | findstr x").unwrap(), "dir | findstr x");
    }

    #[test]
    fn what_is_read_alike_with_and_without_cmd() {
        let encode = |program: &str, arguments: &[&str]| {
            let arguments: Vec<_> =
                arguments.iter().map(|text| Argument::Quoted((*text).to_owned())).collect();
            encode_for_both(program, &arguments)
                .map(|(command, rest)| [vec![command], rest].concat().join(" "))
        };
        for arguments in [&["/all"][..], &["a b", "c&d|e>f", "^x!", ""], &[r"a b\", "(x)"]] {
            let sent = encode("p", arguments).unwrap();
            let expected: Vec<_> = ["p"].iter().chain(arguments).map(|text| (*text).to_owned()).collect();
            assert_eq!(argv(&sent), expected, "without");
            assert_eq!(argv(&through_cmd(&sent)), expected, "with");
        }
        assert_eq!(encode(r"C:\Program Files\x.exe", &["/v"]).unwrap(), r#""C:\Program Files\x.exe" /v"#);
        for (program, arguments) in [
            ("p", &["50%"][..]),
            ("p", &["a\"b"]),
            ("%p%", &[]),
            (r"C:\Program Files\x.exe", &["a b"]),
            (r"C:\Program Files (x86)\x.exe", &["/v"]),
            ("a&b", &[]),
        ] {
            let refused = encode(program, arguments);
            assert!(matches!(refused, Err(CommandLineError::OnlyThroughCmd(_))), "{program} {arguments:?}");
        }
    }

    /// What `cmd /C LINE` passes to a program: the strip of the outer quotes, `%` before `^`, and no operator left.
    fn through_cmd(line: &str) -> String {
        let stripped = match line.strip_prefix('"') {
            Some(rest) => {
                let last = rest.rfind('"').expect("a second quote to strip");
                format!("{}{}", &rest[..last], &rest[last + 1..])
            }
            None => line.to_owned(),
        };
        let expanded = stripped.replace("%cd:~,%", "");
        let mut passed = String::new();
        let mut quoted = false;
        let mut chars = expanded.chars();
        while let Some(c) = chars.next() {
            match c {
                '^' if !quoted => passed.extend(chars.next()),
                '"' => {
                    quoted = !quoted;
                    passed.push(c);
                }
                '&' | '|' | '<' | '>' if !quoted => panic!("cmd would act on {c} in {line}"),
                _ => passed.push(c),
            }
        }
        passed
    }

    /// CommandLineToArgvW, from its documentation: the program's name by quotes alone, then the backslash rules.
    fn argv(line: &str) -> Vec<String> {
        let (program, mut rest) = match line.strip_prefix('"') {
            Some(rest) => rest.split_once('"').expect("closed"),
            None => line.split_once(' ').unwrap_or((line, "")),
        };
        let mut found = vec![program.to_owned()];
        loop {
            rest = rest.trim_start_matches([' ', '\t']);
            if rest.is_empty() {
                return found;
            }
            let mut argument = String::new();
            let mut quoted = false;
            let mut chars = rest.char_indices().peekable();
            let mut end = rest.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    ' ' | '\t' if !quoted => {
                        end = at;
                        break;
                    }
                    '\\' => {
                        let mut run = 1;
                        while chars.next_if(|(_, c)| *c == '\\').is_some() {
                            run += 1;
                        }
                        if chars.peek().is_some_and(|(_, c)| *c == '"') {
                            argument.extend(std::iter::repeat_n('\\', run / 2));
                            if run % 2 == 1 {
                                argument.push('"');
                                chars.next();
                            }
                        } else {
                            argument.extend(std::iter::repeat_n('\\', run));
                        }
                    }
                    '"' => quoted = !quoted,
                    _ => argument.push(c),
                }
            }
            found.push(argument);
            rest = &rest[end..];
        }
    }

    proptest! {
        #[test]
        fn every_argument_arrives_as_given(
            program in r"[a-zA-Z0-9 \\.&()%^]{0,8}[a-z]",
            arguments in proptest::collection::vec(r#"[a-c \t\\"&|<>()^%!;,=é]{0,12}"#, 0..5),
        ) {
            prop_assume!(!program.starts_with(' '));
            let borrowed: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let sent = line(&program, &borrowed).unwrap();
            let mut expected = vec![program];
            expected.extend(arguments);
            prop_assert_eq!(argv(&through_cmd(&sent)), expected, "sent {}", sent);
        }
    }
}
