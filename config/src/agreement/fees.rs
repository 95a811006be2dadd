//! What a customer pays, from its keys.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use crate::scalar::parsed;
use rules::agreement::Fees;
use rules::decimal::{Currency, Money};
use rules::period::Month;
use std::collections::BTreeMap;

/// Reads the key `fees`.
pub(super) fn fees(node: &Node, reading: &mut Reading) -> Option<Fees> {
    let mut keys = Keys::of(node, "`fees`", reading)?;
    let currency: Option<Currency> = keys.required("currency", reading, parsed);
    let default = keys.take("default");
    let months = keys.rest();
    let currency = currency?;
    let default = default.and_then(|(_, node)| money(node, currency, reading));
    let mut by_month = BTreeMap::new();
    for (key, node) in months {
        let Ok(month) = key.name.parse::<Month>() else {
            let name = key.name.escape_debug();
            let message = format!(
                "unknown key `{name}` in `fees`; its keys are `currency`, `default` and months such as `2026-10`"
            );
            reading.problem::<()>(key.at, message);
            continue;
        };
        if let Some(fee) = money(node, currency, reading) {
            by_month.insert(month, fee);
        }
    }
    Some(Fees { currency, default, months: by_month })
}

fn money(node: &Node, currency: Currency, reading: &mut Reading) -> Option<Money> {
    let given = text(node, reading)?;
    match currency.amount(given) {
        Ok(amount) => Some(amount),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}
