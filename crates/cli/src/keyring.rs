//! Passwords in the keyring of the system: the kernel's on Linux, the keychain on macOS, the Credential Manager on Windows.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use crate::args::{KeyringAction, KeyringArgs};
use crate::control::Control;
use crate::password;
use crate::report::Failure;

/// What ours are filed under; the account is the user, as given.
const SERVICE: &str = "winrm";

/// `winrm keyring`.
pub(crate) async fn keyring(args: KeyringArgs) -> Result<i32, Failure> {
    let control = Control::start()?;
    match args.action {
        KeyringAction::Set { user, password_stdin } => {
            let password = password::to_store(&user, password_stdin, &control).await?;
            of_user(user, &control, move |entry, user| {
                entry.set_password(&password).map_err(|error| failure("store", user, error))
            })
            .await?;
        }
        KeyringAction::Delete { user } => {
            let delete = |entry: &Entry, user: &str| {
                entry.delete_credential().map_err(|error| failure("delete", user, error))
            };
            of_user(user, &control, delete).await?;
        }
    }
    Ok(0)
}

/// The password stored for `user`.
pub(crate) async fn stored(user: &str, control: &Control) -> Result<Zeroizing<String>, Failure> {
    of_user(user.to_owned(), control, |entry, user| {
        let password = entry.get_password().map(Zeroizing::new);
        let password = password.map_err(|error| failure("read", user, error))?;
        // Other programs may have put it there.
        password::decode(password.as_bytes())
            .map_err(|error| Failure::caused_by(format!("the password of {user} in the keyring"), &error))
    })
    .await
}

/// Acts on the entry of a user, which need not be there yet. The system may ask first whether we may.
async fn of_user<T: Send + 'static>(
    user: String,
    control: &Control,
    act: impl FnOnce(&Entry, &str) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let on_one_thread = move || {
        let entry = store().and_then(|store| Entry::new_in_store(&store, SERVICE, &user));
        act(&entry.map_err(|error| failure("use", &user, error))?, &user)
    };
    password::interruptible(false, control, on_one_thread).await?
}

#[cfg(target_os = "linux")]
fn store() -> Result<Arc<CredentialStore>, Error> {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};

    // Entries are in the user's persistent keyring, which is reached through the session's. Outside of sessions made by
    // pam_keyinit, as in containers, the thread gets one of its own. Where nothing is persistent, the session's is all there is.
    if KeyRing::get_persistent(KeyRingIdentifier::Session).is_ok() {
        KeyRing::from_special_id(KeyRingIdentifier::Session, true)
            .map_err(|error| Error::NoStorageAccess(error.into()))?;
    }
    let store = linux_keyutils_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(target_os = "macos")]
fn store() -> Result<Arc<CredentialStore>, Error> {
    let store = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

#[cfg(windows)]
fn store() -> Result<Arc<CredentialStore>, Error> {
    let store = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NotSupportedByStore("no keyring is known for this system".to_owned()))
}

/// Some errors carry what was read, which is a secret: they are told without.
fn failure(what: &str, user: &str, error: Error) -> Failure {
    match error {
        Error::NoEntry if what == "store" => Failure::new(format!(
            "cannot store the password of {user} in the keyring: there is none that this process may write"
        )),
        Error::NoEntry => {
            let missing = Failure::new(format!("no password of {user} is in the keyring"));
            if what == "delete" {
                return missing;
            }
            missing.with_remedy(format!("store it: winrm keyring set {}", quoted(user)))
        }
        Error::BadEncoding(secret) | Error::BadDataFormat(secret, _) => {
            drop(Zeroizing::new(secret));
            Failure::new(format!("the password of {user} in the keyring cannot be read"))
        }
        error => Failure::caused_by(format!("cannot {what} the password of {user} in the keyring"), &error)
            .with_remedy("see whether the system has a keyring, and lets this user use it"),
    }
}

/// As a shell takes it.
fn quoted(user: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "@._-".contains(c);
    if user.chars().all(plain) { user.to_owned() } else { format!("'{}'", user.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_say_what_to_do_and_no_secret() {
        let missing = failure("read", r"EXAMPLE\ops", Error::NoEntry).json();
        assert_eq!(missing["error"], r"no password of EXAMPLE\ops is in the keyring");
        assert_eq!(missing["remedy"], r"store it: winrm keyring set 'EXAMPLE\ops'");
        let broken = failure("read", "ops", Error::BadEncoding(b"hunter2\xff".to_vec())).json();
        assert!(!format!("{broken:?}").contains("hunter2"), "{broken:?}");
    }
}
