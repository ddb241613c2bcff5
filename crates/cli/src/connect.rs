//! From options to a client.

use std::sync::Arc;

use winrm::{ClientBuilder, ClientCertificate, Credentials};

use crate::args::{Auth, Connection, Way};
use crate::control::Control;
use crate::password;
use crate::report::{Failure, warn};
use crate::target::Target;
use crate::wire_file::WireFile;

/// What to log on by.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    User(Credentials),
    Certificate(ClientCertificate),
}

impl Proof {
    pub(crate) fn given_to(&self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::User(credentials) => builder.credentials(credentials.clone()),
            Self::Certificate(certificate) => builder.client_certificate(certificate.clone()),
        }
    }
}

/// What to log on by; `None` when nobody was named.
pub(crate) async fn proof(connection: &Connection, control: &Control) -> Result<Option<Proof>, Failure> {
    match (connection.auth, &connection.certificate) {
        (Auth::Certificate, Some(file)) => {
            let (file, key) = (file.clone(), connection.certificate_key.clone());
            let password = connection.certificate_password_file.clone();
            // It may ask on the terminal.
            let reading = tokio::task::spawn_blocking(move || {
                let asked = || password::of_certificate(password.as_deref(), &file);
                ClientCertificate::from_files(&file, key.as_deref(), asked)
            });
            let read = reading.await.map_err(|error| Failure::caused_by("a task failed", &error))?;
            Ok(Some(Proof::Certificate(read?)))
        }
        (Auth::Certificate, None) => {
            Err(Failure::new("no certificate to log on by").with_remedy("give --certificate FILE"))
        }
        (_, Some(_)) => Err(Failure::new("--certificate is of no use without --auth certificate")),
        (_, None) => Ok(credentials(connection, control).await?.map(Proof::User)),
    }
}

async fn credentials(connection: &Connection, control: &Control) -> Result<Option<Credentials>, Failure> {
    let Some(user) = connection.user.as_deref().filter(|user| !user.is_empty()) else { return Ok(None) };
    let password = password::obtain(connection, user, control).await?;
    Ok(Some(Credentials::password(user, &password)))
}

/// The file of `--trace-wire`, if one was asked for.
pub(crate) fn wire_file(connection: &Connection) -> Result<Option<Arc<WireFile>>, Failure> {
    connection.trace_wire.as_deref().map(WireFile::create).transpose()
}

/// Everything but the credentials.
pub(crate) fn builder(
    connection: &Connection,
    target: &Target,
    trace: Option<&Arc<WireFile>>,
) -> Result<ClientBuilder, Failure> {
    let builder = ClientBuilder::for_endpoint(target.endpoint.clone())
        .auth_method(connection.auth.into())
        .connect_timeout(connection.connect_timeout)
        .operation_timeout(connection.operation_timeout)
        .message_encryption(connection.message_encryption.into());
    let builder = connection.ca_file.iter().fold(builder, ClientBuilder::ca_file);
    let builder = connection.pin.iter().fold(builder, |builder, pin| builder.pin(*pin));
    let builder = if connection.dangers.dangerous_accept_any_certificate {
        builder.dangerous_accept_any_certificate()
    } else {
        builder
    };
    let builder = if connection.dangers.dangerous_allow_weak_security_context {
        builder.dangerous_allow_weak_security_context()
    } else {
        builder
    };
    let builder = if connection.dangers.dangerous_allow_clear_text_basic {
        builder.dangerous_allow_clear_text_basic()
    } else {
        builder
    };
    let builder = match trace {
        Some(file) => builder.trace_wire(Arc::<WireFile>::clone(file)),
        None => builder,
    };
    along(&connection.way, builder)
}

/// Warns where the network will read along.
pub(crate) fn warn_of_clear_text(connection: &Connection, targets: &[Target]) {
    if connection.auth != Auth::Basic || !connection.dangers.dangerous_allow_clear_text_basic {
        return;
    }
    for target in targets.iter().filter(|target| !target.endpoint.is_tls()) {
        warn(&format!(
            "{}: everybody on the network can read the password and every message, and change them",
            target.label
        ));
    }
}

/// The way to the host.
fn along(way: &Way, builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
    let builder = builder.proxy_mode(way.proxy_mode.into());
    let builder = match (&way.proxy, &way.proxy_user) {
        (Some(proxy), Some(user)) => {
            let password = password::of_proxy(way.proxy_password_file.as_deref())?;
            builder.proxy(proxy.clone().credentials(user, &password))
        }
        (Some(proxy), None) => builder.proxy(proxy.clone()),
        (None, _) if way.no_proxy => builder.no_proxy(),
        (None, _) => builder.proxy_from_environment(),
    };
    let builder = match &way.spn {
        Some(name) => builder.service_principal_name(name),
        None => builder,
    };
    match &way.connect_to {
        Some(address) => builder
            .connect_to(address)
            .map_err(|error| Failure::caused_by(format!("--connect-to {address}"), &error)),
        None => Ok(builder),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Action, Cli};

    /// Everything that is built from it has these, log-on or not.
    #[test]
    fn the_builder_has_what_the_options_say() {
        let line = ["winrm", "identify", "web01", "--operation-timeout", "0.5", "--connect-timeout", "2"];
        let Action::Identify(args) = Cli::try_parse_from(line).unwrap().action else {
            panic!("not identify")
        };
        let target = crate::target::resolve(&args.targets.targets).unwrap().remove(0);
        let built = format!("{:?}", builder(&args.connection, &target, None).unwrap());
        for part in ["web01", "operation_timeout: 500ms", "connect_timeout: 2s"] {
            assert!(built.contains(part), "{part:?} is missing in {built}");
        }
    }
}
