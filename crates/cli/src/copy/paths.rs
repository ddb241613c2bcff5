//! `SOURCE... DESTINATION`, as scp reads them.

use std::path::PathBuf;

use crate::report::Failure;

/// What goes where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Direction {
    /// From here to hosts.
    Up { sources: Vec<PathBuf>, target: String },
    /// From hosts to here.
    Down { sources: Vec<String>, target: PathBuf },
}

impl Direction {
    /// As it was named.
    pub(super) fn source(&self, number: usize) -> String {
        match self {
            Self::Up { sources, .. } => sources.get(number).map(|path| path.display().to_string()),
            Self::Down { sources, .. } => sources.get(number).cloned(),
        }
        .unwrap_or_default()
    }
}

/// What goes where, and on which hosts.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Plan {
    pub(super) direction: Direction,
    pub(super) targets: Vec<String>,
}

/// One of the paths.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Named {
    Local(PathBuf),
    /// On a host; on those of `--target` where it is empty.
    Remote {
        host: String,
        path: String,
    },
}

/// `HOST:PATH` or `HOST:PORT:PATH`, but for one letter before the colon, which is a drive, and for what has a separator before it.
fn named(text: &str) -> Named {
    let local = || Named::Local(PathBuf::from(text));
    let (host, path) = match text.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((host, path)) => (format!("[{host}]"), path),
        None => match text.split_once(':') {
            Some((host, path)) => (host.to_owned(), path),
            None => return local(),
        },
    };
    // Files of hosts may be anywhere.
    let is_list = host.starts_with('@');
    let is_drive = host.len() == 1 && host.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_drive || (!is_list && host.contains(['/', '\\'])) {
        return local();
    }
    // No path of Windows begins like that.
    let is_port =
        |text: &str| (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let (host, path) =
        match path.split_once(':').filter(|(port, _)| is_port(port) && !is_list && !host.is_empty()) {
            Some((port, path)) => (format!("{host}:{port}"), path),
            None => (host, path),
        };
    // A path that is empty is where processes start, as for scp.
    let path = if path.is_empty() { "." } else { path };
    Named::Remote { host, path: path.to_owned() }
}

pub(super) fn plan(paths: &[String], targets: Vec<String>) -> Result<Plan, Failure> {
    let Some((destination, sources)) = paths.split_last() else {
        return Err(Failure::new("nothing to copy"));
    };
    let is_url = |path: &&String| path.starts_with("http://") || path.starts_with("https://");
    if let Some(url) = paths.iter().find(is_url) {
        return Err(Failure::new(format!("{url} is a URL, and where it ends cannot be told"))
            .with_remedy("name the URL by --target, and the remote path by :PATH"));
    }
    let mut host: Option<String> = None;
    let mut remote = |on: String, path: String| match &host {
        Some(other) if *other != on => {
            Err(Failure::new(format!("{other} and {on}: one copy has one side on other hosts"))
                .with_remedy("copy from one host at a time"))
        }
        _ => {
            host = Some(on);
            Ok(path)
        }
    };
    let direction = match named(destination) {
        Named::Remote { host, path } => {
            let target = remote(host, path)?;
            let local = |text: &String| match named(text) {
                Named::Local(path) => Ok(path),
                Named::Remote { .. } => {
                    Err(Failure::new(format!("{text} and {destination} are both remote"))
                        .with_remedy("copy to this machine first, and from it then"))
                }
            };
            Direction::Up { sources: sources.iter().map(local).collect::<Result<_, _>>()?, target }
        }
        Named::Local(target) => {
            let on_host = |text: &String| match named(text) {
                Named::Remote { host, path } => remote(host, path),
                Named::Local(_) => Err(Failure::new(format!("{text} and {destination} are both local"))
                    .with_remedy("a remote path is HOST:PATH, or :PATH with --target")),
            };
            Direction::Down { sources: sources.iter().map(on_host).collect::<Result<_, _>>()?, target }
        }
    };
    let host = host.unwrap_or_default();
    let targets = match (host.is_empty(), targets.is_empty()) {
        (true, false) => targets,
        (false, true) => vec![host],
        (true, true) => {
            return Err(
                Failure::new("no host before the colon").with_remedy("name one there, or by --target")
            );
        }
        (false, false) => {
            return Err(Failure::new(format!("{host} and --target both name hosts"))
                .with_remedy("with --target, remote paths are :PATH"));
        }
    };
    Ok(Plan { direction, targets })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str], targets: &[&str]) -> Result<Plan, Failure> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        plan(&owned(paths), owned(targets))
    }

    #[test]
    fn hosts_stand_before_the_colon_and_drives_are_no_hosts() {
        for (text, expected) in [
            ("web01:C:\\x y", Some(("web01", "C:\\x y"))),
            ("[::1]:/x", Some(("[::1]", "/x"))),
            ("web01:5986:C:\\x", Some(("web01:5986", "C:\\x"))),
            ("[::1]:5986:x", Some(("[::1]:5986", "x"))),
            ("web01:123456:x", Some(("web01", "123456:x"))),
            (":x", Some(("", "x"))),
            ("web01:", Some(("web01", "."))),
            ("@lists/web.txt:C:\\x", Some(("@lists/web.txt", "C:\\x"))),
            ("@C", None),
            ("C:\\x", None),
            ("c:x", None),
            ("./a:b", None),
            ("dir/a:b", None),
            ("plain", None),
        ] {
            let expected = match expected {
                Some((host, path)) => Named::Remote { host: host.to_owned(), path: path.to_owned() },
                None => Named::Local(PathBuf::from(text)),
            };
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn one_side_is_here_and_the_other_on_hosts() {
        let plan = of(&["a", "C:\\b", "web01:x"], &[]).unwrap();
        assert_eq!(plan.targets, ["web01"]);
        let sources = vec![PathBuf::from("a"), PathBuf::from("C:\\b")];
        assert_eq!(plan.direction, Direction::Up { sources, target: "x".to_owned() });
        let plan = of(&[":a", ":b", "."], &["one", "two"]).unwrap();
        assert_eq!(plan.targets, ["one", "two"]);
        let sources = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(plan.direction, Direction::Down { sources, target: PathBuf::from(".") });
        for (paths, targets) in [
            (&["a", "b"][..], &[][..]),
            (&["h:a", "h:b"], &[]),
            (&["h:a", "i:b", "c"], &[]),
            (&["a", ":b"], &[]),
            (&["a", "h:b"], &["i"]),
            (&["a", "http://h:8080/wsman:b"], &[]),
            (&["h:a", "b", "c"], &[]),
        ] {
            assert!(of(paths, targets).is_err(), "{paths:?}");
        }
    }
}
