//! NTLM (MS-NLMP) for clients and servers: the three messages, responses, keys, signing and sealing.
//!
//! The crate does no I/O: it takes and returns the bytes of messages, and whoever uses it puts them where the protocol at
//! hand wants them (HTTP headers, SMTP and IMAP lines, LDAP binds, RPC). Time and random values are arguments too
//! ([`Fresh`]), so that published and recorded handshakes can be replayed to the byte. SPNEGO, in which Windows often
//! wraps NTLM, and connectionless (datagram) NTLM are left out.
//!
//! - [`client`] and [`server`] are the two sides: states are types, a step consumes one and returns the next.
//! - [`Session`] is what both end in: it seals and signs in place and knows what was [`Negotiated`].
//! - [`message`] and [`av_pair`] read and write the wire format, unknown bits and pairs included; [`hash`], [`keys`] and
//!   [`seal`] are the pure functions and the cipher state beneath.
//!
//! The defaults are the safe ones: NTLMv2 only, with a MIC; signing, sealing, key exchange, 128 bits and extended session
//! security insisted on, by both sides. Each weaker way has an option that says so. Secrets are wiped from memory when
//! dropped and appear in no `Debug` text and no error.
//!
//! # Example
//!
//! Both sides, with a variable for the wire:
//!
//! ```
//! use winrm_ntlm::{Credentials, Fresh, client, server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "fresh")] {
//! let credentials = Credentials::password(r"EXAMPLE\ops", "correct horse");
//! let config = client::Config::default().target_name("HTTP/server.example.com");
//! let (client, negotiate) = client::Start::new(credentials, config).negotiate();
//!
//! let server = server::Start::new(server::Config::new("SERVER"));
//! let (server, challenge) = server.challenge(&negotiate, &Fresh::generate()?)?;
//!
//! let (mut client, authenticate) = client.authenticate(&challenge, &Fresh::generate()?)?;
//!
//! let logon = server.authenticate(&authenticate)?;
//! assert_eq!(logon.user_name(), "ops"); // The server looks up this account...
//! let account = Credentials::password("ops", "correct horse"); // ...and finds its password or NT hash.
//! let mut server = logon.verify(&account)?;
//!
//! let mut message = b"ipconfig /all".to_vec();
//! let signature = client.seal(&mut message)?;
//! assert_ne!(message, b"ipconfig /all");
//! server.unseal(&mut message, &signature)?;
//! assert_eq!(message, b"ipconfig /all");
//! println!("{}", server.negotiated()); // NTLMv2, 128-bit key, MIC, signing, sealing, ...
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! `docs/ntlm.md` in the repository shows HTTP, SMTP and LDAP.
//!
//! # Features
//!
//! `fresh` (default): `Fresh::generate`, random values and time of the operating system. Without it the crate needs no
//! operating system at all, and the caller fills [`Fresh`].

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

/// The examples of the guide are compiled and run with the documentation of the crate.
#[cfg(all(doctest, feature = "fresh"))]
#[doc = include_str!("../../../docs/ntlm.md")]
struct Guide;
