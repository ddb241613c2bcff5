//! The hosts that a command line names.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use winrm::fleet::{Inventory, Note};
use winrm::transport::DEFAULT_HTTPS_PORT;
use winrm::{Endpoint, EndpointError};

use crate::report::{Failure, warn};
use crate::settings::{HostOptions, Scheme, Settings};

/// A host to talk to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    /// What its lines of output are prefixed by: the host, with its port where another target has the same host.
    pub(crate) label: String,
    /// What files say of it.
    pub(crate) options: HostOptions,
}

/// Reads targets and `@FILE`s, in their order.
pub(crate) fn resolve(names: &[String], settings: &Settings) -> Result<Vec<Target>, Failure> {
    let mut hosts = Vec::new();
    for name in names {
        if let Some(file) = name.strip_prefix('@') {
            read_list(Path::new(file), settings, &mut hosts)?;
        } else {
            let endpoint = endpoint(name, settings).map_err(|error| Failure::new(error.to_string()))?;
            hosts.push(Named { endpoint, alias: None, user: None });
        }
    }
    if hosts.is_empty() {
        return Err(Failure::new("no target: the files named hold none"));
    }
    let (hosts, again) = distinct(hosts);
    for endpoint in again {
        warn(&format!("{endpoint} is named more than once: it counts once"));
    }
    Ok(label(hosts, settings))
}

/// A host as it was named.
#[derive(Debug)]
struct Named {
    endpoint: Endpoint,
    /// What an inventory calls it, where that is not where it is.
    alias: Option<String>,
    /// Of an inventory.
    user: Option<String>,
}

/// Each once, in the order of the first mentions; and each that was named again.
fn distinct(named: Vec<Named>) -> (Vec<Named>, Vec<Endpoint>) {
    let (mut once, mut again) = (Vec::with_capacity(named.len()), Vec::new());
    let (mut seen, mut told) = (HashSet::new(), HashSet::new());
    for host in named {
        if seen.insert(host.endpoint.clone()) {
            once.push(host);
        } else if told.insert(host.endpoint.clone()) {
            again.push(host.endpoint);
        }
    }
    (once, again)
}

fn read_list(file: &Path, settings: &Settings, named: &mut Vec<Named>) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::caused_by(format!("cannot read targets from {}", file.display()), &error)
    })?;
    let (hosts, notes) = parse_list(&text, settings)
        .map_err(|problem| Failure::new(format!("{} {problem}", file.display())))?;
    for note in notes {
        warn(&format!("{}: {note}", file.display()));
    }
    named.extend(hosts);
    Ok(())
}

/// One target a line, or an inventory of Ansible; what it says of passwords is not read.
fn parse_list(text: &str, settings: &Settings) -> Result<(Vec<Named>, Vec<String>), String> {
    let inventory = Inventory::parse(text).map_err(|error| error.to_string())?;
    // That names are repeated is told of all targets together.
    let notes = inventory.notes().iter().filter(|note| !matches!(note, Note::Repeated { .. }));
    let notes = notes.map(ToString::to_string).collect();
    let hosts = inventory.into_hosts().into_iter().map(|host| {
        let at = |problem: String| match host.line {
            Some(line) => format!("line {line}: {problem}"),
            None => format!("{}: {problem}", host.name),
        };
        let address = host.address.as_ref().unwrap_or(&host.name);
        let mut target = address.clone();
        if let Some(port) = host.port {
            let is_v6 = address.parse::<std::net::Ipv6Addr>().is_ok();
            target = if is_v6 { format!("[{address}]:{port}") } else { format!("{address}:{port}") };
        }
        // Ansible speaks https there unless it is told otherwise.
        let scheme = host.scheme.as_deref().or((host.port == Some(DEFAULT_HTTPS_PORT)).then_some("https"));
        if let Some(scheme) = scheme {
            target = format!("{scheme}://{target}");
        }
        let endpoint = endpoint(&target, settings).map_err(|error| at(error.to_string()))?;
        let alias = host.address.is_some().then(|| host.name.clone());
        Ok(Named { endpoint, alias, user: host.user })
    });
    Ok((hosts.collect::<Result<_, String>>()?, notes))
}

/// The listener that a target names. Scheme and port that it leaves out are those of the settings, if they say any.
fn endpoint(name: &str, settings: &Settings) -> Result<Endpoint, EndpointError> {
    let given: Endpoint = name.parse()?;
    if name.contains("://") {
        return Ok(given);
    }
    let options = settings.host(given.host());
    // A port that is in the name does not depend on the scheme.
    let with_tls: Endpoint = format!("https://{name}").parse()?;
    let has_port = with_tls.port() == given.port();
    let chosen = if options.scheme == Some(Scheme::Https) { with_tls } else { given };
    match options.port.filter(|_| !has_port) {
        Some(port) => {
            let host = chosen.host();
            let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
            format!("{}://{host}:{port}{}", chosen.scheme(), chosen.path()).parse()
        }
        None => Ok(chosen),
    }
}

fn label(named: Vec<Named>, settings: &Settings) -> Vec<Target> {
    let mut ports: HashMap<String, Vec<u16>> = HashMap::new();
    for Named { endpoint, .. } in &named {
        ports.entry(endpoint.host().to_owned()).or_default().push(endpoint.port());
    }
    let is_ambiguous = |endpoint: &Endpoint| {
        ports.get(endpoint.host()).is_some_and(|ports| ports.iter().any(|port| *port != endpoint.port()))
    };
    let labelled = |Named { endpoint, alias, user }: Named| {
        let label = match alias {
            Some(alias) => alias,
            None if is_ambiguous(&endpoint) => endpoint.authority(),
            None => endpoint.host().to_owned(),
        };
        let mut options = settings.host(endpoint.host());
        options.user = user.or(options.user);
        if endpoint.is_tls() {
            options.pins.extend(settings.pins(endpoint.host(), endpoint.port()));
        }
        Target { endpoint, label, options }
    };
    named.into_iter().map(labelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<String>, String> {
        let (named, _) = parse_list(text, &Settings::default())?;
        Ok(named.iter().map(|host| host.endpoint.to_string()).collect())
    }

    #[test]
    fn lists_skip_blank_lines_and_comments() {
        let urls = list("\u{feff}# hosts\r\n\r\n  web01 \r\n[::1]:80\n\t# x\nhttp://db/x").unwrap();
        assert_eq!(urls, ["http://web01:5985/wsman", "http://[::1]:80/wsman", "http://db:5985/x"]);
    }

    #[test]
    fn errors_name_the_line() {
        for (text, line) in [("a\n\nweb 02\n", "line 3"), ("@other", "line 1"), ("a\nhttp://\n", "line 2")] {
            let problem = list(text).unwrap_err();
            assert!(problem.starts_with(line), "{text:?}: {problem}");
        }
    }

    #[test]
    fn inventories_say_where_hosts_are_and_whose() {
        let text = "[web]\nweb01 ansible_host=10.0.0.1 ansible_port=5986\n\
                    web[02:03].example.com\nv6 ansible_host=::1 ansible_port=80\n\
                    [web:vars]\nansible_user='EX\\ops'\nansible_password=hunter2\n";
        let (named, notes) = parse_list(text, &Settings::default()).unwrap();
        let urls: Vec<_> = named.iter().map(|host| host.endpoint.to_string()).collect();
        let expected = [
            "https://10.0.0.1:5986/wsman",
            "http://web02.example.com:5985/wsman",
            "http://web03.example.com:5985/wsman",
            "http://[::1]:80/wsman",
        ];
        assert_eq!(urls, expected);
        assert!(notes.iter().any(|note| note.contains("password")), "{notes:?}");
        assert!(!notes.concat().contains("hunter2"));
        let targets = label(named, &Settings::default());
        assert_eq!(targets.first().map(|target| target.label.as_str()), Some("web01"));
        assert!(targets.iter().all(|target| target.options.user.as_deref() == Some("EX\\ops")));
    }

    #[test]
    fn labels_have_ports_where_hosts_do_not_tell() {
        let names = ["web01", "web02:80", "WEB02:81"].map(str::to_owned);
        let labels: Vec<_> =
            resolve(&names, &Settings::default()).unwrap().into_iter().map(|target| target.label).collect();
        assert_eq!(labels, ["web01", "web02:80", "web02:81"]);
        let paths =
            resolve(&["web01".to_owned(), "http://web01/other".to_owned()], &Settings::default()).unwrap();
        assert_eq!(paths.iter().filter(|target| target.label == "web01").count(), 2);
    }

    #[test]
    fn the_same_endpoint_counts_once() {
        let endpoints = ["b", "a", "http://B:5985/wsman", "b:80", "b"].map(|name| name.parse().unwrap());
        let named = endpoints.map(|endpoint| Named { endpoint, alias: None, user: None });
        let (once, again) = distinct(named.into());
        let once = once.into_iter().map(|host| host.endpoint).collect();
        let urls = |endpoints: Vec<Endpoint>| endpoints.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(urls(once), ["http://b:5985/wsman", "http://a:5985/wsman", "http://b:80/wsman"]);
        assert_eq!(urls(again), ["http://b:5985/wsman"]);
    }
}
