use std::path::Path;
use std::time::{Duration, SystemTime};

use winrm_shell::files::{CopyError, Download, Existing, FileError, Problem};

use crate::far_ends::{Local, noise, tree, write_tree};

fn download(source: &Path, target: &Path) -> Download {
    Download::new(Local::sh(), source.to_str().unwrap(), target).expand(false)
}

#[tokio::test]
async fn files_of_every_size_come_with_their_time() {
    let folder = tempfile::tempdir().unwrap();
    for len in [0, 1, 262_145, 1_500_000] {
        let (source, target) = (folder.path().join("a source"), folder.path().join("target"));
        std::fs::write(&source, noise(len)).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_700);
        std::fs::File::options().write(true).open(&source).unwrap().set_modified(modified).unwrap();
        let copied = download(&source, &target).await.unwrap();
        assert_eq!((copied.files, copied.bytes), (1, u64::try_from(len).unwrap()));
        assert!(std::fs::read(&target).unwrap() == noise(len), "{len}");
        assert_eq!(std::fs::metadata(&target).unwrap().modified().unwrap(), modified, "{len}");
        assert_eq!(tree(folder.path()).len(), 2, "{len}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_have_the_rights_that_new_files_have() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::write(&source, "x").unwrap();
    download(&source, &target).await.unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(target), mode(source));
}

#[tokio::test]
async fn folders_come_whole_whatever_the_names() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    write_tree(&source);
    let copied = download(&source, &target).await.unwrap();
    assert_eq!(tree(&target), tree(&source));
    assert_eq!((copied.files, copied.folders), (12, 7));
    let copied = download(&source, &target).existing(Existing::Update).await.unwrap();
    assert_eq!((copied.files, copied.skipped), (0, 12));
    let copied = download(&source, &target).into_folder(true).await.unwrap();
    assert_eq!(copied.files, 12);
    assert_eq!(tree(&target.join("source")), tree(&source));
}

#[tokio::test]
async fn more_files_than_are_asked_for_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    for number in 0..200 {
        std::fs::write(source.join(format!("file {number}")), noise(number)).unwrap();
    }
    assert_eq!(download(&source, &target).await.unwrap().files, 200);
    assert_eq!(tree(&target), tree(&source));
}

#[tokio::test]
async fn what_is_here_already_is_treated_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::write(&source, noise(5000)).unwrap();
    std::fs::write(&target, "old").unwrap();
    let error = download(&source, &target).existing(Existing::Refuse).await.unwrap_err();
    let FileError::Local(local) = &error.copied().unwrap().failures[0].error else { panic!("{error:?}") };
    assert_eq!(local.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(download(&source, &target).existing(Existing::Skip).await.unwrap().skipped, 1);
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    for (files, skipped) in [(1, 0), (0, 1)] {
        let copied = download(&source, &target).existing(Existing::Update).await.unwrap();
        assert_eq!((copied.files, copied.skipped), (files, skipped));
    }
    assert!(std::fs::read(&target).unwrap() == noise(5000));
}

#[tokio::test]
async fn each_mistake_has_its_message() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    let error = download(&source, &target).await.unwrap_err();
    assert!(
        matches!(&error, CopyError::Remote { refusal, .. } if refusal.problem == Problem::Missing),
        "{error:?}"
    );
    std::fs::write(&source, noise(600_000)).unwrap();
    for (wrong, kind) in [
        ("no/such", std::io::ErrorKind::NotFound),
        ("source/x", std::io::ErrorKind::NotADirectory),
        (".", std::io::ErrorKind::IsADirectory),
    ] {
        let error = download(&source, &folder.path().join(wrong)).await.unwrap_err();
        let FileError::Local(local) = &error.copied().unwrap().failures[0].error else { panic!("{error:?}") };
        assert_eq!(local.kind(), kind, "{wrong}");
    }
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let error = download(&folder.path().join("folder"), &source).await.unwrap_err();
    assert!(matches!(&error, CopyError::Local { path, .. } if *path == source), "{error:?}");
    assert_eq!(tree(folder.path()).len(), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_copied_is_told_and_the_rest_comes() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), "content").unwrap();
    symlink("file", source.join("link")).unwrap();
    symlink(".", source.join("loop")).unwrap();
    std::fs::write(source.join(std::ffi::OsStr::from_bytes(b"not \xff Unicode")), "x").unwrap();
    let error = download(&source, &target).await.unwrap_err();
    let copied = error.copied().unwrap();
    assert_eq!((copied.files, copied.failures.len()), (2, 2), "{copied:?}");
    assert_eq!(std::fs::read(target.join("link")).unwrap(), b"content");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_here_is_not_replaced_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("socket"));
    std::fs::write(&source, "x").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&target).unwrap();
    let error = download(&source, &target).await.unwrap_err();
    assert!(matches!(&error, CopyError::Incomplete(copied) if copied.failures.len() == 1), "{error:?}");
    assert!(!std::fs::metadata(&target).unwrap().is_file());
}
