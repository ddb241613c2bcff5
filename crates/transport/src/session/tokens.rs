//! The tokens and headers by which a connection proves who we are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use winrm_ntlm::{NegotiateFlags, client};
use winrm_spnego::{Initiator, Progress};
use zeroize::Zeroizing;

use super::answer::{unexpected_status, user_name};
use super::{SOAP, over_certificate, within};
use crate::auth::{NtlmInitiator, Security};
use crate::config::{AuthMethod, Config};
use crate::error::{Error, ErrorKind, Step};
use crate::http::{HttpConnection, Reply, Request, challenges, find};
use crate::tls::Opened;

/// The scheme of RFC 7617.
pub(super) const BASIC: &str = "Basic";
/// What stands in `Authorization` for who logs on by the certificate of the channel (DSP0226 annex C; MS-WSMV 2.1).
pub(super) const MUTUAL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";
/// The scheme of RFC 4559, which carries SPNEGO and, at Windows, bare NTLM too.
pub(super) const NEGOTIATE: &str = "Negotiate";
/// Tokens and error pages: what an answer without an envelope may have at most.
const SMALL_ANSWER: usize = 64 * 1024;

pub(super) fn initiator(config: &Config, tls: Option<&Opened>) -> Initiator<NtlmInitiator> {
    let spn =
        config.service_principal_name.clone().unwrap_or_else(|| format!("HTTP/{}", config.endpoint.host()));
    // Unless told otherwise it gives up before AUTHENTICATE where messages could not be protected.
    let mut ntlm = client::Config::default().target_name(spn);
    if !config.seals() {
        // Signing is offered all the same: SPNEGO's mechListMIC is made with it, and acceptors differ in what they take
        // for one where only ALWAYS_SIGN was agreed.
        ntlm = ntlm.require(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    }
    if let Some(opened) = tls {
        ntlm = ntlm.channel_bindings(opened.bindings);
    }
    if config.allow_weak {
        ntlm = ntlm.require(NegotiateFlags::NONE);
    }
    let ntlm = NtlmInitiator::new(config.credentials.clone(), ntlm);
    match config.method {
        AuthMethod::Ntlm => Initiator::bare(ntlm),
        _ => Initiator::new(vec![ntlm]),
    }
}

pub(super) fn start(config: &Config, context: &mut Initiator<NtlmInitiator>) -> Result<Vec<u8>, Error> {
    match context.step(None).map_err(|error| negotiation(config, error))? {
        Progress::Continue(token) => Ok(token),
        Progress::Established(_) => Err(negotiation(config, winrm_spnego::Error::EndedEarly)),
    }
}

pub(super) fn negotiation(config: &Config, error: winrm_spnego::Error) -> Error {
    let missing = match &error {
        winrm_spnego::Error::Mechanism { source, .. } => match source.downcast_ref() {
            Some(winrm_ntlm::Error::NotNegotiated { missing }) => Some(*missing),
            _ => None,
        },
        _ => None,
    };
    let kind = match missing {
        Some(missing) => ErrorKind::WeakContext { missing },
        None => ErrorKind::Negotiation(Box::new(error)),
    };
    Error::new(&config.endpoint, Step::Negotiate, kind)
}

/// What the context came to.
pub(super) fn security(
    config: &Config,
    context: &Initiator<NtlmInitiator>,
    tls: Option<&Opened>,
) -> Result<Security, Error> {
    let session = context
        .mechanism()
        .and_then(NtlmInitiator::session)
        .ok_or_else(|| negotiation(config, winrm_spnego::Error::NotEstablished))?;
    let ntlm = *session.negotiated();
    let sealed = config.seals();
    if sealed && !ntlm.flags.contains(NegotiateFlags::STRONG) {
        tracing::warn!(endpoint = %config.endpoint, %ntlm, "weak security context allowed by option");
    }
    Ok(Security {
        scheme: NEGOTIATE,
        spnego: config.method == AuthMethod::Negotiate,
        ntlm: Some(ntlm),
        tls: tls.map(|opened| opened.channel),
        sealed,
        channel_bound: tls.is_some(),
    })
}

pub(super) fn authorization(token: &[u8]) -> HeaderValue {
    let mut value = HeaderValue::try_from(format!("{NEGOTIATE} {}", BASE64.encode(token)))
        .unwrap_or_else(|_| HeaderValue::from_static(NEGOTIATE));
    value.set_sensitive(true);
    value
}

/// User and password (RFC 7617 section 2), in UTF-8.
pub(super) fn basic_authorization(config: &Config) -> HeaderValue {
    let password = config.credentials.password_text().unwrap_or_default();
    // A local account is known to the service without a domain.
    let user = user_name(config);
    let user = user.strip_prefix(".\\").unwrap_or(&user);
    let text = Zeroizing::new(format!("{user}:{password}"));
    let encoded = Zeroizing::new(format!("{BASIC} {}", BASE64.encode(text.as_bytes())));
    let mut value =
        HeaderValue::try_from(encoded.as_str()).unwrap_or_else(|_| HeaderValue::from_static(BASIC));
    value.set_sensitive(true);
    value
}

/// A token in a request without a body.
pub(super) async fn send_token(
    config: &Config,
    http: &mut HttpConnection,
    token: &[u8],
    step: Step,
) -> Result<Reply, Error> {
    let request = Request {
        authorization: Some(authorization(token)),
        content_type: SOAP,
        extra: None,
        body: Bytes::new(),
        limit: SMALL_ANSWER,
    };
    within(config.read_deadline(), http.exchange(request)).await.map_err(|kind| {
        over_certificate(config, kind).unwrap_or_else(|kind| Error::new(&config.endpoint, step, kind))
    })
}

/// The server's token in a 401, which is how it asks for the next one of ours.
pub(super) fn continuation(config: &Config, reply: &Reply) -> Result<Vec<u8>, Error> {
    let fail = |kind| Error::new(&config.endpoint, Step::Negotiate, kind);
    if reply.status != StatusCode::UNAUTHORIZED {
        return Err(fail(unexpected_status(reply, 0)));
    }
    if let Some(token) = reply_token(config, reply, Step::Negotiate)? {
        return Ok(token);
    }
    let offered = offered(reply);
    Err(fail(if offered.iter().any(|scheme| scheme.eq_ignore_ascii_case(NEGOTIATE)) {
        ErrorKind::TokenRefused
    } else {
        ErrorKind::SchemeNotOffered { wanted: NEGOTIATE, offered }
    }))
}

/// The token after our scheme in `WWW-Authenticate`; a bare scheme is no token.
pub(super) fn reply_token(config: &Config, reply: &Reply, step: Step) -> Result<Option<Vec<u8>>, Error> {
    let found = challenges(&reply.headers);
    let Some(text) = find(&found, NEGOTIATE).filter(|text| !text.is_empty()) else { return Ok(None) };
    BASE64
        .decode(text)
        .map(Some)
        .map_err(|error| Error::new(&config.endpoint, step, ErrorKind::Negotiation(Box::new(error))))
}

/// The schemes of an answer's challenges.
pub(crate) fn offered(reply: &Reply) -> Vec<String> {
    challenges(&reply.headers).iter().map(|challenge| challenge.scheme.to_owned()).collect()
}
