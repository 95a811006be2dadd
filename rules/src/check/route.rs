//! How connections get to a target.

use core::net::IpAddr;

/// How connections get to a target.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Route {
    /// Which address family is tried.
    pub ip: IpPreference,
    /// The address of this machine that connections come from; absent: the system's choice.
    pub source: Option<IpAddr>,
}

/// Which address family is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IpPreference {
    /// Every address of the name, in the resolver's order.
    #[default]
    Any,
    /// IPv4 first, then IPv6.
    PreferV4,
    /// IPv6 first, then IPv4.
    PreferV6,
    /// IPv4 and nothing else.
    OnlyV4,
    /// IPv6 and nothing else.
    OnlyV6,
}
