//! Whether a proxy stands between: `proxy_url`, `no_proxy`, `proxy_from_environment`,
//! `proxy_connect_header` and `skip_resolve_phase_with_proxy`.

use super::headers::is_token;
use crate::node::{Key, Node};
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, one_or_list, placed, text};
use crate::scalar::{truth, words};
use crate::secret::{Secret, expanded};
use rules::check::{Proxy, ProxyChoice, ResolvedBy};
use serde_json::{Map, Value, json};

/// The schemes of a proxy's URL.
const SCHEMES: &[&str] = &["http://", "https://", "socks5://"];

/// Reads the keys of a proxy among those of a check or of `oauth2`.
pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Proxy> {
    let url = keys.optional("proxy_url", reading, url);
    let except = keys.optional("no_proxy", reading, placed(words));
    let from_environment = keys.optional("proxy_from_environment", reading, placed(truth));
    let headers = keys.optional("proxy_connect_header", reading, placed(headers));
    let skip = keys.or("skip_resolve_phase_with_proxy", false, reading, truth);
    let choice = match (url, from_environment.filter(|it| it.value)) {
        (None, None) => ProxyChoice::Direct,
        (None, Some(_)) => ProxyChoice::FromEnvironment,
        (Some(url), None) => ProxyChoice::At { url, except: except.as_ref().map(|except| except.value.clone()) },
        (Some(_), Some(Placed { at, .. })) => {
            return reading
                .problem(at, "`proxy_from_environment` and `proxy_url` both name a proxy; keep one of the two");
        }
    };
    match (&choice, except, headers.as_ref()) {
        (ProxyChoice::Direct | ProxyChoice::FromEnvironment, Some(except), _) => {
            reading.problem(except.at, "`no_proxy` is for a proxy of `proxy_url`; add that, or leave `no_proxy` out")
        }
        (ProxyChoice::Direct, _, Some(headers)) => reading.problem(
            headers.at,
            "`proxy_connect_header` goes to a proxy and there is none; add `proxy_url` or `proxy_from_environment: true`",
        ),
        _ => {
            let connect_headers = headers.map(|headers| headers.value).unwrap_or_default();
            let resolved_by = if skip { ResolvedBy::Proxy } else { ResolvedBy::Agent };
            Some(Proxy { choice, connect_headers, resolved_by })
        }
    }
}

fn url(node: &Node, reading: &mut Reading) -> Option<Secret> {
    reading.conceal(node.at);
    let url = expanded(node, reading)?;
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
    if rest.is_none_or(|rest| rest.trim_start_matches('/').is_empty()) {
        return reading.problem(
            node.at,
            "this is no proxy's URL; write one such as `http://proxy.example:3128`, with `http`, `https` or `socks5`",
        );
    }
    Some(Secret::new(url))
}

/// A map of names to a value or a list of values.
fn headers(node: &Node, reading: &mut Reading) -> Option<Vec<(String, Secret)>> {
    let mut keys = Keys::of(node, "`proxy_connect_header`", reading)?;
    let headers: Vec<_> = keys.rest().into_iter().filter_map(|(key, node)| header(key, node, reading)).collect();
    Some(headers.into_iter().flatten().collect())
}

fn header(key: &Key, node: &Node, reading: &mut Reading) -> Option<Vec<(String, Secret)>> {
    if key.name.is_empty() || !key.name.chars().all(is_token) {
        let name = key.name.escape_debug();
        return reading.problem(key.at, format!("`{name}` is no header name; use letters, digits and hyphens"));
    }
    let values = one_or_list(|node: &Node, reading: &mut Reading| {
        reading.conceal(node.at);
        text(node, reading)?;
        super::headers::value(node, reading)
    })(node, reading)?;
    Some(values.into_iter().map(|value| (key.name.clone(), Secret::new(value))).collect())
}

/// Writes `proxy` under the keys that it is read from.
pub(super) fn write(proxy: &Proxy, keys: &mut Map<String, Value>) {
    let Proxy { choice, connect_headers, resolved_by } = proxy;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    match choice {
        ProxyChoice::Direct => {}
        ProxyChoice::FromEnvironment => drop(put("proxy_from_environment", json!(true))),
        ProxyChoice::At { url, except } => {
            put("proxy_url", json!(url.expose()));
            if let Some(except) = except {
                put("no_proxy", json!(except));
            }
        }
    }
    if !connect_headers.is_empty() {
        let mut values: Map<String, Value> = Map::new();
        for (name, value) in connect_headers {
            let list = values.entry(name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(json!(value.expose()));
            }
        }
        put("proxy_connect_header", Value::Object(values));
    }
    if *resolved_by == ResolvedBy::Proxy {
        put("skip_resolve_phase_with_proxy", json!(true));
    }
}
