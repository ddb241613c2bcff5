use std::sync::atomic::Ordering;

use winrm_shell::files::{CopyError, Download, Upload};

use crate::far_ends::{Local, noise, tree};

const LEN: usize = 3_000_000;
/// A far end that dies after two of the three million bytes.
const BREAKS_OFF: &str = "head() { if [ $2 -ge 3000000 ]; then command head -c 2000000; kill $$; else command head \"$@\"; fi; }; ";

#[tokio::test]
async fn an_upload_that_broke_off_leaves_nothing_under_its_name_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (source, place) = (folder.path().join("source"), folder.path().join("there"));
    std::fs::create_dir(&place).unwrap();
    std::fs::write(&source, noise(LEN)).unwrap();
    let target = place.join("target");
    let upload = |remote| Upload::new(remote, &source, target.to_str().unwrap());
    for resume in [false, true] {
        let error = upload(Local::sh().breaks_after(2_000_000)).resume(resume).await.unwrap_err();
        assert!(matches!(error, CopyError::Lost { .. }), "{error:?}");
        assert!(!target.exists());
        assert_eq!(tree(&place).len(), usize::from(resume), "what is of no use to anybody is gone");
    }
    // A byte more and the second attempt breaks off as well: it sends only the rest.
    let left = LEN - 1_800_000;
    upload(Local::sh().breaks_after(left)).resume(true).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == noise(LEN));
    assert_eq!(tree(&place).len(), 1);
}

#[tokio::test]
async fn what_is_left_of_something_else_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let (source, place) = (folder.path().join("source"), folder.path().join("there"));
    std::fs::create_dir(&place).unwrap();
    std::fs::write(&source, noise(LEN)).unwrap();
    let target = place.join("target");
    let upload = |remote| Upload::new(remote, &source, target.to_str().unwrap()).resume(true);
    upload(Local::sh().breaks_after(2_000_000)).await.unwrap_err();
    let partial = std::fs::read_dir(&place).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&partial, vec![0; 1_000_000]).unwrap();
    upload(Local::sh()).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == noise(LEN));
    assert_eq!(tree(&place).len(), 1);
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (source, here) = (folder.path().join("source"), folder.path().join("here"));
    std::fs::create_dir(&here).unwrap();
    std::fs::write(&source, noise(LEN)).unwrap();
    let target = here.join("target");
    let download = |remote| Download::new(remote, source.to_str().unwrap(), &target);
    for resume in [false, true] {
        let error = download(Local::sh().prefix(BREAKS_OFF)).resume(resume).await.unwrap_err();
        assert!(matches!(error, CopyError::Lost { .. }), "{error:?}");
        assert!(!target.exists());
        assert_eq!(tree(&here).len(), usize::from(resume));
    }
    let remote = Local::sh();
    let received = remote.received();
    download(remote).resume(true).await.unwrap();
    // Only what was not here yet.
    assert!(received.load(Ordering::Relaxed) < LEN - 1_800_000);
    assert!(std::fs::read(&target).unwrap() == noise(LEN));
    assert_eq!(tree(&here).len(), 1);
}

#[tokio::test]
async fn a_download_that_is_given_up_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (source, here) = (folder.path().join("source"), folder.path().join("here"));
    std::fs::create_dir(&here).unwrap();
    std::fs::write(&source, noise(LEN)).unwrap();
    let target = here.join("target");
    for resume in [false, true] {
        let (begun, mut beginning) = tokio::sync::mpsc::unbounded_channel();
        let download = Download::new(Local::sh(), source.to_str().unwrap(), &target)
            .resume(resume)
            .on_progress(move |progress| {
                if progress.bytes > 1_000_000 {
                    let _ = begun.send(());
                }
            });
        tokio::select! {
            biased;
            _ = beginning.recv() => {}
            copied = IntoFuture::into_future(download) => panic!("{copied:?}"),
        }
        assert!(!target.exists());
        assert_eq!(tree(&here).len(), usize::from(resume));
    }
    let remote = Local::sh();
    let received = remote.received();
    Download::new(remote, source.to_str().unwrap(), &target).resume(true).await.unwrap();
    assert!(received.load(Ordering::Relaxed) < LEN);
    assert!(std::fs::read(&target).unwrap() == noise(LEN));
    assert_eq!(tree(&here).len(), 1);
}

#[tokio::test]
async fn a_download_begun_of_something_else_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let (source, here) = (folder.path().join("source"), folder.path().join("here"));
    std::fs::create_dir(&here).unwrap();
    std::fs::write(&source, noise(LEN)).unwrap();
    let target = here.join("target");
    let download = |remote| Download::new(remote, source.to_str().unwrap(), &target).resume(true);
    download(Local::sh().prefix(BREAKS_OFF)).await.unwrap_err();
    let partial = std::fs::read_dir(&here).unwrap().next().unwrap().unwrap().path();
    for wrong in [1000, LEN + 1] {
        std::fs::write(&partial, vec![0; wrong]).unwrap();
        download(Local::sh()).await.unwrap();
        assert!(std::fs::read(&target).unwrap() == noise(LEN));
        assert_eq!(tree(&here).len(), 1, "{wrong}");
    }
}
