//! Names of files, which both sides must be able to use, and which must not lead out of the folder that is copied.

use std::path::{Component, Path, PathBuf};

/// The path below what is copied, with `/` between its parts.
pub(super) fn to_relative(path: &Path) -> Result<String, &'static str> {
    let mut relative = String::new();
    for component in path.components() {
        let Component::Normal(name) = component else { return Err("not below what is copied") };
        let name = name.to_str().ok_or("not Unicode")?;
        if !relative.is_empty() {
            relative.push('/');
        }
        relative.push_str(name);
    }
    Ok(relative)
}

/// The path here of what the far end calls so. It may say anything: what would lead elsewhere is refused.
pub(super) fn from_relative(name: &[u8]) -> Result<PathBuf, &'static str> {
    let name = std::str::from_utf8(name).map_err(|_| "not Unicode")?;
    let mut path = PathBuf::new();
    for part in name.split('/') {
        check(part)?;
        path.push(part);
    }
    Ok(path)
}

/// The last part of a path of the far end.
pub(super) fn base_name(path: &str) -> Result<&str, &'static str> {
    let name = path.trim_end_matches(['/', '\\']);
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    check(name)?;
    Ok(name)
}

fn check(part: &str) -> Result<(), &'static str> {
    if part.is_empty() || part == "." || part == ".." || part.contains('\0') {
        return Err("it would lead out of the folder");
    }
    if cfg!(windows) && !is_windows_name(part) {
        return Err("no file can have it here");
    }
    // Of one component, or it would lead elsewhere.
    let mut components = Path::new(part).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(_)), None) => Ok(()),
        _ => Err("it would lead out of the folder"),
    }
}

/// Whether Windows takes it for the name of a file, and of nothing else: a device, another stream of a file, another name.
fn is_windows_name(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |prefix: &str| {
        let digit = stem.strip_prefix(prefix).and_then(|rest| {
            let mut chars = rest.chars();
            chars.next().filter(|_| chars.next().is_none())
        });
        digit.is_some_and(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'))
    };
    let special = |c: char| c < ' ' || "<>:\"|?*\\/".contains(c);
    !name.chars().any(special)
        && !name.ends_with(['.', ' '])
        && !DEVICES.contains(&stem.as_str())
        && !numbered("com")
        && !numbered("lpt")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["..", "a/../b", "/etc/passwd", "a//b", "", ".", "a/", "a\0b", "./a"] {
            assert!(from_relative(name.as_bytes()).is_err(), "{name:?}");
        }
        assert!(from_relative(b"\xff").is_err());
        assert_eq!(from_relative("a b/é".as_bytes()), Ok(Path::new("a b").join("é")));
        #[cfg(unix)]
        assert_eq!(from_relative(b"a\\b:c"), Ok(PathBuf::from("a\\b:c")));
    }

    #[test]
    fn what_windows_takes_for_something_else_is_no_name() {
        for name in ["a:b", "NUL", "nul.txt", "com1", "LPT9.x", "COM²", "a.", "a ", "a?b", "x\\y", "conin$"]
        {
            assert!(!is_windows_name(name), "{name:?}");
        }
        for name in ["a", "com", "com10", "nulx", "a.b", ".x", "aux2", "ünï"] {
            assert!(is_windows_name(name), "{name:?}");
        }
    }

    #[test]
    fn the_base_name_is_the_last_part() {
        assert_eq!(base_name(r"C:\a\b.txt"), Ok("b.txt"));
        assert_eq!(base_name("/a/b/"), Ok("b"));
        assert!(base_name("/").is_err());
        assert!(base_name("/a/..").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_stays_below(name in r"[a-c./\\:\x00 ]{0,12}") {
            if let Ok(path) = from_relative(name.as_bytes()) {
                let below = path.components().all(|part| matches!(part, Component::Normal(_)));
                prop_assert!(below && path.is_relative(), "{path:?}");
            }
        }
    }
}
