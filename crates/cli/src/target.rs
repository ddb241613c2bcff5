//! The hosts that a command line names.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use winrm::Endpoint;

use crate::report::{Failure, warn};

/// A host to talk to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    /// What its lines of output are prefixed by: the host, with its port where another target has the same host.
    pub(crate) label: String,
}

/// Reads targets and `@FILE`s, in their order.
pub(crate) fn resolve(names: &[String]) -> Result<Vec<Target>, Failure> {
    let mut endpoints = Vec::new();
    for name in names {
        match name.strip_prefix('@') {
            Some(file) => read_list(Path::new(file), &mut endpoints)?,
            None => {
                endpoints.push(name.parse::<Endpoint>().map_err(|error| Failure::new(error.to_string()))?);
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
    Ok(label(endpoints))
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

fn read_list(file: &Path, endpoints: &mut Vec<Endpoint>) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::caused_by(format!("cannot read targets from {}", file.display()), &error)
    })?;
    parse_list(&text, endpoints)
        .map_err(|(line, problem)| Failure::new(format!("{} line {line}: {problem}", file.display())))
}

/// One target a line; blank lines and those that begin with `#` are skipped.
fn parse_list(text: &str, endpoints: &mut Vec<Endpoint>) -> Result<(), (usize, String)> {
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
        endpoints.push(name.parse().map_err(|error: winrm::EndpointError| (number, error.to_string()))?);
    }
    Ok(())
}

fn label(endpoints: Vec<Endpoint>) -> Vec<Target> {
    let mut ports: HashMap<String, Vec<u16>> = HashMap::new();
    for endpoint in &endpoints {
        ports.entry(endpoint.host().to_owned()).or_default().push(endpoint.port());
    }
    let is_ambiguous = |endpoint: &Endpoint| {
        ports.get(endpoint.host()).is_some_and(|ports| ports.iter().any(|port| *port != endpoint.port()))
    };
    let labelled = |endpoint: Endpoint| {
        let label = if is_ambiguous(&endpoint) { endpoint.authority() } else { endpoint.host().to_owned() };
        Target { endpoint, label }
    };
    endpoints.into_iter().map(labelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_skip_blank_lines_and_comments() {
        let mut endpoints = Vec::new();
        parse_list("\u{feff}# hosts\r\n\r\n  web01 \r\n[::1]:80\n\t# x\nhttp://db/x", &mut endpoints)
            .unwrap();
        let urls: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
        assert_eq!(urls, ["http://web01:5985/wsman", "http://[::1]:80/wsman", "http://db:5985/x"]);
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text| parse_list(text, &mut Vec::new()).unwrap_err();
        let (line, problem) = error("# a\nweb01\nweb 02\n");
        assert_eq!(line, 3);
        assert!(problem.contains("web 02"), "{problem}");
        assert_eq!(error("@other").0, 1);
    }

    #[test]
    fn labels_have_ports_where_hosts_do_not_tell() {
        let names = ["web01", "web02:80", "WEB02:81"].map(str::to_owned);
        let labels: Vec<_> = resolve(&names).unwrap().into_iter().map(|target| target.label).collect();
        assert_eq!(labels, ["web01", "web02:80", "web02:81"]);
        let paths = resolve(&["web01".to_owned(), "http://web01/other".to_owned()]).unwrap();
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
