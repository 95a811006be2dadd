//! What follows from the customer's standing, and how long evidence is kept, from their keys.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::{days_text, duration, length};
use rules::standing::StandingRule;
use std::time::Duration;

/// A longest month and the usual grace: evidence that is gone before can't close its month.
const NEEDED_TO_CLOSE: Duration = Duration::from_secs(41 * 24 * 3600);

/// Reads the key `standing`.
pub(super) fn rule(node: &Node, reading: &mut Reading) -> Option<StandingRule> {
    let mut keys = Keys::of(node, "`standing`", reading)?;
    let trial = keys.optional("trial", reading, length);
    let screens = keys.optional("screens_stop", reading, duration);
    let collection = keys.optional("collection_stops", reading, placed(duration));
    let data = keys.optional("data_deleted", reading, placed(duration));
    let terminated_deleted = keys.optional("terminated_deleted", reading, duration);
    keys.end(reading);
    in_order(("screens stop", screens), ("collection_stops", collection), reading);
    let collection = collection.map(|placed| placed.value);
    in_order(("collection stops", collection), ("data_deleted", data), reading);
    Some(StandingRule {
        trial,
        screens_stop: screens,
        collection_stops: collection,
        data_deleted: data.map(|placed| placed.value),
        terminated_deleted,
    })
}

/// Warns when the harder step comes before the milder one.
fn in_order(
    (milder, first): (&str, Option<Duration>),
    (harder, then): (&str, Option<Placed<Duration>>),
    reading: &mut Reading,
) {
    if let (Some(first), Some(Placed { at, value: then })) = (first, then)
        && then < first
    {
        let (first, then) = (days_text(first), days_text(then));
        let message = format!(
            "`{harder}` is {then}, before {milder} after {first}; a customer is usually warned by the milder step first"
        );
        reading.warn(at, message);
    }
}

/// Reads the key `retention`.
pub(super) fn retention(node: &Node, reading: &mut Reading) -> Option<Duration> {
    let retention = length(node, reading)?;
    if retention < NEEDED_TO_CLOSE {
        let (given, needed) = (days_text(retention), days_text(NEEDED_TO_CLOSE));
        let message =
            format!("evidence is deleted after {given}, before its month can be closed; keep it for {needed} or more");
        reading.warn(node.at, message);
    }
    Some(retention)
}
