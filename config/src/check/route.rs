//! How connections get to a target: address family and source address, under blackbox_exporter's names.

use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::{parsed, truth};
use rules::check::{IpPreference, Route};
use serde_json::{Map, Value, json};

/// Reads the keys of a route among those of a check.
pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Route> {
    let source = keys.optional("source_ip_address", reading, parsed);
    let ip = preference(keys, reading);
    Some(Route { ip: ip?, source })
}

/// Which address family is tried, by blackbox_exporter's two keys.
fn preference(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<IpPreference> {
    let preferred = keys.optional("preferred_ip_protocol", reading, word(&[("ip4", false), ("ip6", true)]));
    let fallback = keys.optional("ip_protocol_fallback", reading, placed(truth));
    match (preferred, fallback) {
        (None, Some(Placed { at, value: false })) => reading.problem(
            at,
            "`ip_protocol_fallback: false` says not what to stay with; add `preferred_ip_protocol: ip4` or `ip6`",
        ),
        (None, _) => Some(IpPreference::Any),
        (Some(false), Some(Placed { value: false, .. })) => Some(IpPreference::OnlyV4),
        (Some(true), Some(Placed { value: false, .. })) => Some(IpPreference::OnlyV6),
        (Some(false), _) => Some(IpPreference::PreferV4),
        (Some(true), _) => Some(IpPreference::PreferV6),
    }
}

/// Writes `route` under the keys that it is read from.
pub(super) fn write(route: &Route, keys: &mut Map<String, Value>) {
    keys.extend(route.source.map(|source| ("source_ip_address".to_owned(), json!(source.to_string()))));
    write_preference(route.ip, keys);
}

fn write_preference(ip: IpPreference, keys: &mut Map<String, Value>) {
    let (preferred, fallback) = match ip {
        IpPreference::Any => return,
        IpPreference::PreferV4 => ("ip4", true),
        IpPreference::PreferV6 => ("ip6", true),
        IpPreference::OnlyV4 => ("ip4", false),
        IpPreference::OnlyV6 => ("ip6", false),
    };
    keys.insert("preferred_ip_protocol".to_owned(), json!(preferred));
    keys.insert("ip_protocol_fallback".to_owned(), json!(fallback));
}
