//! `NTLMv2_RESPONSE` and the `NTLMv2_CLIENT_CHALLENGE` in it, which MS-NLMP 3.3.2 calls `temp`.

use std::fmt;

use crate::av_pair::AvPairs;
use crate::cursor::Reader;
use crate::error::{DecodeError, EncodeError};
use crate::time::FileTime;

/// What the client puts beside the server's challenge (MS-NLMP 2.2.2.7).
#[derive(Clone, Eq, PartialEq)]
pub struct ClientChallenge {
    /// The server's time where the CHALLENGE has one, else the client's.
    pub time_stamp: FileTime,
    /// Nonce of the client.
    pub challenge_from_client: [u8; 8],
    /// The server's `TargetInfo`, with what the client changed and added.
    pub av_pairs: AvPairs,
}

impl ClientChallenge {
    /// Reads `temp`: `RespType` 1, `HiRespType` 1, zeros, time, nonce, zeros, `AV_PAIR` list.
    ///
    /// # Errors
    /// When the bytes are cut off or the list is malformed.
    pub fn decode(temp: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::bytes(temp);
        r.array::<8>("RespType")?; // RespType, HiRespType, Reserved1, Reserved2: the MAC covers them, nothing reads them.
        let time_stamp = FileTime::from_le_bytes(r.array("TimeStamp")?);
        let challenge_from_client = r.array("ChallengeFromClient")?;
        r.array::<4>("Reserved3")?;
        let av_pairs = AvPairs::decode(r.rest())?;
        Ok(Self { time_stamp, challenge_from_client, av_pairs })
    }

    /// Writes `temp`, with the four zero bytes that end it.
    ///
    /// # Errors
    /// When a pair is longer than 65 535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let pairs = self.av_pairs.encode()?;
        let mut temp = Vec::with_capacity(28 + pairs.len() + 4);
        temp.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]); // RespType, HiRespType, Reserved1, Reserved2
        temp.extend_from_slice(&self.time_stamp.to_le_bytes());
        temp.extend_from_slice(&self.challenge_from_client);
        temp.extend_from_slice(&[0; 4]); // Reserved3
        temp.extend_from_slice(&pairs);
        temp.extend_from_slice(&[0; 4]);
        Ok(temp)
    }
}

/// `NtChallengeResponse` of NTLMv2 (MS-NLMP 2.2.2.8), as a view into the message: the MAC covers the bytes as sent.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct NtlmV2Response<'a> {
    /// `NTProofStr`.
    pub nt_proof_str: [u8; 16],
    /// The bytes after it, for [`ClientChallenge::decode`].
    pub temp: &'a [u8],
}

impl<'a> NtlmV2Response<'a> {
    /// Splits an `NtChallengeResponse`.
    ///
    /// # Errors
    /// When it is shorter than 16 bytes.
    pub fn decode(response: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::bytes(response);
        let nt_proof_str = r.array("NTProofStr")?;
        Ok(Self { nt_proof_str, temp: r.rest() })
    }
}

/// Without the nonce: what a password can be guessed from stays out of logs, each part of it.
impl fmt::Debug for ClientChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientChallenge")
            .field("time_stamp", &self.time_stamp)
            .field("av_pairs", &self.av_pairs)
            .finish_non_exhaustive()
    }
}

/// Lengths only: proof and `temp` are what a password can be guessed from.
impl fmt::Debug for NtlmV2Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtlmV2Response").field("temp_len", &self.temp.len()).finish_non_exhaustive()
    }
}
