use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use winrm_shell::files::{Copied, CopyError, Existing, FileError, Problem, Upload};

use crate::far_ends::{Local, noise, tree, write_tree};

fn upload(source: &Path, target: &Path) -> Upload {
    Upload::new(Local::sh(), source, target.to_str().unwrap()).expand(false)
}

/// What the only failure of an incomplete copy is.
fn only_failure(result: Result<Copied, CopyError>) -> FileError {
    match result {
        Err(CopyError::Incomplete(copied)) if copied.failures.len() == 1 => copied.failures[0].error.clone(),
        other => panic!("{other:?}"),
    }
}

fn problem(result: Result<Copied, CopyError>) -> Problem {
    match only_failure(result) {
        FileError::Remote(refusal) => refusal.problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_of_every_size_arrive_with_their_time() {
    let folder = tempfile::tempdir().unwrap();
    for len in [0, 1, 262_144, 262_145, 1_500_000] {
        let source = folder.path().join("source");
        let target = folder.path().join("target file");
        std::fs::write(&source, noise(len)).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_700);
        std::fs::File::options().write(true).open(&source).unwrap().set_modified(modified).unwrap();
        let copied = upload(&source, &target).await.unwrap();
        assert_eq!((copied.files, copied.bytes), (1, u64::try_from(len).unwrap()));
        assert_eq!(copied.remote, target.to_str().unwrap());
        assert!(std::fs::read(&target).unwrap() == noise(len), "{len}");
        assert_eq!(std::fs::metadata(&target).unwrap().modified().unwrap(), modified, "{len}");
        upload(&source, &target).keep_times(false).await.unwrap();
        assert_ne!(std::fs::metadata(&target).unwrap().modified().unwrap(), modified);
        // Nothing else is left.
        assert_eq!(tree(folder.path()).len(), 2, "{len}");
    }
}

#[tokio::test]
async fn folders_arrive_whole_whatever_the_names() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    write_tree(&source);
    let copied = upload(&source, &target).await.unwrap();
    assert_eq!(tree(&target), tree(&source));
    assert_eq!((copied.files, copied.folders), (12, 7));
    // Merged with what is there, and into it by name.
    std::fs::write(target.join("other"), "x").unwrap();
    let copied = upload(&source, &target).existing(Existing::Update).await.unwrap();
    assert_eq!((copied.files, copied.skipped), (0, 12));
    assert!(target.join("other").exists());
    let copied = upload(&source, &target).into_folder(true).await.unwrap();
    assert_eq!(copied.remote, target.join("source").to_str().unwrap());
    assert_eq!(tree(&target.join("source")), tree(&source));
}

#[tokio::test]
async fn what_is_there_already_is_treated_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    for len in [5, 300_000] {
        let (source, target) = (folder.path().join("source"), folder.path().join("target"));
        std::fs::write(&source, noise(len)).unwrap();
        let reset = || std::fs::write(&target, "old").unwrap();
        reset();
        assert_eq!(problem(upload(&source, &target).existing(Existing::Refuse).await), Problem::Exists);
        let copied = upload(&source, &target).existing(Existing::Skip).await.unwrap();
        assert_eq!((copied.files, copied.skipped), (0, 1));
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        for (files, skipped) in [(1, 0), (0, 1)] {
            let copied = upload(&source, &target).existing(Existing::Update).await.unwrap();
            assert_eq!((copied.files, copied.skipped), (files, skipped));
        }
        reset();
        upload(&source, &target).await.unwrap();
        assert!(std::fs::read(&target).unwrap() == noise(len));
        assert_eq!(tree(folder.path()).len(), 2);
    }
}

#[tokio::test]
async fn each_mistake_has_its_message() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let missing = upload(&source, &folder.path().join("target")).await.unwrap_err();
    assert!(matches!(&missing, CopyError::Local { path, .. } if *path == source), "{missing:?}");
    std::fs::write(&source, "x").unwrap();
    let into = |path: &str| folder.path().join(path);
    assert_eq!(problem(upload(&source, &into("no/such/folder")).await), Problem::Missing);
    std::fs::create_dir(into("folder")).unwrap();
    assert_eq!(problem(upload(&source, &into("folder")).await), Problem::IsAFolder);
    assert_eq!(problem(upload(&source, &into("source/x")).await), Problem::NotAFolder);
    let long = "n".repeat(300);
    assert_eq!(problem(upload(&source, &into(&long)).await), Problem::Name);
    let error = upload(&into("folder"), &source).await.unwrap_err();
    assert!(
        matches!(&error, CopyError::Remote { refusal, .. } if refusal.problem == Problem::NotAFolder),
        "{error:?}"
    );
    let error = Upload::new(Local::sh(), &source, "").await.unwrap_err();
    assert!(matches!(&error, CopyError::Remote { refusal, .. } if refusal.problem == Problem::Name));
    let error =
        Upload::new(Local::sh(), &source, format!("{}/none/", folder.path().display())).await.unwrap_err();
    assert!(matches!(&error, CopyError::Remote { refusal, .. } if refusal.problem == Problem::Missing));
    assert_eq!(tree(folder.path()).len(), 2);
}

#[tokio::test]
async fn what_is_no_file_is_not_replaced_by_one() {
    use std::os::unix::net::UnixListener;
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("socket"));
    std::fs::write(&source, "x").unwrap();
    let _socket = UnixListener::bind(&target).unwrap();
    assert_eq!(problem(upload(&source, &target).await), Problem::Other);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    assert!(!std::fs::metadata(&target).unwrap().is_file());
}

#[tokio::test]
async fn a_full_disk_stops_only_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    for (name, len) in
        [("1 small", 10), ("2 fits not", 200_000), ("3 fits not either", 800_000), ("4 small", 10)]
    {
        std::fs::write(source.join(name), noise(len)).unwrap();
    }
    // No file may be larger than 32 KiB: the nearest thing to a full disk that needs no disk.
    let remote = Local::sh().prefix("trap '' XFSZ; ulimit -f 64; ");
    let error = Upload::new(remote, &source, target.to_str().unwrap()).await.unwrap_err();
    let copied = error.copied().unwrap();
    assert_eq!(copied.files, 2, "{error}");
    let failed: Vec<_> = copied
        .failures
        .iter()
        .map(|failure| match &failure.error {
            FileError::Remote(refusal) => (failure.path.as_str(), refusal.problem),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(failed, [("2 fits not", Problem::DiskFull), ("3 fits not either", Problem::DiskFull)]);
    assert!(error.to_string().contains("2 fits not: the disk there is full"), "{error}");
    assert_eq!(tree(&target).len(), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn links_to_files_are_followed_and_others_are_told() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), "content").unwrap();
    symlink("file", source.join("link")).unwrap();
    symlink(".", source.join("loop")).unwrap();
    symlink("nowhere", source.join("broken")).unwrap();
    let error = upload(&source, &target).await.unwrap_err();
    let copied = error.copied().unwrap();
    let failed: Vec<_> = copied.failures.iter().map(|failure| failure.path.as_str()).collect();
    assert_eq!((copied.files, failed), (2, vec!["broken", "loop"]));
    assert_eq!(std::fs::read(target.join("link")).unwrap(), b"content");
}

#[tokio::test]
async fn variables_are_replaced_only_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::write(&source, "x").unwrap();
    let inside = format!("cd '{}'; export HOME=$PWD; mkdir -p \"$HOME/x\"; ", folder.path().display());
    let inside: &'static str = Box::leak(inside.into_boxed_str());
    for (target, expected) in [
        ("$HOME/a", "a"),
        ("${HOME}/b$", "b$"),
        ("~/c", "c"),
        ("x/$UNSET_VARIABLE", "x/$UNSET_VARIABLE"),
        ("x/${not a name}", "x/${not a name}"),
        ("x/$(touch hacked)", "x/$(touch hacked)"),
        ("x/`touch hacked`;$", "x/`touch hacked`;$"),
        ("$HOME/x/$$", "x/$$"),
    ] {
        Upload::new(Local::sh().prefix(inside), &source, target).await.unwrap();
        assert!(folder.path().join(expected).is_file(), "{target}");
    }
    Upload::new(Local::sh().prefix(inside), &source, "x/$HOME").expand(false).await.unwrap();
    assert!(folder.path().join("x/$HOME").is_file());
    assert!(!folder.path().join("hacked").exists());
}

#[tokio::test]
async fn progress_ends_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    write_tree(&source);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let copied = upload(&source, &target)
        .on_progress(move |progress| log.lock().unwrap().push(progress.clone()))
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.files, last.total_files), (12, Some(12)));
    assert_eq!((last.bytes, last.total_bytes), (copied.bytes, Some(copied.bytes)));
    assert!(seen.windows(2).all(|pair| pair[0].bytes <= pair[1].bytes && pair[0].files <= pair[1].files));
    assert!(seen.iter().any(|progress| progress.file == "deep/er/large.bin" && progress.bytes > 0));
}
