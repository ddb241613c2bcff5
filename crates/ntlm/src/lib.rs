//! NTLM (MS-NLMP): the three messages, responses, keys, signing and sealing; client and server, without I/O

pub mod av_pair;
mod channel_bindings;
pub mod client;
mod credentials;
mod cursor;
mod error;
mod flags;
mod fresh;
pub mod hash;
pub mod keys;
pub mod message;
pub mod seal;
pub mod server;
mod session;
mod text;
mod time;
mod version;

pub use channel_bindings::{ChannelBindings, GssChannelBindings};
pub use credentials::Credentials;
pub use error::{DecodeError, EncodeError, Error, MessageType};
pub use flags::NegotiateFlags;
pub use fresh::Fresh;
#[cfg(feature = "fresh")]
pub use fresh::FreshError;
pub use session::{Negotiated, ResponseVersion, Role, Session};
pub use time::FileTime;
pub use version::Version;
