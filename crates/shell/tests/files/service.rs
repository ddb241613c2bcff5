use std::future::IntoFuture;

use winrm_loopback::{LocalProcess, Service};
use winrm_shell::files::{CopyError, Download, Upload, WinRs};
use winrm_transport::{Client, Credentials};

use crate::far_ends::{noise, tree, write_tree};

async fn pair() -> (Service, Client) {
    let service =
        Service::builder().account("user", "pass").handler(LocalProcess::new()).start().await.unwrap();
    let credentials = Credentials::password("user", "pass");
    let client = Client::builder(service.url()).unwrap().credentials(credentials).build().unwrap();
    (service, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_is_one_process_and_few_requests() {
    let (service, client) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::write(&source, noise(100_000)).unwrap();
    Upload::new(WinRs::new(&client), &source, target.to_str().unwrap()).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == noise(100_000));
    let back = folder.path().join("back");
    Download::new(WinRs::new(&client), target.to_str().unwrap(), &back).await.unwrap();
    assert!(std::fs::read(&back).unwrap() == noise(100_000));
    client.close().await;
    let log = service.log();
    let count = |name: &str| log.actions().iter().filter(|action| **action == name).count();
    assert_eq!((count("Create"), count("Command"), count("Delete")), (2, 2, 2));
    assert!(count("Send") <= 4, "{:?}", log.actions());
}

/// Base64 makes four characters of three bytes; envelopes and NTLM's signatures are next to nothing.
#[tokio::test(flavor = "multi_thread")]
async fn every_byte_crosses_once() {
    const LEN: usize = 8_000_000;
    let (service, client) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let (source, target, back) =
        (folder.path().join("source"), folder.path().join("target"), folder.path().join("back"));
    std::fs::write(&source, noise(LEN)).unwrap();
    Upload::new(WinRs::new(&client), &source, target.to_str().unwrap()).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == noise(LEN));
    let sends = || service.log().actions().iter().filter(|action| **action == "Send").count();
    // 384 000 bytes fill an envelope; the process takes them as fast as it likes.
    assert!(sends() <= LEN / 384_000 + 12, "{} Sends", sends());
    Download::new(WinRs::new(&client), target.to_str().unwrap(), &back).await.unwrap();
    assert!(std::fs::read(&back).unwrap() == noise(LEN));
    client.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_go_there_and_come_back() {
    let (service, client) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("source")).unwrap();
    write_tree(&at("source"));
    Upload::new(WinRs::new(&client), at("source"), at("there").to_str().unwrap()).await.unwrap();
    Download::new(WinRs::new(&client), at("there").to_str().unwrap(), at("back")).await.unwrap();
    assert_eq!(tree(&at("back")), tree(&at("source")));
    client.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_goes_away_is_told_with_its_reason() {
    let (service, client) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::write(&source, noise(50_000_000)).unwrap();
    let uploading = tokio::spawn({
        let upload = Upload::new(WinRs::new(&client), &source, target.to_str().unwrap());
        async move { upload.await }
    });
    while !folder
        .path()
        .read_dir()
        .unwrap()
        .any(|entry| entry.unwrap().file_name().to_string_lossy().contains("partial"))
    {
        tokio::task::yield_now().await;
    }
    service.shutdown().await;
    let error = uploading.await.unwrap().unwrap_err();
    assert!(matches!(&error, CopyError::Lost { source: Some(_), .. }), "{error:?}");
    assert!(!target.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_given_up_leaves_nothing_behind() {
    for begun_with in [0, 1_000_000] {
        let (service, client) = pair().await;
        let folder = tempfile::tempdir().unwrap();
        let (source, place) = (folder.path().join("source"), folder.path().join("there"));
        std::fs::create_dir(&place).unwrap();
        std::fs::write(&source, noise(50_000_000)).unwrap();
        let target = place.join("target");
        let upload = Upload::new(WinRs::new(&client), &source, target.to_str().unwrap());
        let size = || {
            let entry = std::fs::read_dir(&place).unwrap().next()?.unwrap();
            Some(entry.metadata().unwrap().len())
        };
        let begun = async {
            while size().is_none_or(|size| size < begun_with) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            copied = upload.into_future() => panic!("{copied:?}"),
            () = begun => {}
        }
        client.close().await;
        assert!(tree(&place).is_empty(), "begun with {begun_with}");
        assert_eq!((service.open_shells(), service.running_commands()), (0, 0));
    }
}
