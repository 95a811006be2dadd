//! What an `icmp` check looks at: a host that answers echo requests, and how many of them.

use super::Route;
use super::target::{TargetError, check_text, read_host, shown};
use alloc::string::String;
use core::net::Ipv6Addr;
use core::time::Duration;

/// Packets of a probe that doesn't say: enough that one lost packet is not an outage.
pub const PACKETS_DEFAULT: u8 = 3;
/// The most packets of a probe.
pub const PACKETS_MAX: u8 = 100;
/// The distance between two packets when a check doesn't say.
pub const PACKETS_APART_DEFAULT: Duration = Duration::from_millis(100);
/// The payload when a check doesn't say: that of `ping`.
pub const PAYLOAD_BYTES_DEFAULT: u16 = 56;
/// The largest payload that fits a packet of either family.
pub const PAYLOAD_BYTES_MAX: u16 = 65_507;
/// The hop limit when a check doesn't say.
pub const HOPS_DEFAULT: u8 = 64;
/// The loss that is allowed when a check doesn't say: any reply is up.
pub const LOSS_PERCENT_MAX_DEFAULT: u8 = 99;

/// A host that answers echo requests. The names are blackbox_exporter's where it has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IcmpTarget {
    /// A name or an address, as written.
    pub address: String,
    /// The host of `address`, without brackets.
    pub host: String,
    /// How many packets are sent, 1 to [`PACKETS_MAX`].
    pub packets: u8,
    /// The distance between two packets.
    pub packets_apart: Duration,
    /// The bytes behind each packet's head.
    pub payload_bytes: u16,
    /// Whether routers may cut packets.
    pub fragments: Fragments,
    /// How many routers a packet may pass.
    pub hops: u8,
    /// More loss than this, in percent of the packets, is down.
    pub loss_percent_max: u8,
    /// A mean round trip longer than this is down.
    pub rtt_max: Option<Duration>,
    /// How packets get there.
    pub route: Route,
}

/// Whether routers may cut packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fragments {
    /// They may.
    #[default]
    Allowed,
    /// They must drop what is too long: `dont_fragment`.
    Forbidden,
}

impl IcmpTarget {
    /// Reads a host, with or without `icmp:` or `icmp://` before it; everything else has its default.
    pub fn parse(text: &str) -> Result<IcmpTarget, TargetError> {
        check_text(text)?;
        let address = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("icmp") => rest.strip_prefix("//").unwrap_or(rest),
            _ => text,
        };
        let host = match address.parse::<Ipv6Addr>() {
            Ok(_) => address,
            Err(_) => match read_host(text, address)? {
                (host, None) => host,
                (_, Some(_)) => {
                    let why = "has a port, which echo requests don't know; leave it out";
                    return Err(TargetError::Host { host: shown(address), why });
                }
            },
        };
        Ok(IcmpTarget {
            address: address.into(),
            host: host.into(),
            packets: PACKETS_DEFAULT,
            packets_apart: PACKETS_APART_DEFAULT,
            payload_bytes: PAYLOAD_BYTES_DEFAULT,
            fragments: Fragments::Allowed,
            hops: HOPS_DEFAULT,
            loss_percent_max: LOSS_PERCENT_MAX_DEFAULT,
            rtt_max: None,
            route: Route::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_host_is_a_name_or_an_address_without_port() {
        let check = |text: &str, host: &str| assert_eq!(IcmpTarget::parse(text).unwrap().host, host);
        check("icmp:a.example", "a.example");
        check("icmp://192.0.2.1", "192.0.2.1");
        check("2001:db8::1", "2001:db8::1");
        check("icmp:[::1]", "::1");
        let message = IcmpTarget::parse("icmp:a.example:80").unwrap_err().to_string();
        assert!(message.contains("has a port"), "{message}");
    }
}
