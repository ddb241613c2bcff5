use std::path::Path;

use tokio::io::AsyncWriteExt;
use winrm_shell::files::{
    CopyError, Direction, Download, End, FarEnd, FileError, Interpreter, Problem, Remote, Starting, Upload,
};

use crate::far_ends::{Local, noise, tree};

/// Says what it was told to say, whatever it is asked.
struct Scripted(Vec<u8>);

impl Remote for Scripted {
    fn start(&self, _: Direction) -> Starting<'_> {
        let says = self.0.clone();
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            let (stdout, _) = tokio::io::split(ours);
            tokio::spawn(async move {
                let mut theirs = theirs;
                // Nobody may be listening any more.
                let _ = theirs.write_all(&says).await;
            });
            Ok(FarEnd {
                greeting: Vec::new(),
                stdin: Box::new(tokio::io::sink()),
                stdout: Box::new(stdout),
                end: Box::pin(async { End { stderr: "segmentation fault\n".to_owned(), error: None } }),
            })
        })
    }
}

async fn download(says: &[u8], target: &Path) -> Result<(), CopyError> {
    Download::new(Scripted(says.to_vec()), "x", target).await.map(|_| ())
}

#[tokio::test]
async fn names_that_lead_out_of_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let says =
        b"root folder /x\0error is-a-folder x\0listing\0d 0 0 ../evil\0f 1 0 ../../evil\0f 1 0 /etc/evil\0\
                 f 1 0 a/../../evil\0f 1 0 \0.\0";
    let error = download(says, &target).await.unwrap_err();
    let failures = &error.copied().unwrap().failures;
    assert_eq!(failures.len(), 5, "{failures:?}");
    assert!(failures.iter().all(|failure| matches!(failure.error, FileError::Name(_))));
    assert_eq!(tree(folder.path()).len(), 1);
}

#[tokio::test]
async fn a_far_end_that_talks_nonsense_or_dies_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    for (says, nonsense) in [
        (&b"hello\0"[..], true),
        (b"root file /x\0file 5 0 9\0", true),
        (b"root file /x\0ok\0", true),
        (b"root file /x\0file 3 0 0\0abcok\0", true),
        (b"root folder /x\0file 3 0 0\0abcok\0", true),
        (b"", false),
        (b"root file /x\0file 5 0 0\0abc", false),
        (b"root folder /x\0error x y\0listing\0f 1 0 a\0", false),
    ] {
        let error = download(says, &target).await.unwrap_err();
        match &error {
            CopyError::NotUnderstood { .. } => assert!(nonsense, "{says:?}"),
            CopyError::Lost { stderr, .. } => {
                assert!(!nonsense && stderr.contains("segmentation"), "{says:?}");
            }
            error => panic!("{error:?}"),
        }
        assert!(!target.is_file());
    }
    let endless = vec![b'x'; 1 << 20];
    assert!(matches!(download(&endless, &target).await, Err(CopyError::NotUnderstood { .. })));
}

#[tokio::test]
async fn another_digest_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let error = download(b"root file /x\0file 3 0 0\0abcsum 00\0", &target).await.unwrap_err();
    assert!(matches!(error.copied().unwrap().failures[0].error, FileError::Corrupt), "{error:?}");
    assert!(tree(folder.path()).is_empty());

    let source = folder.path().join("source");
    let script = Interpreter::PosixShell.greeting().len();
    for len in [1000, 500_000] {
        std::fs::write(&source, noise(len)).unwrap();
        let remote = Local::sh().flips(script + 700);
        let error = Upload::new(remote, &source, target.to_str().unwrap()).await.unwrap_err();
        let FileError::Remote(refusal) = &error.copied().unwrap().failures[0].error else {
            panic!("{error:?}")
        };
        assert_eq!(refusal.problem, Problem::Changed);
        assert_eq!(tree(folder.path()).len(), 1);
    }
}
