//! A `grpc` check and its options, under blackbox_exporter's names but for `grpc_service`: `service` says whose check it is.

use super::{route, trust};
use crate::node::{Key, Node};
use crate::reading::keys::Keys;
use crate::reading::{Reading, one_or_list, text};
use crate::scalar::truth;
use crate::secret::expanded;
use rules::check::{GrpcTarget, Metadata, TlsRule};
use serde_json::{Map, Value, json};

/// The key of the service that is asked after.
const SERVICE: &str = "grpc_service";

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<GrpcTarget> {
    let service = keys.or(SERVICE, String::new(), reading, |node, reading| text(node, reading).map(str::to_owned));
    let with_tls = keys.or("tls", false, reading, truth);
    let rule = trust::read(keys, reading);
    if !with_tls && rule != TlsRule::default() {
        reading.problem::<()>(keys.at, "`tls_config` says nothing to a server without TLS; add `tls: true`");
    }
    let metadata = keys.or("metadata", Metadata::default(), reading, metadata);
    let route = route::read(keys, reading);
    let address = text(node, reading)?;
    if address.contains('/') {
        let address = address.escape_debug();
        return reading.problem(node.at, format!("`{address}` is no `host:port`; name a service with `{SERVICE}`"));
    }
    match GrpcTarget::parse(address) {
        Ok(target) => Some(GrpcTarget { service, tls: with_tls.then_some(rule), metadata, route: route?, ..target }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// A map of names to values, each one or a list.
fn metadata(node: &Node, reading: &mut Reading) -> Option<Metadata> {
    let mut keys = Keys::of(node, "`metadata`", reading)?;
    let entries = keys.rest().into_iter().filter_map(|(key, node)| entry(key, node, reading));
    Some(Metadata(entries.flatten().collect()))
}

fn entry(key: &Key, node: &Node, reading: &mut Reading) -> Option<Vec<(String, String)>> {
    reading.conceal(node.at);
    let name = key.name.to_ascii_lowercase();
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(is_good) || name.starts_with("grpc-") {
        let name = key.name.escape_debug();
        let right = "use letters, digits, `-`, `_` and `.`, and no name that begins with `grpc-`";
        return reading.problem(key.at, format!("`{name}` is no name of metadata; {right}"));
    }
    let is_binary = name.ends_with("-bin");
    let values = one_or_list(|node: &Node, reading: &mut Reading| {
        reading.conceal(node.at);
        let value = expanded(node, reading)?;
        if !is_binary && !value.chars().all(|c| matches!(c, ' '..='~')) {
            let message = "a value of metadata has a sign that is not printable ASCII; use a name that ends in `-bin`";
            return reading.problem(node.at, message);
        }
        Some(value)
    })(node, reading)?;
    Some(values.into_iter().map(|value| (name.clone(), value)).collect())
}

/// Writes `grpc` under the keys that it is read from.
pub(super) fn write(grpc: &GrpcTarget, keys: &mut Map<String, Value>) {
    let GrpcTarget { address, host: _, port: _, service, tls, metadata, route } = grpc;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("grpc", json!(address));
    put(SERVICE, json!(service));
    put("tls", json!(tls.is_some()));
    let mut values: Map<String, Value> = Map::new();
    for (name, value) in &metadata.0 {
        let list = values.entry(name.clone()).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!(value));
        }
    }
    put("metadata", Value::Object(values));
    if let Some(tls) = tls {
        trust::write(tls, keys);
    }
    route::write(route, keys);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_document::{from_json, to_json};

    /// Reads a check with `options`, writes it, and reads it again.
    #[track_caller]
    fn read_twice(options: &str) -> GrpcTarget {
        let document = format!(r#"{{"checks":[{{"service":"s","check":"c",{options}}}]}}"#);
        let first = from_json(&document).unwrap_or_else(|error| panic!("{error}"));
        let again = from_json(&to_json(&first)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(first, again);
        let rules::check::Target::Grpc(target) = &first[0].check.target else { panic!("another kind was read") };
        target.clone()
    }

    #[test]
    fn a_check_that_says_only_where_asks_the_server_as_a_whole_in_plain_text() {
        let target = read_twice(r#""grpc":"a.example:50051""#);
        assert_eq!(target, GrpcTarget::parse("grpc:a.example:50051").unwrap());
    }

    #[test]
    fn the_service_that_is_asked_after_is_not_the_one_that_has_the_check() {
        let target = read_twice(r#""grpc":"a.example:50051","grpc_service":"shop.Orders""#);
        assert_eq!(target, GrpcTarget::parse("grpc:a.example:50051/shop.Orders").unwrap());
        let whole = read_twice(r#""grpc":"a.example:50051","grpc_service":"""#);
        assert_eq!(whole.service, "");
    }
}
