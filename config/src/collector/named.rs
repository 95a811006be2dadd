//! Names in one part of a configuration that another part gives.

use crate::node::{Node, Value};
use crate::reading::words::{listed, nearest};
use crate::reading::{Reading, one_or_list, text};
use crate::source::Span;
use rules::id::AgreementId;
use std::collections::{BTreeMap, BTreeSet};

/// One agreement's name or a list of them, each among `known`; at least one.
pub(super) fn agreements(
    node: &Node,
    known: &BTreeSet<AgreementId>,
    reading: &mut Reading,
) -> Option<BTreeSet<AgreementId>> {
    let one = |node: &Node, reading: &mut Reading| {
        let given = text(node, reading)?;
        known
            .get(given)
            .cloned()
            .or_else(|| unknown("agreement", given, known.iter().map(AgreementId::as_str), node.at, reading))
    };
    if is_empty(node) {
        return reading.problem(node.at, "no agreement is listed here; list one or more, or leave the key out for all");
    }
    Some(one_or_list(one)(node, reading)?.into_iter().collect())
}

/// Whether a list has nothing in it.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Nothing => true,
        Value::List(nodes) => nodes.is_empty(),
        Value::Text(_) | Value::Map(_) => false,
    }
}

/// Says that no `what` is called `given`, and which ones there are.
pub(super) fn unknown<'a, T>(
    what: &str,
    given: &str,
    known: impl Iterator<Item = &'a str>,
    at: Span,
    reading: &mut Reading,
) -> Option<T> {
    let known: Vec<&str> = known.collect();
    let right = match nearest(given, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("there is no {what} at all"),
        None => format!("known are {}", listed(&known)),
    };
    reading.problem(at, format!("no {what} is called `{}`; {right}", given.escape_debug()))
}

/// Refuses a name of a `what` that comes twice.
pub(super) fn distinct<'a>(what: &str, names: impl Iterator<Item = (&'a str, Span)>, reading: &mut Reading) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for (name, at) in names {
        if let Some(first) = seen.insert(name, at) {
            let first = reading.shown(first);
            reading.problem::<()>(at, format!("{what} `{name}` is given twice, first at {first}; rename one"));
        }
    }
}
