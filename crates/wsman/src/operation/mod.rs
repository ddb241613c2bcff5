//! The operations, one file each: request and answer side by side, each both read and written.

pub mod command;
pub mod config;
pub mod connect;
pub mod create;
pub mod delete;
pub mod disconnect;
pub mod enumerate;
pub mod get;
pub mod identify;
pub mod invoke;
pub mod listed_command;
pub mod pull;
pub mod receive;
pub mod reconnect;
pub mod send;
pub mod signal;
