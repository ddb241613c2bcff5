//! Many hosts at once, with credentials that are tried on one of them first.

use std::collections::HashMap;

use winrm_fleet::Fleet;
use winrm_transport::{ConfigError, LogOnGuard};

use crate::client::{Client, ClientBuilder};

/// Clients of many hosts, to act on with a [`Stream`](winrm_fleet::Events) of what becomes of each.
///
/// ```no_run
/// use winrm::fleet::{EventKind, Outcome, Reporter};
/// use winrm::{Client, Credentials};
///
/// # async fn run(password: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let names = ["web01", "web02", "web03"];
/// let credentials = Credentials::password("EXAMPLE\\ops", password);
/// let builders = names.map(|name| Ok(Client::builder(name)?.credentials(credentials.clone())));
/// let builders = builders.into_iter().collect::<Result<Vec<_>, winrm::EndpointError>>()?;
///
/// let mut events = winrm::fleet(builders)?.parallel(200).run(|client, _: Reporter<()>| async move {
///     let output = client.command("hostname").output().await;
///     client.close().await;
///     output
/// });
/// while let Some(event) = events.next().await {
///     if let EventKind::Ended(outcome) = event.kind {
///         let name = names[event.host];
///         match outcome {
///             Outcome::Done(output) => println!("{name}: {}", String::from_utf8_lossy(&output.stdout)),
///             other => println!("{name}: {other:?}"),
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// Those that log on as the same user share a [`LogOnGuard`]: one host is logged on to before the others, and after the first
/// refusal none is any more, which their errors tell as [`ErrorKind::LogOnWithheld`](crate::ErrorKind::LogOnWithheld). A wrong
/// password is one failed log-on, on however many hosts.
///
/// # Errors
/// [`ConfigError`] of the first client that cannot be built.
pub fn fleet<T, E>(
    clients: impl IntoIterator<Item = ClientBuilder>,
) -> Result<Fleet<Client, T, E>, ConfigError> {
    let mut guards: HashMap<String, LogOnGuard> = HashMap::new();
    let clients = clients.into_iter().map(|builder| {
        // The same user in another spelling would be another one; the domain alone decides whose password it is.
        let guard = guards.entry(builder.transport().user_name().to_lowercase()).or_default();
        builder.log_on_guard(guard.clone()).build()
    });
    Ok(Fleet::new(clients.collect::<Result<Vec<_>, _>>()?))
}

/// As [`fleet`], but every host is logged on to whatever the others said. **A wrong password is tried on each of them, which
/// locks the account.**
///
/// # Errors
/// As [`fleet`].
pub fn dangerous_fleet_without_log_on_guard<T, E>(
    clients: impl IntoIterator<Item = ClientBuilder>,
) -> Result<Fleet<Client, T, E>, ConfigError> {
    let clients = clients.into_iter().map(|builder| builder.log_on_guard(LogOnGuard::new()).build());
    Ok(Fleet::new(clients.collect::<Result<Vec<_>, _>>()?))
}
