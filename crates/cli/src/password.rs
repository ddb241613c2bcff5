//! Where passwords come from: never an argument, which everybody on the machine can read.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::args::Connection;
use crate::control::{self, Control, Wish};
use crate::report::{Failure, to_stderr, warn};
use crate::terminal::Terminal;

/// The variable that holds one.
pub(crate) const VARIABLE: &str = "WINRM_PASSWORD";
/// The variable that holds the proxy's.
const PROXY_VARIABLE: &str = "WINRM_PROXY_PASSWORD";
/// The variable that holds that of a PKCS#12 file.
const CERTIFICATE_VARIABLE: &str = "WINRM_CERTIFICATE_PASSWORD";
/// In bytes; NTLM takes none longer than 256 characters.
const LIMIT: u64 = 4096;
/// How long a prompt may take to end by itself once it was interrupted.
const PROMPT_GRACE: Duration = Duration::from_millis(200);

/// The password for `user`: the option's when there is one, else the environment's, else the keyring's where that is asked for,
/// else the terminal's.
///
/// Signals end the wait for it, and leave the terminal as it was.
pub(crate) async fn obtain(
    connection: &Connection,
    user: &str,
    control: &Control,
) -> Result<Zeroizing<String>, Failure> {
    let prompts = !connection.password_stdin && connection.password_file.is_none();
    if prompts && let Some(password) = from_environment()? {
        return Ok(password);
    }
    #[cfg(feature = "keyring")]
    if prompts && connection.keyring {
        return crate::keyring::stored(user, control).await;
    }
    let (file, stdin, user) = (connection.password_file.clone(), connection.password_stdin, user.to_owned());
    let remedy = format!("set {VARIABLE}, or give --password-file or --password-stdin");
    let read = interruptible(prompts, control, move || read(file.as_deref(), stdin, &user, remedy)).await?;
    Ok(read?)
}

/// The password for `user`, to be stored: that on standard input, or the terminal's.
#[cfg(feature = "keyring")]
pub(crate) async fn to_store(
    user: &str,
    stdin: bool,
    control: &Control,
) -> Result<Zeroizing<String>, Failure> {
    let user = user.to_owned();
    let remedy = "give --password-stdin".to_owned();
    let read = interruptible(!stdin, control, move || read(None, stdin, &user, remedy)).await?;
    Ok(read?)
}

fn interrupted() -> Failure {
    Failure::new("interrupted before there was a password")
}

/// Reads what may never come, as long as no signal ends it; a prompt leaves the terminal as it was.
pub(crate) async fn interruptible<T: Send + 'static>(
    prompts: bool,
    control: &Control,
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let terminal = Terminal::now();
    // Nothing can call it back; it ends with the process.
    let mut reading = tokio::task::spawn_blocking(read);
    let mut wishes = control.subscribe();
    tokio::select! {
        _ = control::wanted(&mut wishes, |wish| *wish != Wish::Run) => {
            // At Ctrl-C the prompt ends by itself, and tidies up; at other signals it goes on waiting.
            if tokio::time::timeout(PROMPT_GRACE, &mut reading).await.is_err() {
                terminal.restore();
                if prompts && io::stderr().is_terminal() {
                    // Nobody has ended its line.
                    to_stderr("\n");
                }
            }
            Err(interrupted())
        }
        read = &mut reading => read.map_err(|error| Failure::caused_by("a task failed", &error)),
    }
}

/// Whether the password comes from where there is but one, whoever is logged on.
pub(crate) fn is_for_all(connection: &Connection) -> Result<bool, Failure> {
    Ok(connection.password_stdin || connection.password_file.is_some() || from_environment()?.is_some())
}

/// The password for the proxy: the file's, else the environment's.
pub(crate) fn of_proxy(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    if let Some(file) = file {
        return from_file(file);
    }
    variable(PROXY_VARIABLE)?.ok_or_else(|| {
        Failure::new("no password for the proxy")
            .with_remedy(format!("set {PROXY_VARIABLE}, or give --proxy-password-file"))
    })
}

/// The password of a PKCS#12 file: the file's, else the environment's, else the terminal's.
pub(crate) fn of_certificate(file: Option<&Path>, certificate: &Path) -> Result<Zeroizing<String>, Failure> {
    if let Some(file) = file {
        return from_file(file);
    }
    // Empty passwords are common there.
    match std::env::var(CERTIFICATE_VARIABLE) {
        Ok(password) => return Ok(Zeroizing::new(password)),
        Err(std::env::VarError::NotPresent) => {}
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(Failure::new(format!("{CERTIFICATE_VARIABLE} is not valid Unicode")));
        }
    }
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        let named = certificate.display();
        return Err(Failure::new(format!("no password for {named}, and no terminal to ask on"))
            .with_remedy(format!("set {CERTIFICATE_VARIABLE}, or give --certificate-password-file")));
    }
    rpassword::prompt_password(format!("Password for {}: ", certificate.display()))
        .map(Zeroizing::new)
        .map_err(|error| Failure::caused_by("cannot read a password from the terminal", &error))
}

/// Why there is no password.
#[derive(Debug)]
enum Unread {
    /// Ctrl-C at the prompt.
    Interrupted,
    Failed(Failure),
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Interrupted => interrupted(),
            Unread::Failed(failure) => failure,
        }
    }
}

fn read(file: Option<&Path>, stdin: bool, user: &str, remedy: String) -> Result<Zeroizing<String>, Unread> {
    if let Some(file) = file {
        return Ok(from_file(file)?);
    }
    if stdin {
        return Ok(first_line(io::stdin().lock())
            .map_err(|error| Failure::caused_by("cannot read a password from standard input", &error))?);
    }
    // One of the two: input may come from a pipe, and messages may go to a file.
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return Err(Failure::new(format!("no password for {user}, and no terminal to ask on"))
            .with_remedy(remedy)
            .into());
    }
    let typed = rpassword::prompt_password(format!("Password for {user}: ")).map(Zeroizing::new).map_err(
        |error| {
            if error.kind() == io::ErrorKind::Interrupted {
                Unread::Interrupted
            } else {
                Failure::caused_by("cannot read a password from the terminal", &error).into()
            }
        },
    )?;
    if typed.is_empty() {
        return Err(Failure::new("the password typed is empty").into());
    }
    Ok(typed)
}

/// `WINRM_PASSWORD`; set but empty counts as not set.
pub(crate) fn from_environment() -> Result<Option<Zeroizing<String>>, Failure> {
    variable(VARIABLE)
}

fn variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match std::env::var(name) {
        Ok(password) if password.is_empty() => Ok(None),
        Ok(password) => Ok(Some(Zeroizing::new(password))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        // Without the error, which shows the value.
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::new(format!("{name} is not valid Unicode"))),
    }
}

fn from_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let fail =
        |error| Failure::caused_by(format!("cannot read the password from {}", file.display()), &error);
    let opened = std::fs::File::open(file).map_err(fail)?;
    if readable_by_all(&opened) {
        warn(&format!("everybody on this machine can read the password in {}", file.display()));
    }
    let mut text = Zeroizing::new(Vec::new());
    opened.take(LIMIT + 1).read_to_end(&mut text).map_err(fail)?;
    let text = text.strip_suffix(b"\n").unwrap_or(&text);
    decode(text.strip_suffix(b"\r").unwrap_or(text)).map_err(fail)
}

#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::File) -> bool {
    false
}

fn first_line(input: impl BufRead) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::new());
    input.take(LIMIT + 2).read_until(b'\n', &mut line)?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    decode(line.strip_suffix(b"\r").unwrap_or(line))
}

/// What a password may be.
pub(crate) fn decode(bytes: &[u8]) -> io::Result<Zeroizing<String>> {
    let refuse = |reason| Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    if bytes.is_empty() {
        return refuse("it is empty");
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LIMIT {
        return refuse("it is too long for a password");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => refuse("it is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_counts_and_loses_its_end() {
        assert_eq!(*first_line(&b"pa ss \r\nmore\n"[..]).unwrap(), "pa ss ");
        assert_eq!(*first_line(&b"pass"[..]).unwrap(), "pass");
        for wrong in [&b"\n"[..], b"", b"\xff\n", &[b'x'; 5000]] {
            assert!(first_line(wrong).is_err());
        }
    }

    #[test]
    fn a_file_loses_one_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |content: &[u8]| {
            std::fs::write(file.path(), content).unwrap();
            from_file(file.path()).map(|password| password.to_string())
        };
        assert_eq!(read(b"pass\n").unwrap(), "pass");
        assert_eq!(read(b"pass\r\n").unwrap(), "pass");
        assert_eq!(read(b"pass\n\n").unwrap(), "pass\n");
        assert!(read(b"\n").is_err());
        assert!(read(&[b'x'; 5000]).is_err());
    }
}
