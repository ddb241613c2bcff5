//! `winrm copy`: files and folders to hosts, or from them.

mod paths;
mod show;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;
use winrm::Client;
use winrm::files::{Copied, CopyError};

use self::paths::{Direction, Plan};
use self::show::Shown;
use crate::args::{CopyArgs, Existing, HowToCopy, Targets};
use crate::control::{self, Control, Wish};
use crate::fan::{Ended, Host, Hosts, members, stopped};
use crate::input;
use crate::report::{Failure, chain};

/// The exit status when some files were copied and others were not.
const INCOMPLETE: u32 = 1;

/// Copies everything; the exit status.
pub(crate) async fn copy(args: CopyArgs) -> Result<i32, Failure> {
    let CopyArgs { paths, target, mut how, json, fan, connection } = args;
    let Plan { direction, targets } = paths::plan(&paths, target)?;
    let targets = Targets { targets, json };
    input::read_once(&targets, &connection, None)?;
    // Before anybody is asked for a password.
    check(&direction, how.recursive)?;
    how.quiet |= json;
    let hosts = Hosts::read(&targets, fan, connection, Control::start()?).await?;
    let several = hosts.labels().len() > 1;
    if several && let Direction::Down { target, .. } = &direction {
        let mut folders = HashSet::new();
        if let Some(twice) = hosts.labels().map(folder_of).find(|folder| !folders.insert(folder.clone())) {
            return Err(Failure::new(format!("two hosts would go into the folder {twice}"))
                .with_remedy("copy from them one at a time"));
        }
        std::fs::create_dir_all(target)
            .map_err(|error| Failure::caused_by(format!("cannot make {}", target.display()), &error))?;
    }
    let what = Arc::new((direction, how));
    hosts
        .act(move |host, client, wishes| {
            let what = Arc::clone(&what);
            async move { on(&host, &client, &what.0, &what.1, several, wishes).await }
        })
        .await
}

/// Mistakes that are the same for all hosts.
fn check(direction: &Direction, recursive: bool) -> Result<(), Failure> {
    let Direction::Up { sources, .. } = direction else { return Ok(()) };
    for source in sources {
        let metadata = std::fs::metadata(source)
            .map_err(|error| Failure::caused_by(format!("cannot read {}", source.display()), &error))?;
        if metadata.is_dir() && !recursive {
            return Err(Failure::new(format!("{} is a folder", source.display()))
                .with_remedy("copy it with everything in it: -r"));
        }
    }
    Ok(())
}

/// All that is to be copied to one host, or from it.
async fn on(
    host: &Host,
    client: &Client,
    direction: &Direction,
    how: &HowToCopy,
    several: bool,
    mut wishes: watch::Receiver<Wish>,
) -> Result<Ended, Failure> {
    let mut total = Copied::default();
    let mut failed = 0_usize;
    let count = match direction {
        Direction::Up { sources, .. } => sources.len(),
        Direction::Down { sources, .. } => sources.len(),
    };
    for number in 0..count {
        let one = One { host, client, how, is_alone: count == 1, several };
        let copied = {
            let interrupted = control::wanted(&mut wishes, |wish| *wish != Wish::Run);
            tokio::select! {
                copied = one.copy(direction, number) => copied,
                wish = interrupted => return Err(match wish {
                    Wish::Interrupt => Failure::new("interrupted: files that were under way are not there"),
                    wish => stopped(wish),
                }),
            }
        };
        let (copied, error) = match copied {
            Ok(copied) => (copied, None),
            Err(CopyError::Incomplete(copied)) => (*copied, None),
            Err(error) => (error.copied().cloned().unwrap_or_default(), Some(error)),
        };
        total.files += copied.files;
        total.bytes = total.bytes.saturating_add(copied.bytes);
        total.skipped += copied.skipped;
        failed += copied.failures.len();
        for failure in &copied.failures {
            let source = direction.source(number);
            let path = if failure.path.is_empty() { source } else { format!("{source}: {}", failure.path) };
            tell(host, &path, &failure.error.to_string()).await;
        }
        match error {
            None => {}
            // Of this source alone: the others are copied all the same.
            Some(error @ (CopyError::Local { .. } | CopyError::Source { .. } | CopyError::Remote { .. }))
                if count > 1 =>
            {
                failed += 1;
                tell(host, &direction.source(number), &chain(&error)).await;
            }
            Some(error) => return Err(failure_of(&error)),
        }
    }
    if failed > 0 {
        let files = if failed == 1 {
            "1 file or folder was".to_owned()
        } else {
            format!("{failed} files or folders were")
        };
        return Err(Failure::new(format!("{files} not copied")).with_code(INCOMPLETE));
    }
    Ok(Ended::Told(members([
        ("files", json!(total.files)),
        ("bytes", json!(total.bytes)),
        ("skipped", json!(total.skipped)),
    ])))
}

/// One source on one host.
struct One<'a> {
    host: &'a Host,
    client: &'a Client,
    how: &'a HowToCopy,
    is_alone: bool,
    several: bool,
}

impl One<'_> {
    async fn copy(&self, direction: &Direction, number: usize) -> Result<Copied, CopyError> {
        let how = self.how;
        let shown = Shown::new(how.quiet || self.several, &direction.source(number));
        let existing = match how.existing {
            Existing::Overwrite => winrm::files::Existing::Overwrite,
            Existing::Refuse => winrm::files::Existing::Refuse,
            Existing::Skip => winrm::files::Existing::Skip,
            Existing::Update => winrm::files::Existing::Update,
        };
        match direction {
            Direction::Up { sources, target } => {
                let source = sources.get(number).cloned().unwrap_or_default();
                // Several of them need a folder to be in.
                let target =
                    if self.is_alone { target.clone() } else { format!("{}/", target.trim_end_matches('/')) };
                let upload = self.client.upload(source, target);
                let upload = upload.existing(existing).resume(how.resume).keep_times(!how.no_times);
                let upload = upload.expand(!how.literal).into_folder(true);
                upload.on_progress(shown.on_progress()).await
            }
            Direction::Down { sources, target } => {
                let source = sources.get(number).cloned().unwrap_or_default();
                let target =
                    self.local(target).map_err(|(path, source)| CopyError::Local { path, source })?;
                let download = self.client.download(source, target);
                let download = download.existing(existing).resume(how.resume).keep_times(!how.no_times);
                let download = download.expand(!how.literal).into_folder(true).folders(how.recursive);
                download.on_progress(shown.on_progress()).await
            }
        }
    }

    /// Where files of this host go: with several, into a folder by its name.
    fn local(&self, target: &Path) -> Result<PathBuf, (PathBuf, std::io::Error)> {
        if self.several {
            let folder = target.join(folder_of(&self.host.target.label));
            return std::fs::create_dir_all(&folder)
                .map(|()| folder.clone())
                .map_err(|error| (folder, error));
        }
        if !self.is_alone && !target.is_dir() {
            return Err((target.to_owned(), std::io::Error::from(std::io::ErrorKind::NotADirectory)));
        }
        Ok(target.to_owned())
    }
}

/// The folder for the files of a host, among others. Ports and addresses have colons, which not every file system takes.
fn folder_of(label: &str) -> String {
    let name = label.replace([':', '/', '\\'], "_");
    // An inventory may call a host anything.
    if name.trim_matches('.').is_empty() { format!("_{name}") } else { name }
}

/// What happened to one file, while the rest goes on.
async fn tell(host: &Host, path: &str, error: &str) {
    if host.printer.format() == crate::output::Format::Json {
        let told = members([("path", json!(path)), ("error", json!(error))]);
        // That nobody reads any more has ended the copy already.
        let _ = host.printer.object(&host.target.label, told).await;
    } else {
        host.printer.message(&format!("{}{path}: {error}", host.prefix()));
    }
}

fn failure_of(error: &CopyError) -> Failure {
    let failure = match error.command() {
        // Its output is none that anybody saw: how much there was of it says nothing here.
        Some(winrm::CommandError::Lost { source, .. }) => {
            Failure::new(format!("{error}: {}", chain(&**source)))
        }
        _ => Failure::new(chain(error)),
    };
    match error.command().and_then(winrm::CommandError::transport) {
        Some(transport) => failure.about(transport),
        None => failure,
    }
}
