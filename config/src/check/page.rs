//! A `page` check and its options.

use super::http::{self, headers, options};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use crate::scalar::{count, size, truth, whole};
use rules::check::{ASSETS_DEFAULT, ASSETS_MAX, Origins, PAGE_BYTES_DEFAULT, PageTarget};
use serde_json::{Map, Value, json};

/// Reads the page at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<PageTarget> {
    let options = options::read(keys, reading);
    let sent = headers::read(keys, reading);
    let same = keys.or("same_origin", false, reading, truth);
    let assets_max = keys.or("assets_limit", ASSETS_DEFAULT, reading, assets_limit);
    let bytes_max = keys.or("page_size_limit", PAGE_BYTES_DEFAULT, reading, size);
    let assets_may_fail = keys.or("assets_may_fail", 0, reading, may_fail);
    let url = http::absolute_url(node, reading)?;
    match PageTarget::parse(url) {
        Ok(target) => Some(PageTarget {
            headers: sent,
            origins: if same { Origins::Same } else { Origins::Any },
            assets_max,
            bytes_max,
            assets_may_fail,
            options: options?,
            ..target
        }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

fn assets_limit(node: &Node, reading: &mut Reading) -> Option<u32> {
    let limit = count(node, reading)?;
    if ASSETS_MAX < limit {
        return reading.problem(node.at, format!("no page needs {limit} assets; write {ASSETS_MAX} at most"));
    }
    Some(limit)
}

/// A number of assets, zero allowed.
fn may_fail(node: &Node, reading: &mut Reading) -> Option<u32> {
    let given = text(node, reading)?;
    match whole(given) {
        Some(number) => Some(number),
        None => {
            let given = given.escape_debug();
            reading.problem(node.at, format!("`{given}` is no number of assets; write a whole number from 0"))
        }
    }
}

/// Writes `page` under the keys that it is read from.
pub(super) fn write(page: &PageTarget, keys: &mut Map<String, Value>) {
    let PageTarget { url, headers: sent, origins, assets_max, bytes_max, assets_may_fail, options } = page;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("page", json!(url));
    put("same_origin", json!(*origins == Origins::Same));
    put("assets_limit", json!(assets_max));
    put("page_size_limit", json!(bytes_max));
    put("assets_may_fail", json!(assets_may_fail));
    headers::write(sent, keys);
    options::write(options, keys);
}
