//! Damage done to answers on purpose.

use bytes::{Bytes, BytesMut};
use winrm_spnego::token::NegotiationToken;
use winrm_wsman::{encrypted, message_id};

use crate::misbehaviour::Misbehaviour;
use crate::operations::Answer;

/// Spoils a token, where the misbehaviour is about tokens.
pub(crate) fn token(token: &mut Vec<u8>, misbehaviour: Option<&Misbehaviour>) {
    let change: fn(&mut Option<Vec<u8>>) = match misbehaviour {
        Some(Misbehaviour::GarbledToken) => {
            *token = b"this is no token".to_vec();
            return;
        }
        Some(Misbehaviour::OmitMechListMic) => |mic| *mic = None,
        Some(Misbehaviour::WrongMechListMic) => |mic| {
            if let Some(last) = mic.as_mut().and_then(|mic| mic.get_mut(4)) {
                // In the checksum, which follows the version (MS-NLMP 2.2.2.9.2).
                *last ^= 1;
            }
        },
        _ => return,
    };
    if let Ok(NegotiationToken::Resp(mut resp)) = NegotiationToken::decode(token) {
        change(&mut resp.mech_list_mic);
        if let Ok(changed) = resp.encode() {
            *token = changed;
        }
    }
}

/// Spoils an envelope, where the misbehaviour is about envelopes; returns it behind the room that sealing needs.
pub(crate) fn plaintext(
    mut answer: Answer,
    misbehaviour: Option<&Misbehaviour>,
    max_envelope_size: usize,
) -> BytesMut {
    match misbehaviour {
        Some(Misbehaviour::WrongRelatesTo) => {
            answer.message.header.relates_to = Some(message_id());
            // It was written before, so it can be written with another id.
            Answer::write(answer.message).map_or(answer.buffer, |changed| changed.buffer)
        }
        Some(Misbehaviour::Document(document)) => {
            answer.buffer.truncate(encrypted::HEADROOM);
            answer.buffer.extend_from_slice(document);
            answer.buffer
        }
        Some(Misbehaviour::Oversized) => {
            // White space after the root element is XML still.
            let len = encrypted::HEADROOM.saturating_add(max_envelope_size).saturating_add(1);
            answer.buffer.resize(len.max(answer.buffer.len()), b' ');
            answer.buffer
        }
        _ => answer.buffer,
    }
}

/// Spoils a sealed body, where the misbehaviour is about sealing.
pub(crate) fn sealed_body(body: Bytes, content_type: &str, misbehaviour: Option<&Misbehaviour>) -> Bytes {
    let flip = |range: fn(&encrypted::Part) -> usize| {
        let Ok(parts) = encrypted::split(content_type, &body) else { return body.clone() };
        let mut changed = BytesMut::from(&body[..]);
        if let Some(byte) = parts.first().and_then(|part| changed.get_mut(range(part))) {
            *byte ^= 1;
        }
        changed.freeze()
    };
    match misbehaviour {
        // In the checksum, which follows the version (MS-NLMP 2.2.2.9.2).
        Some(Misbehaviour::BadMac) => flip(|part| part.header.start + 4),
        Some(Misbehaviour::DamagedCiphertext) => flip(|part| part.sealed.start),
        Some(Misbehaviour::WrongLength) => wrong_length(&body),
        _ => body,
    }
}

/// `Length=N` becomes `Length=N+1`.
fn wrong_length(body: &[u8]) -> Bytes {
    const NAME: &[u8] = b"Length=";
    let digits = body.windows(NAME.len()).position(|window| window == NAME).map(|at| at + NAME.len());
    let Some((before, rest)) = digits.and_then(|at| body.split_at_checked(at)) else {
        return Bytes::copy_from_slice(body);
    };
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest.split_at(len);
    let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
    [before, number.saturating_add(1).to_string().as_bytes(), after].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_grows_by_one() {
        assert_eq!(wrong_length(b"a;Length=99\r\nb"), &b"a;Length=100\r\nb"[..]);
        assert_eq!(wrong_length(b"none"), &b"none"[..]);
    }
}
