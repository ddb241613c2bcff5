//! What an answer means that is not the envelope we asked for.

use http::StatusCode;

use super::tokens::{BASIC, offered};
use super::{Failure, Retry};
use crate::config::{AuthMethod, Config};
use crate::error::{Error, ErrorKind, Step};
use crate::http::Reply;

/// An envelope in clear, a fault perhaps. What comes with 401 is none.
pub(super) fn is_clear(reply: &Reply) -> bool {
    reply.status != StatusCode::UNAUTHORIZED && is_kind(reply.content_type(), "application/soap+xml")
}

pub(super) fn is_sealed(reply: &Reply) -> bool {
    let content_type = reply.content_type();
    is_kind(content_type, "multipart/encrypted") || is_kind(content_type, "multipart/x-multi-encrypted")
}

/// Whether a `Content-Type` is of this media type, whatever its case and parameters.
fn is_kind(content_type: &str, media_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|found| found.trim().eq_ignore_ascii_case(media_type))
}

/// What an answer in clear to a sealed request means. `first`: it travelled with AUTHENTICATE.
pub(super) fn refusal(config: &Config, reply: &Reply, first: bool, size: usize) -> Failure {
    let status = reply.status;
    if status == StatusCode::UNAUTHORIZED && first {
        let user = user_name(config);
        let error = Error::new(&config.endpoint, Step::Authenticate, ErrorKind::CredentialsRefused { user });
        return error.into();
    }
    let combined_refused = matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::LENGTH_REQUIRED | StatusCode::UNSUPPORTED_MEDIA_TYPE
    ) || (status == StatusCode::INTERNAL_SERVER_ERROR && clear_fault(reply).is_none());
    let retry = match status {
        _ if first && size > 0 && combined_refused => Retry::EmptyForm,
        // The context is lost; the server could not read the request.
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST if !first => Retry::Reauthenticate,
        _ => Retry::No,
    };
    Failure { error: Error::new(&config.endpoint, Step::Exchange, unexpected_status(reply, size)), retry }
}

/// What an answer without an envelope means where every request logs on by itself: a 401 is final, also later on.
pub(super) fn request_refusal(config: &Config, reply: &Reply, size: usize) -> Error {
    let by_certificate = config.method == AuthMethod::Certificate;
    if by_certificate && matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let kind = ErrorKind::ClientCertificateNotMapped { status: reply.status };
        return Error::new(&config.endpoint, Step::Authenticate, kind);
    }
    if reply.status != StatusCode::UNAUTHORIZED {
        return Error::new(&config.endpoint, Step::Exchange, unexpected_status(reply, size));
    }
    let offered = offered(reply);
    let kind = if offered.iter().any(|scheme| scheme.eq_ignore_ascii_case(BASIC)) {
        ErrorKind::CredentialsRefused { user: user_name(config) }
    } else {
        ErrorKind::SchemeNotOffered { wanted: BASIC, offered }
    };
    Error::new(&config.endpoint, Step::Authenticate, kind)
}

/// `DOMAIN\user`, or what there is of it.
pub(crate) fn user_name(config: &Config) -> String {
    match config.credentials.domain_name() {
        "" => config.credentials.user_name().to_owned(),
        domain => format!("{domain}\\{}", config.credentials.user_name()),
    }
}

/// A fault in an envelope that nobody sealed: not to be believed, but a sign that the server did read the request.
fn clear_fault(reply: &Reply) -> Option<Box<winrm_wsman::Fault>> {
    match winrm_wsman::Message::decode(&reply.body).ok()?.body {
        winrm_wsman::Body::Fault(fault) => Some(fault),
        _ => None,
    }
}

pub(super) fn unexpected_status(reply: &Reply, size: usize) -> ErrorKind {
    let content_type = reply.content_type().to_owned();
    match reply.status {
        StatusCode::UNAUTHORIZED => ErrorKind::ContextLost,
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => ErrorKind::ProxyAnswered,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::RequestTooLarge { size },
        status
        @ (StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
            ErrorKind::Busy { status }
        }
        StatusCode::INTERNAL_SERVER_ERROR if reply.body.is_empty() => ErrorKind::RefusedWithoutReason,
        _ if is_kind(&content_type, "application/soap+xml") => ErrorKind::UnsealedAnswer,
        status if status.is_success() => ErrorKind::NotWinRm { status, content_type },
        status => ErrorKind::Status { status, content_type },
    }
}
