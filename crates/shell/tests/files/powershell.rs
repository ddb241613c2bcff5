//! The script for PowerShell, where there is one to run it.

use winrm_shell::files::{CopyError, Download, Existing, Problem, Upload};

use crate::far_ends::{Local, noise, tree, write_tree};

#[tokio::test]
async fn folders_go_there_and_come_back() {
    let found = std::process::Command::new("pwsh").args(["-NoProfile", "-Command", "exit 0"]).output();
    if !found.is_ok_and(|found| found.status.success()) {
        eprintln!("pwsh is not installed: the script for PowerShell was not run");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("source")).unwrap();
    write_tree(&at("source"));
    let there = at("there").to_str().unwrap().to_owned();
    let upload = || Upload::new(Local::powershell(), at("source"), &there);
    assert_eq!(upload().await.unwrap().files, 12);
    assert_eq!(tree(&at("there")), tree(&at("source")));
    assert_eq!(upload().existing(Existing::Update).await.unwrap().skipped, 12);
    Download::new(Local::powershell(), &there, at("back")).await.unwrap();
    assert_eq!(tree(&at("back")), tree(&at("source")));
    let error = Download::new(Local::powershell(), at("none").to_str().unwrap(), at("x")).await.unwrap_err();
    assert!(matches!(error, CopyError::Remote { refusal, .. } if refusal.problem == Problem::Missing));
    std::fs::write(at("large"), noise(3_000_000)).unwrap();
    let target = at("large there").to_str().unwrap().to_owned();
    let broken = Local::powershell().breaks_after(2_000_000);
    Upload::new(broken, at("large"), &target).resume(true).await.unwrap_err();
    Upload::new(Local::powershell(), at("large"), &target).resume(true).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == noise(3_000_000));
}
