//! Which addresses a prober may connect to (`reliability.md`, security).
//!
//! The question is asked of the address that is about to be connected to, after resolving and after
//! each redirect, so that neither a name nor a spelling of an address can lead around it. It judges
//! addresses only: it never resolves a name and never opens a socket.

mod network;

pub use network::{Network, NotANetwork};

use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where probes may go. What is refused by name stays refused; what is allowed by name is allowed;
/// for the rest the scope decides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// What decides for an address that neither list holds.
    pub scope: Scope,
    /// Networks that may be connected to.
    pub allow: Vec<Network>,
    /// Networks that may not, whatever else is said.
    pub refuse: Vec<Network>,
}

/// How much trust the one who chose the target has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scope {
    /// Whoever runs the agent chose it: all but what no service has an address in.
    #[default]
    Operator,
    /// Anybody may have chosen it, as over `/probe`: nothing private either.
    Stranger,
}

/// Why an address may not be connected to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The operator's own list holds it.
    Listed,
    /// It is link-local, where clouds keep their metadata, or a metadata service elsewhere.
    LinkLocal,
    /// It is this machine.
    Loopback,
    /// It is of a private network.
    Private,
    /// It is no single host's address.
    NoHost,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Listed => "it is in a refused network",
            Refusal::LinkLocal => "it is link-local or a cloud's metadata service",
            Refusal::Loopback => "it is this machine",
            Refusal::Private => "it is private",
            Refusal::NoHost => "it is no single host's",
        })
    }
}

impl Reach {
    /// Whether `address` may be connected to. An address that carries another one in itself, as those of
    /// translators and tunnels do, must be permitted in both readings.
    pub fn permits(&self, address: IpAddr) -> Result<(), Refusal> {
        let plain = address.to_canonical();
        let carried = match plain {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => carried(address).map(IpAddr::V4),
        };
        [Some(plain), carried].into_iter().flatten().try_for_each(|address| self.permits_reading(address))
    }

    fn permits_reading(&self, address: IpAddr) -> Result<(), Refusal> {
        let holds = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        if holds(&self.refuse) {
            return Err(Refusal::Listed);
        }
        if holds(&self.allow) {
            return Ok(());
        }
        match kind(address) {
            None => Ok(()),
            Some(Refusal::Private | Refusal::Loopback) if self.scope == Scope::Operator => Ok(()),
            Some(refusal) => Err(refusal),
        }
    }
}

/// What speaks against an address by itself.
fn kind(address: IpAddr) -> Option<Refusal> {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Option<Refusal> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (169, 254, _) => Some(Refusal::LinkLocal),
        // Alibaba's and Azure's metadata services.
        _ if matches!(address.octets(), [100, 100, 100, 200] | [168, 63, 129, 16]) => Some(Refusal::LinkLocal),
        (127, ..) => Some(Refusal::Loopback),
        // The system takes `0.0.0.0` for itself.
        (0, ..) => Some(Refusal::Loopback),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Some(Refusal::Private),
        (192, 0, 0) | (198, 18..=19, _) => Some(Refusal::Private),
        _ if address.is_multicast() || address.is_broadcast() => Some(Refusal::NoHost),
        // Reserved, and used as private by some.
        (240..=255, ..) => Some(Refusal::Private),
        _ => None,
    }
}

fn kind_v6(address: Ipv6Addr) -> Option<Refusal> {
    // Amazon's metadata service has an address among the private ones.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address.segments()[0] {
        _ if address == METADATA => Some(Refusal::LinkLocal),
        _ if address.is_loopback() || address.is_unspecified() => Some(Refusal::Loopback),
        // Link-local, and the site-local addresses that some systems still route.
        0xfe80..=0xfebf => Some(Refusal::LinkLocal),
        0xfec0..=0xfeff | 0xfc00..=0xfdff => Some(Refusal::Private),
        0xff00..=0xffff => Some(Refusal::NoHost),
        _ => None,
    }
}

/// The IPv4 address that an IPv6 address is translated or tunnelled to, if it is of a kind that is.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        // NAT64, well-known and local-use (RFC 6052, RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0] | [0x64, 0xff9b, 1, ..] => Some(v4(g, h)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // Teredo: the client's address with its bits turned (RFC 4380).
        [0x2001, 0, ..] => Some(v4(!g, !h)),
        // IPv4-translated (RFC 2765) and IPv4-compatible (RFC 4291).
        [0, 0, 0, 0, 0xffff, 0] => Some(v4(g, h)),
        [0, 0, 0, 0, 0, 0] if 1 < (u32::from(g) << 16) | u32::from(h) => Some(v4(g, h)),
        // ISATAP (RFC 5214).
        [_, _, _, _, 0 | 0x200, 0x5efe] => Some(v4(g, h)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn permitted(reach: &Reach, address: &str) -> Result<(), Refusal> {
        reach.permits(address.parse().unwrap())
    }

    #[test]
    fn an_operator_may_go_everywhere_but_where_no_service_is() {
        let reach = Reach::default();
        for address in ["127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fd12::1", "8.8.8.8", "2001:db8::1"] {
            assert_eq!(permitted(&reach, address), Ok(()), "{address}");
        }
        for address in ["169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"] {
            assert_eq!(permitted(&reach, address), Err(Refusal::LinkLocal), "{address}");
        }
        for address in ["224.0.0.1", "255.255.255.255", "ff02::1"] {
            assert_eq!(permitted(&reach, address), Err(Refusal::NoHost), "{address}");
        }
    }

    #[test]
    fn a_stranger_may_go_nowhere_private() {
        let reach = Reach { scope: Scope::Stranger, ..Reach::default() };
        for address in ["127.0.0.1", "127.255.255.254", "0.0.0.0", "::1", "::"] {
            assert_eq!(permitted(&reach, address), Err(Refusal::Loopback), "{address}");
        }
        for address in ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fc00::1", "fdff::1"] {
            assert_eq!(permitted(&reach, address), Err(Refusal::Private), "{address}");
        }
        for address in ["172.15.0.1", "172.32.0.1", "100.128.0.1", "11.0.0.1", "2600::1"] {
            assert_eq!(permitted(&reach, address), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_address_within_an_address_is_judged_too() {
        let reach = Reach::default();
        for address in [
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
            "2600::5efe:169.254.169.254",
            "2600::200:5efe:a9fe:a9fe",
        ] {
            assert_eq!(permitted(&reach, address), Err(Refusal::LinkLocal), "{address}");
        }
        assert_eq!(permitted(&reach, "64:ff9b::8.8.8.8"), Ok(()));
    }

    #[test]
    fn a_refused_network_stays_refused_and_an_allowed_one_is_allowed() {
        let reach = Reach {
            scope: Scope::Stranger,
            allow: vec![network("10.0.0.0/8"), network("169.254.1.1")],
            refuse: vec![network("10.9.0.0/16"), network("2001:db8::/32")],
        };
        assert_eq!(permitted(&reach, "10.1.2.3"), Ok(()));
        assert_eq!(permitted(&reach, "::ffff:10.1.2.3"), Ok(()));
        assert_eq!(permitted(&reach, "10.9.2.3"), Err(Refusal::Listed));
        assert_eq!(permitted(&reach, "64:ff9b::10.9.2.3"), Err(Refusal::Listed));
        assert_eq!(permitted(&reach, "2001:db8::1"), Err(Refusal::Listed));
        assert_eq!(permitted(&reach, "169.254.1.1"), Ok(()));
        assert_eq!(permitted(&reach, "169.254.1.2"), Err(Refusal::LinkLocal));
    }
}
