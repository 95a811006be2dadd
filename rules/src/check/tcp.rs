//! What a `tcp` check looks at.

use super::Route;
use alloc::string::String;

/// A port that must accept a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpTarget {
    /// `host:port`, as written; an IPv6 address stands in brackets.
    pub address: String,
    /// The host of `address`, without brackets.
    pub host: String,
    /// The port of `address`.
    pub port: u16,
    /// How connections get there.
    pub route: Route,
}
