//! Which address was looked at, and how long it took to find.

use super::Seen;
use crate::blackbox::exposition::Gauges;
use rules::evidence::{Fault, Phase};
use std::net::IpAddr;
use std::time::Duration;

/// Writes the series about the address; `literal` is the target's host if that is an address itself.
pub(super) fn write(literal: Option<IpAddr>, seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    let Some(Seen { evidence, .. }) = seen else { return };
    let resolved = evidence.phases.length(Phase::Resolve).unwrap_or_default();
    let help = "Returns the time taken for probe dns lookup in seconds";
    gauges.set("probe_dns_lookup_time_seconds", help, seconds(resolved));
    // The first that was reached, or else the first that was tried.
    let mut attempts = evidence.attempts.iter();
    let tried = attempts.find(|attempt| attempt.fault.is_none()).or(evidence.attempts.first());
    let is_found = evidence.failure.as_ref().is_none_or(|failure| failure.fault != Fault::NoSuchName);
    let literal = literal.filter(|_| is_found);
    let address = literal.or(tried.map(|attempt| attempt.address.ip())).map(|address| address.to_canonical());
    let protocol = match address {
        None => 0.0,
        Some(IpAddr::V4(_)) => 4.0,
        Some(IpAddr::V6(_)) => 6.0,
    };
    gauges.set("probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6", protocol);
    let help = "Specifies the hash of IP address. It's useful to detect if the IP address changes.";
    gauges.set("probe_ip_addr_hash", help, address.map_or(0.0, |address| f64::from(hash(address))));
}

/// The FNV-1a hash of an address's bytes.
fn hash(address: IpAddr) -> u32 {
    let fold = |bytes: &[u8]| {
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    };
    match address {
        IpAddr::V4(address) => fold(&address.octets()),
        IpAddr::V6(address) => fold(&address.octets()),
    }
}

pub(super) fn seconds(length: Duration) -> f64 {
    length.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_hashed_as_the_peer_hashes_it() {
        assert_eq!(hash("127.0.0.1".parse().unwrap()), 3_668_918_509);
    }
}
