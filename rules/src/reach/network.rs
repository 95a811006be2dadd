//! A network as operators write it: `10.0.0.0/8`, `2001:db8::/32`, or one address.

use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network; it is shown with its control characters escaped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotANetwork {
    /// It is no address with or without the length of a prefix.
    #[error("`{0}` is no network; write one such as `10.0.0.0/8`, `2001:db8::/32` or a single address")]
    Unreadable(String),
    /// It has bits beyond its prefix.
    #[error("`{given}` has bits beyond its prefix; write `{right}`")]
    BitsBeyond {
        /// The text.
        given: String,
        /// The network that it lies in.
        right: Network,
    },
}

impl Network {
    /// Whether `address` is of it. An IPv4 address written as IPv6 is not told apart from itself.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && cut(address, self.prefix) == self.address
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Network, NotANetwork> {
        let shown = || text.chars().take(80).flat_map(crate::evidence::escaped).collect();
        let unreadable = || NotANetwork::Unreadable(shown());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= longest).ok_or_else(unreadable)?
            }
            Some(_) => return Err(unreadable()),
        };
        let network = Network { address: cut(address, prefix), prefix };
        if network.address == address {
            Ok(network)
        } else {
            Err(NotANetwork::BitsBeyond { given: shown(), right: network })
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// `address` with every bit beyond `prefix` cleared.
fn cut(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_network_holds_what_begins_with_its_bits() {
        let check = |network: &str, address: &str, expected: bool| {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{address} in {network}");
        };
        check("10.0.0.0/8", "10.255.255.255", true);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("10.0.0.0/8", "11.0.0.0", false);
        check("10.0.0.0/8", "a00::", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "2001:db8::1", true);
        check("2001:db8::/33", "2001:db8:7fff::", true);
        check("2001:db8::/33", "2001:db8:8000::", false);
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
    }

    #[test]
    fn a_text_that_is_none_is_refused_with_what_would_be_right() {
        let check = |text: &str, part: &str| {
            let message = text.parse::<Network>().unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        };
        for text in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "::/129", "a.example", "\u{1b}[2J"] {
            check(text, "write one such as `10.0.0.0/8`");
        }
        check("10.1.2.3/8", "write `10.0.0.0/8`");
        check("2001:db8::1/32", "write `2001:db8::/32`");
    }
}
