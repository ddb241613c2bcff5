//! The config file.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use winrm::{Pin, Proxy};

use super::read_text;
use crate::args::{Auth, Backend, Encryption, operation_seconds, seconds};
use crate::report::Failure;

/// `[defaults]`, and `[hosts."NAME"]` for hosts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pin_file: Option<PathBuf>,
    #[serde(default)]
    defaults: HostOptions,
    #[serde(default, deserialize_with = "hosts")]
    hosts: BTreeMap<String, HostOptions>,
}

/// What is said of a host; what is not is `None` or empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostOptions {
    pub(crate) user: Option<String>,
    pub(crate) auth: Option<Auth>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) port: Option<NonZeroU16>,
    #[serde(default, deserialize_with = "pins")]
    pub(crate) pins: Vec<Pin>,
    #[serde(default)]
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) spn: Option<String>,
    #[serde(default, deserialize_with = "proxy")]
    pub(crate) proxy: Option<Proxy>,
    pub(crate) proxy_user: Option<String>,
    pub(crate) connect_to: Option<String>,
    pub(crate) tls_backend: Option<Backend>,
    pub(crate) message_encryption: Option<Encryption>,
    #[serde(default, deserialize_with = "timeout")]
    pub(crate) connect_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "operation_timeout")]
    pub(crate) operation_timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl ConfigFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let mut config = Self::parse(&read_text(path)?)
            .map_err(|problem| Failure::new(format!("{} {problem}", path.display())))?;
        config.relative_to(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Errors are one line, with the number of that in the file.
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            let hint = if message.contains("`password") || message.contains("_password`") {
                ": passwords are never read from this file"
            } else {
                ""
            };
            // The key alone: a value may be a secret that somebody put there.
            let key =
                text.lines().nth(line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
            let key = key.map(|key| format!(", {key}")).unwrap_or_default();
            format!("line {line}{key}: {message}{hint}")
        })
    }

    /// Files that it names lie beside it, unless their names say where.
    fn relative_to(&mut self, folder: &Path) {
        let options = self.hosts.values_mut().chain([&mut self.defaults]);
        let files = options.flat_map(|options| &mut options.ca_files).chain(&mut self.pin_file);
        for file in files {
            *file = folder.join(&*file);
        }
    }

    pub(super) fn pin_file(&self) -> Option<&PathBuf> {
        self.pin_file.as_ref()
    }

    /// What the entry of a host says, and where it says nothing, the defaults. Names are compared without regard to case;
    /// `*.example.com` is for all names that end so and have no entry of their own, the longest one first.
    pub(super) fn host(&self, name: &str) -> HostOptions {
        let name = name.to_ascii_lowercase();
        let own = self.hosts.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(&name));
        let pattern = || {
            let fitting = self.hosts.iter().filter(|(entry, _)| {
                entry
                    .strip_prefix('*')
                    .is_some_and(|end| end.starts_with('.') && name.ends_with(&end.to_ascii_lowercase()))
            });
            fitting.max_by_key(|(entry, _)| entry.len())
        };
        match own.or_else(pattern) {
            Some((_, entry)) => entry.clone().or(&self.defaults),
            None => self.defaults.clone(),
        }
    }
}

impl HostOptions {
    fn or(self, other: &Self) -> Self {
        let or_list = |own: Vec<_>, other: &Vec<_>| if own.is_empty() { other.clone() } else { own };
        Self {
            user: self.user.or_else(|| other.user.clone()),
            auth: self.auth.or(other.auth),
            scheme: self.scheme.or(other.scheme),
            port: self.port.or(other.port),
            pins: if self.pins.is_empty() { other.pins.clone() } else { self.pins },
            ca_files: or_list(self.ca_files, &other.ca_files),
            spn: self.spn.or_else(|| other.spn.clone()),
            proxy: self.proxy.or_else(|| other.proxy.clone()),
            proxy_user: self.proxy_user.or_else(|| other.proxy_user.clone()),
            connect_to: self.connect_to.or_else(|| other.connect_to.clone()),
            tls_backend: self.tls_backend.or(other.tls_backend),
            message_encryption: self.message_encryption.or(other.message_encryption),
            connect_timeout: self.connect_timeout.or(other.connect_timeout),
            operation_timeout: self.operation_timeout.or(other.operation_timeout),
        }
    }
}

/// By their names in lower case. What is more than a name would match nothing.
fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, HostOptions>, D::Error> {
    let entries = BTreeMap::<String, HostOptions>::deserialize(deserializer)?;
    let mut hosts = BTreeMap::new();
    for (name, options) in entries {
        let is_v6 = name.parse::<std::net::Ipv6Addr>().is_ok();
        if !is_v6 && name.contains([':', '/', '[', '@']) {
            let problem =
                format!("{name:?} is not the name of a host alone: scheme and port are keys below it");
            return Err(de::Error::custom(problem));
        }
        if hosts.insert(name.to_ascii_lowercase(), options).is_some() {
            return Err(de::Error::custom(format!("{name:?} is there twice")));
        }
    }
    Ok(hosts)
}

fn pins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pin>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
}

fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Proxy>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(de::Error::custom)
}

/// Whole numbers are seconds too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(u32),
    Broken(f64),
}

impl Number {
    fn text(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Broken(number) => number.to_string(),
        }
    }
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    seconds(&Number::deserialize(deserializer)?.text()).map(Some).map_err(de::Error::custom)
}

fn operation_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    operation_seconds(&Number::deserialize(deserializer)?.text()).map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_entry_counts_and_the_defaults_fill_it() {
        let config = ConfigFile::parse(
            r#"
            [defaults]
            user = 'EXAMPLE\ops'
            connect_timeout = 5
            [hosts."*.example.com"]
            scheme = "https"
            [hosts."*.db.example.com"]
            port = 9999
            [hosts."Web01.example.com"]
            user = ".\\admin"
            auth = "basic"
            pins = ["sha256:abababababababababababababababababababababababababababababababab"]
            operation_timeout = 0.5
            "#,
        )
        .unwrap();
        let web = config.host("WEB01.EXAMPLE.COM");
        assert_eq!((web.user.as_deref(), web.auth, web.scheme), (Some(".\\admin"), Some(Auth::Basic), None));
        assert_eq!(web.pins.len(), 1);
        assert_eq!(web.operation_timeout, Some(Duration::from_millis(500)));
        assert_eq!(web.connect_timeout, Some(Duration::from_secs(5)));
        assert_eq!(config.host("x.example.com").scheme, Some(Scheme::Https));
        assert_eq!(config.host("x.db.example.com").port.map(NonZeroU16::get), Some(9999));
        assert_eq!(config.host("example.com").scheme, None);
        assert_eq!(config.host("other").user.as_deref(), Some("EXAMPLE\\ops"));
    }

    #[test]
    fn mistakes_are_one_line_with_its_number() {
        for (text, line, told) in [
            ("[defaults]\nusr = 'x'", 2, "usr"),
            ("[hosts.a]\n\npassword = 'hunter2'", 3, "never read from this file"),
            ("[hosts.a]\npins = ['sha256:12']", 2, "sha256:12"),
            ("[hosts.a]\nproxy = 'ftp://x'", 2, "ftp"),
            ("[hosts.a]\nproxy = 'http://u:hunter2@x'", 2, "user or password"),
            ("[hosts.a]\nport = 70000", 2, "port"),
            ("[hosts.a]\nport = 0", 2, "port"),
            ("\n[hosts.'a:1']\n", 2, "a:1"),
            ("\n[hosts.a]\n[hosts.A]\n", 2, "twice"),
            ("[hosts.a]\nauth = 'digest'", 2, "digest"),
            ("[hosts.a]\nscheme = 'ftp'", 2, "ftp"),
            ("[hosts.a]\noperation_timeout = 99", 2, "0.5 and 60"),
            ("[hosts.a\n", 1, ""),
        ] {
            let problem = ConfigFile::parse(text).unwrap_err();
            assert!(problem.starts_with(&format!("line {line}")), "{text:?}: {problem}");
            assert!(problem.contains(told) && !problem.contains('\n'), "{text:?}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
