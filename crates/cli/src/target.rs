//! The hosts that a command line names.

use std::collections::{HashMap, HashSet};
use std::path::Path;

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
    let mut endpoints = Vec::new();
    for name in names {
        match name.strip_prefix('@') {
            Some(file) => read_list(Path::new(file), settings, &mut endpoints)?,
            None => {
                endpoints.push(endpoint(name, settings).map_err(|error| Failure::new(error.to_string()))?);
            }
        }
    }
    if endpoints.is_empty() {
        return Err(Failure::new("no target: the files named hold none"));
    }
    let (endpoints, again) = distinct(endpoints);
    for endpoint in again {
        warn(&format!("{endpoint} is named more than once: it counts once"));
    }
    Ok(label(endpoints, settings))
}

/// Each once, in the order of the first mentions; and each that was named again.
fn distinct(endpoints: Vec<Endpoint>) -> (Vec<Endpoint>, Vec<Endpoint>) {
    let (mut once, mut again) = (Vec::with_capacity(endpoints.len()), Vec::new());
    let (mut seen, mut told) = (HashSet::new(), HashSet::new());
    for endpoint in endpoints {
        if seen.insert(endpoint.clone()) {
            once.push(endpoint);
        } else if told.insert(endpoint.clone()) {
            again.push(endpoint);
        }
    }
    (once, again)
}

fn read_list(file: &Path, settings: &Settings, endpoints: &mut Vec<Endpoint>) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::caused_by(format!("cannot read targets from {}", file.display()), &error)
    })?;
    parse_list(&text, settings, endpoints)
        .map_err(|(line, problem)| Failure::new(format!("{} line {line}: {problem}", file.display())))
}

/// One target a line; blank lines and those that begin with `#` are skipped.
fn parse_list(text: &str, settings: &Settings, endpoints: &mut Vec<Endpoint>) -> Result<(), (usize, String)> {
    // Editors on Windows begin files with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let name = line.trim();
        if name.is_empty() || name.starts_with('#') {
            continue;
        }
        if name.starts_with('@') {
            return Err((number, "a file of targets cannot name another".to_owned()));
        }
        endpoints.push(endpoint(name, settings).map_err(|error| (number, error.to_string()))?);
    }
    Ok(())
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

fn label(endpoints: Vec<Endpoint>, settings: &Settings) -> Vec<Target> {
    let mut ports: HashMap<String, Vec<u16>> = HashMap::new();
    for endpoint in &endpoints {
        ports.entry(endpoint.host().to_owned()).or_default().push(endpoint.port());
    }
    let is_ambiguous = |endpoint: &Endpoint| {
        ports.get(endpoint.host()).is_some_and(|ports| ports.iter().any(|port| *port != endpoint.port()))
    };
    let labelled = |endpoint: Endpoint| {
        let label = if is_ambiguous(&endpoint) { endpoint.authority() } else { endpoint.host().to_owned() };
        let mut options = settings.host(endpoint.host());
        if endpoint.is_tls() {
            options.pins.extend(settings.pins(endpoint.host(), endpoint.port()));
        }
        Target { endpoint, label, options }
    };
    endpoints.into_iter().map(labelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_skip_blank_lines_and_comments() {
        let mut endpoints = Vec::new();
        parse_list(
            "\u{feff}# hosts\r\n\r\n  web01 \r\n[::1]:80\n\t# x\nhttp://db/x",
            &Settings::default(),
            &mut endpoints,
        )
        .unwrap();
        let urls: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
        assert_eq!(urls, ["http://web01:5985/wsman", "http://[::1]:80/wsman", "http://db:5985/x"]);
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text| parse_list(text, &Settings::default(), &mut Vec::new()).unwrap_err();
        let (line, problem) = error("# a\nweb01\nweb 02\n");
        assert_eq!(line, 3);
        assert!(problem.contains("web 02"), "{problem}");
        assert_eq!(error("@other").0, 1);
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
        let (once, again) = distinct(endpoints.into());
        let urls = |endpoints: Vec<Endpoint>| endpoints.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(urls(once), ["http://b:5985/wsman", "http://a:5985/wsman", "http://b:80/wsman"]);
        assert_eq!(urls(again), ["http://b:5985/wsman"]);
    }
}
