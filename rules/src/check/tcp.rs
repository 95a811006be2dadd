//! What a `tcp` check looks at.

use super::{DialogStep, Route, TlsRule};
use alloc::string::String;
use alloc::vec::Vec;

/// A port that must accept a connection, and hold a dialog if there is one.
#[derive(Clone, PartialEq, Debug)]
pub struct TcpTarget {
    /// `host:port`, as written; an IPv6 address stands in brackets.
    pub address: String,
    /// The host of `address`, without brackets.
    pub host: String,
    /// The port of `address`.
    pub port: u16,
    /// How connections get there.
    pub route: Route,
    /// Whether TLS is spoken from the start.
    pub security: Security,
    /// How TLS is spoken, from the start or from the step on that says so.
    pub tls: TlsRule,
    /// What is said once there is a connection.
    pub dialog: Vec<DialogStep>,
}

/// Whether TLS is spoken from the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Security {
    /// The connection begins in plain text.
    #[default]
    Plain,
    /// The first byte is TLS's.
    Tls,
}
