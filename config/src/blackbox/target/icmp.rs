//! What an `icmp` module sends.

use super::{Refusal, route};
use crate::blackbox::module::IcmpModule;
use rules::check::{Fragments, IcmpTarget};

/// The payload of the peer when a module doesn't say: its name.
const PAYLOAD_BYTES: u16 = 28;

pub(super) fn target(module: &IcmpModule, address: &str) -> Result<IcmpTarget, Refusal> {
    let target = IcmpTarget::parse(address).map_err(|error| Refusal::new(error.to_string()))?;
    let payload_bytes = match module.payload_size {
        0 => PAYLOAD_BYTES,
        size => u16::try_from(size).map_err(|_| Refusal::new(format!("a payload of {size} bytes fits no packet")))?,
    };
    let hops = match module.ttl {
        0 => target.hops,
        ttl => u8::try_from(ttl).unwrap_or(u8::MAX),
    };
    Ok(IcmpTarget {
        packets: 1,
        payload_bytes,
        fragments: if module.dont_fragment { Fragments::Forbidden } else { Fragments::Allowed },
        hops,
        route: route(&module.preferred_ip_protocol, module.ip_protocol_fallback, &module.source_ip_address)?,
        ..target
    })
}
