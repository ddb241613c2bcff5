//! What headers of requests say, and whether that is right.

use winrm_wsman::{Fault, Header, uri};

use crate::config::COMPUTER_NAME;
use crate::fault;
use crate::operations::Outcome;

/// Longest id that a client may choose: a GUID in braces.
const MAX_ID: usize = 38;

const OPTIONS: [&str; 5] = [
    uri::OPTION_NO_PROFILE,
    uri::OPTION_CODEPAGE,
    uri::OPTION_CONSOLE_MODE_STDIN,
    uri::OPTION_SKIP_CMD_SHELL,
    uri::OPTION_KEEP_ALIVE,
];

/// Of PowerShell's shells (MS-PSRP 3.1.5.3.1).
const PROTOCOL_VERSION: &str = "protocolversion";

/// Options that must be heeded are those that there are.
pub(crate) fn check_options(header: &Header) -> Outcome<()> {
    for option in header.options.iter().filter(|option| option.must_comply) {
        let known = OPTIONS.iter().chain(is_powershell(header).then_some(&PROTOCOL_VERSION));
        if !known.into_iter().any(|known| option.name.eq_ignore_ascii_case(known)) {
            return Err(Fault::invalid_option(COMPUTER_NAME, &option.name).into());
        }
    }
    Ok(())
}

/// A GUID as clients write it: hexadecimal digits and hyphens, braces allowed.
pub(crate) fn is_id(id: &str) -> bool {
    let inner = id.strip_prefix('{').and_then(|id| id.strip_suffix('}')).unwrap_or(id);
    id.len() <= MAX_ID
        && uuid::Uuid::try_parse(inner).is_ok_and(|id| id.hyphenated().to_string().len() == inner.len())
}

/// A boolean option; names and values in any case.
pub(crate) fn flag(header: &Header, name: &str) -> Outcome<Option<bool>> {
    match header.option(name).map(str::trim) {
        None => Ok(None),
        Some(value) if value.eq_ignore_ascii_case("true") || value == "1" => Ok(Some(true)),
        Some(value) if value.eq_ignore_ascii_case("false") || value == "0" => Ok(Some(false)),
        Some(_) => Err(fault::invalid_option_value(name).into()),
    }
}

pub(crate) fn is_powershell(header: &Header) -> bool {
    header.resource_uri.as_deref().is_some_and(|uri| uri.starts_with(uri::NS_POWERSHELL))
}

/// Whether shells of some kind go by that URI.
pub(crate) fn is_shell_uri(text: &str) -> bool {
    text.starts_with(uri::RESOURCE_URI_SHELL) || text.starts_with(uri::NS_POWERSHELL)
}

/// Whether the action is one that the service does, so that its body must be at fault.
pub(crate) fn is_known(action: &str) -> bool {
    [
        uri::ACTION_CREATE,
        uri::ACTION_DELETE,
        uri::ACTION_COMMAND,
        uri::ACTION_RECEIVE,
        uri::ACTION_SEND,
        uri::ACTION_SIGNAL,
        uri::ACTION_CONNECT,
        uri::ACTION_DISCONNECT,
        uri::ACTION_RECONNECT,
    ]
    .contains(&action)
}
