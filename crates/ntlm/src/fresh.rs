//! Random values and time of one step, as arguments.

use std::fmt;

use zeroize::Zeroize;

use crate::time::FileTime;

/// What a step may need beyond the peer's message. A step takes what it uses and ignores the rest.
///
/// Tests fill it with the figures of a published or recorded handshake; everybody else calls `Fresh::generate`, for
/// every step anew. The session key is wiped when dropped.
pub struct Fresh {
    /// Nonce of the client.
    pub client_challenge: [u8; 8],
    /// Nonce of the server.
    pub server_challenge: [u8; 8],
    /// Session key that the client makes up where `KEY_EXCH` is negotiated.
    pub exported_session_key: [u8; 16],
    /// Now: the server's `MsvAvTimestamp`; the client's time where the server names none.
    pub time: FileTime,
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.exported_session_key.zeroize();
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").field("time", &self.time).finish_non_exhaustive()
    }
}

/// The operating system gave no random bytes, or its clock stands before 1970.
#[cfg(feature = "fresh")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FreshError {
    /// No random bytes to be had.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// A clock that is this wrong makes every log-on fail.
    #[error("the system clock stands before 1970")]
    Clock(#[source] std::time::SystemTimeError),
}

#[cfg(feature = "fresh")]
impl Fresh {
    /// Random values of the operating system and the time of its clock.
    ///
    /// # Errors
    /// When there are no random bytes, or the clock stands before 1970.
    pub fn generate() -> Result<Self, FreshError> {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(FreshError::Clock)?;
        let mut fresh = Self {
            client_challenge: [0; 8],
            server_challenge: [0; 8],
            exported_session_key: [0; 16],
            time: FileTime::from_unix(now),
        };
        getrandom::fill(&mut fresh.client_challenge).map_err(FreshError::Random)?;
        getrandom::fill(&mut fresh.server_challenge).map_err(FreshError::Random)?;
        getrandom::fill(&mut fresh.exported_session_key).map_err(FreshError::Random)?;
        Ok(fresh)
    }
}
