//! Files and folders to hosts and from them.

use std::path::Path;

use crate::common::{Host, assert_code, json_lines, stderr, stdout, winrm};

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

/// `TARGET`s of these hosts, as options.
fn targets(hosts: &[&Host]) -> Vec<String> {
    hosts.iter().flat_map(|host| ["--target".to_owned(), host.url()]).collect()
}

fn copy(hosts: &[&Host], arguments: &[&str]) -> std::process::Output {
    let targets = targets(hosts);
    let line: Vec<&str> = ["copy"]
        .into_iter()
        .chain(targets.iter().map(String::as_str))
        .chain(arguments.iter().copied())
        .collect();
    winrm(&line).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn files_go_there_and_come_back() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let (source, there, back) =
        (folder.path().join("a file"), folder.path().join("it's there"), folder.path().join("back"));
    std::fs::write(&source, content(700_000)).unwrap();
    let output = copy(&[&host], &[text(&source), &format!(":{}", there.display())]);
    assert_code(&output, 0);
    assert_eq!((stdout(&output), stderr(&output)), (String::new(), String::new()));
    let output = copy(&[&host], &[&format!(":{}", there.display()), text(&back)]);
    assert_code(&output, 0);
    assert!(std::fs::read(&back).unwrap() == content(700_000));
    host.assert_clean();
    // With the host's name before the colon, which has no room for a port.
    let output = winrm(&["copy", &format!("127.0.0.1:{}", there.display()), text(&back)]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("http://127.0.0.1:5985/wsman"), "{}", stderr(&output));
}

#[test]
fn several_sources_and_folders_go_into_a_folder() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["tree/sub", "there"] {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    std::fs::write(at("one"), "1").unwrap();
    std::fs::write(at("tree/sub/two"), "2").unwrap();
    let there = format!(":{}", at("there").display());
    let refused = copy(&[&host], &[text(&at("one")), text(&at("tree")), &there]);
    assert_code(&refused, 255);
    assert!(stderr(&refused).contains("is a folder\n  try: "), "{}", stderr(&refused));
    let output = copy(&[&host], &["-r", "--json", text(&at("one")), text(&at("tree")), &there]);
    assert_code(&output, 0);
    let told = json_lines(&output);
    assert_eq!((told[0]["files"].as_u64(), told[0]["bytes"].as_u64()), (Some(2), Some(2)), "{told:?}");
    assert_eq!(std::fs::read(at("there/tree/sub/two")).unwrap(), b"2");
    // And one of them back.
    std::fs::create_dir(at("back")).unwrap();
    let remote = format!(":{}", at("there/tree").display());
    let output = copy(&[&host], &[&remote, text(&at("back"))]);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("is a folder"), "{}", stderr(&output));
    let output = copy(&[&host], &["-r", &remote, text(&at("back"))]);
    assert_code(&output, 0);
    assert_eq!(std::fs::read(at("back/tree/sub/two")).unwrap(), b"2");
    host.assert_clean();
}

#[test]
fn what_cannot_be_copied_is_told_and_the_rest_is_there() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("there/one")).unwrap();
    std::fs::write(at("one"), "1").unwrap();
    std::fs::write(at("two"), "2").unwrap();
    let there = format!(":{}", at("there").display());
    let output = copy(&[&host], &[text(&at("one")), text(&at("two")), &there]);
    assert_code(&output, 1);
    let told = stderr(&output);
    assert!(told.contains(&format!("{}: a folder there", at("one").display())), "{told}");
    assert!(told.contains("1 file or folder was not copied"), "{told}");
    assert_eq!(std::fs::read(at("there/two")).unwrap(), b"2");

    let output = copy(&[&host], &["--existing", "refuse", text(&at("two")), &there]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("there already"), "{}", stderr(&output));
    let output = copy(&[&host], &["--existing", "skip", "--json", text(&at("two")), &there]);
    assert_code(&output, 0);
    assert_eq!(json_lines(&output)[0]["skipped"], 1);

    let output = copy(&[&host], &[text(&at("none")), &there]);
    assert_code(&output, 255);
    assert!(
        stderr(&output).contains(&format!("cannot read {}", at("none").display())),
        "{}",
        stderr(&output)
    );
    let output = copy(&[&host], &[":/nonexistent/x", text(&at("y"))]);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("/nonexistent/x: not found there"), "{}", stderr(&output));
    host.assert_clean();
}

#[test]
fn many_hosts_get_the_same_and_give_each_into_a_folder_of_its_own() {
    let (one, other) = (Host::start(), Host::start());
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("source"), content(5000)).unwrap();
    let output =
        copy(&[&one, &other], &["--json", text(&at("source")), &format!(":{}", at("there").display())]);
    assert_code(&output, 0);
    let told = json_lines(&output);
    assert_eq!((told.len(), told[2]["summary"]["done"].as_u64()), (3, Some(2)), "{told:?}");
    let output = copy(&[&one, &other], &[&format!(":{}", at("there").display()), text(&at("back"))]);
    assert_code(&output, 0);
    let name = |host: &Host| host.service().addr().to_string().replace(':', "_");
    for host in [&one, &other] {
        assert!(std::fs::read(at("back").join(name(host)).join("there")).unwrap() == content(5000));
        host.assert_clean();
    }
}

#[test]
fn two_hosts_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = folder.path().join("hosts");
    std::fs::write(&inventory, "[all]\na:b ansible_host=127.0.0.1\na_b ansible_host=127.0.0.2\n").unwrap();
    let back = folder.path().join("back");
    let source = format!("@{}:/etc/passwd", text(&inventory));
    let output = winrm(&["copy", &source, text(&back)]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("two hosts would go into the folder a_b"), "{}", stderr(&output));
    assert!(!back.exists());
}

#[test]
fn an_interrupted_copy_leaves_nothing_under_its_name() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let (source, there) = (folder.path().join("source"), folder.path().join("there"));
    std::fs::write(&source, content(60_000_000)).unwrap();
    let child = winrm(&["copy", "--target", &host.url(), text(&source), &format!(":{}", there.display())])
        .spawn()
        .unwrap();
    crate::common::until("content is on its way", || std::fs::read_dir(folder.path()).unwrap().count() > 1);
    crate::common::signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("interrupted"), "{}", stderr(&output));
    assert!(!there.exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something is left");
    host.assert_clean();
}
