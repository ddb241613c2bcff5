//! HTTP/1.1 on connections of our own: opaque bodies, one exchange at a time.

mod body;
mod challenge;
mod connection;
mod connector;

pub(crate) use challenge::{challenges, find};
pub(crate) use connection::{HttpConnection, HttpError, Reply, Request};
pub use connector::{Connecting, Connector, Stream, TcpConnector};
