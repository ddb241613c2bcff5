//! From options to a client.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use winrm::{ClientBuilder, ClientCertificate, Credentials, LogOnGuard, Proxy, TlsBackend};
use zeroize::Zeroizing;

use crate::args::{Auth, Backend, Connection, Encryption, Way};
use crate::control::Control;
use crate::password;
use crate::report::{Failure, warn};
use crate::settings::HostOptions;
use crate::target::Target;
use crate::wire_file::WireFile;

/// What to log on by, and what all hosts together know about it.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    by: By,
    /// None where every host is to be tried whatever the others said.
    guard: Option<LogOnGuard>,
}

#[derive(Clone, Debug)]
enum By {
    User(Credentials),
    Certificate(ClientCertificate),
}

impl Proof {
    fn new(by: By, connection: &Connection) -> Self {
        Self { by, guard: (!connection.dangers.dangerous_keep_logging_on).then(LogOnGuard::new) }
    }

    pub(crate) fn is_certificate(&self) -> bool {
        matches!(self.by, By::Certificate(_))
    }

    pub(crate) fn given_to(&self, builder: ClientBuilder) -> ClientBuilder {
        let builder = match &self.by {
            By::User(credentials) => builder.credentials(credentials.clone()),
            By::Certificate(certificate) => builder.client_certificate(certificate.clone()),
        };
        match &self.guard {
            Some(guard) => builder.log_on_guard(guard.clone()),
            None => builder,
        }
    }
}

/// How we log on to a target.
pub(crate) fn auth(connection: &Connection, target: &Target) -> Auth {
    connection.auth.or(target.options.auth).unwrap_or(Auth::Negotiate)
}

/// Whether messages are sealed inside TLS too.
pub(crate) fn encryption(connection: &Connection, target: &Target) -> Encryption {
    connection.message_encryption.or(target.options.message_encryption).unwrap_or(Encryption::Auto)
}

fn backend(connection: &Connection, target: &Target) -> TlsBackend {
    connection.tls_backend.or(target.options.tls_backend).unwrap_or(Backend::Rustls).into()
}

/// Who to log on to a target as.
pub(crate) fn user<'a>(connection: &'a Connection, target: &'a Target) -> Option<&'a str> {
    let user = connection.user.as_deref().filter(|user| !user.is_empty());
    user.or(target.options.user.as_deref()).filter(|user| !user.is_empty())
}

/// What to log on to each target by, in their order; `None` where nobody is named. A password is asked for once for each
/// user; one that does not come from a prompt is everybody's.
pub(crate) async fn proofs(
    connection: &Connection,
    targets: &[Target],
    control: &Control,
) -> Result<Vec<Option<Proof>>, Failure> {
    let by_certificate = targets.iter().any(|target| auth(connection, target) == Auth::Certificate);
    let certificate = match (&connection.certificate, by_certificate) {
        (Some(file), true) => {
            let certificate = read_certificate(connection, file, control).await?;
            Some(Proof::new(By::Certificate(certificate), connection))
        }
        (None, true) => {
            return Err(Failure::new("no certificate to log on by").with_remedy("give --certificate FILE"));
        }
        (Some(_), false) => {
            return Err(Failure::new("--certificate is of no use without --auth certificate"));
        }
        (None, false) => None,
    };
    let mut passwords: HashMap<String, Zeroizing<String>> = HashMap::new();
    let mut by_user: HashMap<String, Proof> = HashMap::new();
    let mut proofs = Vec::with_capacity(targets.len());
    for target in targets {
        let proof = match (auth(connection, target), user(connection, target)) {
            (Auth::Certificate, _) => certificate.clone(),
            (_, None) => None,
            (_, Some(user)) if by_user.contains_key(user) => by_user.get(user).cloned(),
            (_, Some(user)) => {
                let key = if password::is_for_all(connection)? { "" } else { user };
                let password = match passwords.get(key) {
                    Some(password) => password.clone(),
                    None => password::obtain(connection, user, control).await?,
                };
                let credentials = Credentials::password(user, &password);
                passwords.insert(key.to_owned(), password);
                let proof = Proof::new(By::User(credentials), connection);
                by_user.insert(user.to_owned(), proof.clone());
                Some(proof)
            }
        };
        proofs.push(proof);
    }
    Ok(proofs)
}

async fn read_certificate(
    connection: &Connection,
    file: &Path,
    control: &Control,
) -> Result<ClientCertificate, Failure> {
    let (file, key) = (file.to_owned(), connection.certificate_key.clone());
    let password = connection.certificate_password_file.clone();
    // It may ask on the terminal.
    let read = move || {
        let asked = || password::of_certificate(password.as_deref(), &file);
        ClientCertificate::from_files(&file, key.as_deref(), asked)
    };
    password::interruptible(true, control, read).await?
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
        .auth_method(auth(connection, target).into())
        .message_encryption(encryption(connection, target).into());
    let builder = match connection.connect_timeout.or(target.options.connect_timeout) {
        Some(timeout) => builder.connect_timeout(timeout),
        None => builder,
    };
    let builder = match connection.operation_timeout.or(target.options.operation_timeout) {
        Some(timeout) => builder.operation_timeout(timeout),
        None => builder,
    };
    let builder = builder.tls_backend(backend(connection, target));
    let builder = trusting(connection, target, builder);
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
    along(&connection.way, &target.options, builder)
}

/// To ask a host whose certificate is not accepted. Nobody may log on by it.
pub(crate) fn trusting_anybody(connection: &Connection, target: &Target) -> Result<ClientBuilder, Failure> {
    let builder = ClientBuilder::for_endpoint(target.endpoint.clone()).dangerous_accept_any_certificate();
    let builder = builder.tls_backend(backend(connection, target));
    let builder = match connection.connect_timeout.or(target.options.connect_timeout) {
        Some(timeout) => builder.connect_timeout(timeout),
        None => builder,
    };
    along(&connection.way, &target.options, builder)
}

/// Which certificates are accepted. Pins of the command line stand in place of those of files, and so do authorities.
fn trusting(connection: &Connection, target: &Target, builder: ClientBuilder) -> ClientBuilder {
    if connection.dangers.dangerous_accept_any_certificate {
        return builder.dangerous_accept_any_certificate();
    }
    let named = |own: bool| own || target.endpoint.is_tls();
    // What is named on the command line is used as it is, so that it is an error where there is no certificate.
    let authorities =
        if connection.ca_file.is_empty() { &target.options.ca_files } else { &connection.ca_file };
    let pins = if connection.pin.is_empty() { &target.options.pins } else { &connection.pin };
    let authorities = authorities.iter().filter(|_| named(!connection.ca_file.is_empty()));
    let pins = pins.iter().filter(|_| named(!connection.pin.is_empty()));
    // A listener that is known by pins is accepted by these alone, whatever authorities there are.
    let builder = authorities.fold(builder, ClientBuilder::ca_file);
    pins.fold(builder, |builder, pin| builder.pin(*pin))
}

/// Warns where the network will read along.
pub(crate) fn warn_of_clear_text(connection: &Connection, targets: &[Target]) {
    if !connection.dangers.dangerous_allow_clear_text_basic {
        return;
    }
    let clear = |target: &&Target| auth(connection, target) == Auth::Basic && !target.endpoint.is_tls();
    for target in targets.iter().filter(clear) {
        warn(&format!(
            "{}: everybody on the network can read the password and every message, and change them",
            target.label
        ));
    }
}

/// The way to the host.
fn along(way: &Way, options: &HostOptions, builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
    let builder = builder.proxy_mode(way.proxy_mode.into());
    // Not by the parser of the command line, which repeats what it refuses, passwords too.
    let named = way.proxy.as_deref().map(str::parse::<Proxy>).transpose();
    let named = named.map_err(|error| Failure::caused_by("--proxy", &error))?;
    let proxy = named.as_ref().or(options.proxy.as_ref()).filter(|_| !way.no_proxy);
    let builder = match (proxy, way.proxy_user.as_ref().or(options.proxy_user.as_ref())) {
        (Some(proxy), Some(user)) => {
            let password = password::of_proxy(way.proxy_password_file.as_deref())?;
            builder.proxy(proxy.clone().credentials(user, &password))
        }
        (Some(proxy), None) => builder.proxy(proxy.clone()),
        (None, _) if way.no_proxy => builder.no_proxy(),
        (None, _) => builder.proxy_from_environment(),
    };
    let builder = match way.spn.as_ref().or(options.spn.as_ref()) {
        Some(name) => builder.service_principal_name(name),
        None => builder,
    };
    match way.connect_to.as_ref().or(options.connect_to.as_ref()) {
        Some(address) => builder
            .connect_to(address)
            .map_err(|error| Failure::caused_by(format!("address to connect to, {address}"), &error)),
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
        let target = crate::target::resolve(&args.targets.targets, &crate::settings::Settings::default())
            .unwrap()
            .remove(0);
        let built = format!("{:?}", builder(&args.connection, &target, None).unwrap());
        for part in ["web01", "operation_timeout: 500ms", "connect_timeout: 2s"] {
            assert!(built.contains(part), "{part:?} is missing in {built}");
        }
    }
}
