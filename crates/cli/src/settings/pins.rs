//! The pin file: which certificates listeners are known by, in the style of ssh's known_hosts.

use std::collections::HashMap;
use std::path::Path;

use winrm::{Endpoint, Pin};

use super::read_text;
use crate::report::Failure;

/// One listener a line: `HOST:PORT PIN`, and what follows is a comment. Several lines for one listener are several pins, of
/// which any will do.
#[derive(Debug, Default)]
pub(super) struct PinFile(HashMap<(String, u16), Vec<Pin>>);

impl PinFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Self::parse(&read_text(path)?)
            .map_err(|(line, problem)| Failure::new(format!("{} line {line}: {problem}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut known: HashMap<_, Vec<_>> = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fail = |problem: String| (number, problem);
            let mut words = line.split_whitespace();
            let (Some(listener), Some(pin)) = (words.next(), words.next()) else {
                return Err(fail("not of the form HOST:PORT PIN".to_owned()));
            };
            // The port is not guessed.
            let endpoint = listener.parse::<Endpoint>().map_err(|error| fail(error.to_string()))?;
            if listener.contains("://") || endpoint.authority() != listener.to_ascii_lowercase() {
                return Err(fail(format!("{listener:?} is not HOST:PORT")));
            }
            let pin = pin.parse::<Pin>().map_err(|error| fail(error.to_string()))?;
            known.entry((endpoint.host().to_owned(), endpoint.port())).or_default().push(pin);
        }
        Ok(Self(known))
    }

    pub(super) fn of(&self, host: &str, port: u16) -> Vec<Pin> {
        self.0.get(&(host.to_owned(), port)).cloned().unwrap_or_default()
    }
}

/// A line for such a file.
pub(crate) fn line(endpoint: &Endpoint, pin: Pin) -> String {
    format!("{} {pin}\n", endpoint.authority())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let pin = |byte| Pin::Certificate([byte; 32]);
        let endpoint = |url: &str| url.parse::<Endpoint>().unwrap();
        let web = endpoint("https://Web01:5986");
        let v6 = endpoint("https://[::1]:1");
        let text = format!(
            "# listeners\n\n{}{}{} made 2026\n",
            line(&web, pin(1)),
            line(&v6, pin(2)),
            line(&web, pin(3)).trim_end()
        );
        let file = PinFile::parse(&text).unwrap();
        assert_eq!(file.of("web01", 5986), [pin(1), pin(3)]);
        assert_eq!(file.of("::1", 1), [pin(2)]);
        assert!(file.of("web01", 5985).is_empty());
    }

    #[test]
    fn mistakes_name_their_line() {
        let good = Pin::Certificate([1; 32]);
        for line in [
            "web01:5986".to_owned(),
            format!("web01 {good}"),
            format!("https://web01:5986 {good}"),
            "web01:5986 sha256:12".to_owned(),
            format!("web01:99999 {good}"),
        ] {
            let (number, problem) = PinFile::parse(&format!("# x\n{line}\n")).unwrap_err();
            assert_eq!(number, 2, "{line}");
            assert!(!problem.is_empty());
        }
    }
}
