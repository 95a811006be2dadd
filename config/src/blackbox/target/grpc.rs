//! What a `grpc` module asks after.

use super::{Refusal, route, tls};
use crate::blackbox::module::{GrpcModule, HeaderText};
use rules::check::{GrpcTarget, Metadata};

pub(super) fn target(module: &GrpcModule, address: &str) -> Result<GrpcTarget, Refusal> {
    // The peer reads a URL and looks at its host alone.
    let rest = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://")).unwrap_or(address);
    let host = rest.split('/').next().unwrap_or(rest);
    let target = GrpcTarget::parse(host).map_err(|error| Refusal::new(error.to_string()))?;
    let pairs = module
        .metadata
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |HeaderText(value)| (name.clone(), value.clone())));
    Ok(GrpcTarget {
        service: module.service.clone(),
        tls: if module.tls { Some(tls(&module.tls_config)?) } else { None },
        metadata: Metadata(pairs.collect()),
        route: route(&module.preferred_ip_protocol, module.ip_protocol_fallback, "")?,
        ..target
    })
}
