//! What answers at an endpoint, and what it offers, without logging on.

use bytes::Bytes;
use http::{StatusCode, header};
use winrm_wsman::{Body, Header, IdentifyResponse, Message};

use crate::ClientBuilder;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Step};
use crate::http::{HttpConnection, Reply, Request};
use crate::proxy::ProxyFailure;
use crate::session::{SOAP, connect, offered, within};
use crate::tls::TlsChannel;

/// The header that lets WinRM answer Identify without log-on.
const UNAUTHENTICATED: (&str, &str) = ("WSMANIDENTIFY", "unauthenticated");
/// The longest answer to a probe, in bytes.
const LIMIT: usize = 64 * 1024;

/// What [`probe`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Probe {
    /// What the service says of itself without log-on: never its operating system's version. `None` when it does
    /// not answer, as Windows does not where anonymous Identify is switched off.
    pub identity: Option<IdentifyResponse>,
    /// The authentication schemes it offers, in its order; empty also when it does not answer that question.
    pub schemes: Vec<String>,
    /// The `Server` header: `Microsoft-HTTPAPI/2.0` for Windows.
    pub server: Option<String>,
    /// The proxy on the way, as an URL without credentials.
    pub proxy: Option<String>,
    /// The TLS channel; `None` over http.
    pub tls: Option<TlsChannel>,
    /// The status of a request without log-on; 401 is what a WinRM service answers.
    pub status: StatusCode,
}

/// Asks the endpoint of `builder` who it is and which schemes it offers, within the builder's time-outs. No credentials
/// are needed or sent.
///
/// # Errors
/// When nothing answers in HTTP.
pub async fn probe(builder: &ClientBuilder) -> Result<Probe, Error> {
    let config = builder
        .prepared()
        .map_err(|error| Error::new(builder.endpoint(), Step::Connect, ErrorKind::Config(error)))?;
    let (mut http, tls) = connect(&config).await?;
    let mut document = bytes::BytesMut::new();
    Message::new(Header::default(), Body::Identify)
        .encode_into(&mut document)
        .map_err(|error| Error::new(&config.endpoint, Step::Exchange, ErrorKind::Encode(Box::new(error))))?;
    let identified = post(&config, &mut http, document.freeze(), true).await?;
    let identity = identified.status.is_success().then(|| identity(&identified)).flatten();
    // Without the header every service asks for log-on, and says how. What was found is kept if this one does not.
    let refused = match ask_for_schemes(&config, http).await {
        Err(error) if identity.is_none() => return Err(error),
        refused => refused.ok(),
    };
    let last = refused.as_ref().unwrap_or(&identified);
    let server = [last, &identified]
        .into_iter()
        .find_map(|reply| Some(reply.headers.get(header::SERVER)?.to_str().ok()?.to_owned()));
    Ok(Probe {
        identity,
        schemes: offered(last),
        proxy: config.route.as_ref().map(|route| route.proxy.to_string()),
        server,
        tls: tls.map(|opened| opened.channel),
        status: last.status,
    })
}

async fn ask_for_schemes(config: &Config, mut http: HttpConnection) -> Result<Reply, Error> {
    if !http.is_open() {
        (http, _) = connect(config).await?;
    }
    post(config, &mut http, Bytes::new(), false).await
}

fn identity(reply: &Reply) -> Option<IdentifyResponse> {
    match Message::decode(&reply.body).ok()?.body {
        Body::IdentifyResponse(response) => Some(response),
        _ => None,
    }
}

async fn post(
    config: &Config,
    http: &mut HttpConnection,
    body: Bytes,
    unauthenticated: bool,
) -> Result<Reply, Error> {
    let request = Request {
        authorization: None,
        content_type: SOAP,
        extra: unauthenticated.then_some(UNAUTHENTICATED),
        body,
        limit: LIMIT,
    };
    within(config.read_deadline(), http.exchange(request))
        .await
        .map_err(|kind| Error::new(&config.endpoint, Step::Negotiate, kind))
        .and_then(|reply| match &config.route {
            // The proxy's own answers say nothing of the service.
            Some(route) if reply.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                let failure = ProxyFailure::Authentication { credentials_given: false };
                Err(Error::new(&config.endpoint, Step::Negotiate, route.fail(failure)))
            }
            _ => Ok(reply),
        })
}
