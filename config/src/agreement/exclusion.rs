//! An exclusion from its keys.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::{listed, nearest};
use crate::reading::{Placed, Reading, one_or_list, placed, text};
use crate::scalar::{instant, parsed, words};
use rules::exclusion::{Class, Exclusion};
use rules::id::ServiceId;
use rules::interval::Interval;
use std::collections::BTreeSet;

/// Reads one exclusion of an agreement that promises `promised`.
pub(super) fn read(node: &Node, promised: &BTreeSet<ServiceId>, reading: &mut Reading) -> Option<Placed<Exclusion>> {
    let mut keys = Keys::of(node, "an exclusion", reading)?;
    let services = keys.optional("services", reading, one_or_list(|node, reading| service(node, promised, reading)));
    let from = keys.required("from", reading, instant);
    let until = keys.required("until", reading, placed(instant));
    let class = keys.required("class", reading, placed(class));
    let reason = keys.or("reason", String::new(), reading, |node, reading| text(node, reading).map(str::to_owned));
    let told_at = keys.optional("told_at", reading, instant);
    let recorded_by = keys.optional("recorded_by", reading, words);
    let recorded_at = keys.optional("recorded_at", reading, instant);
    keys.end(reading);
    let (from, Placed { at: until_at, value: until }) = (from?, until?);
    let Some(interval) = Interval::new(from, until) else {
        let message = "an exclusion ends no later than it begins; write an `until` after its `from`";
        return reading.problem(until_at, message);
    };
    let services = services.map(|services| services.into_iter().collect());
    let Placed { at, value: class } = class?;
    Some(Placed {
        at,
        value: Exclusion { services, reason, told_at, recorded_by, recorded_at, ..Exclusion::new(interval, class) },
    })
}

fn service(node: &Node, promised: &BTreeSet<ServiceId>, reading: &mut Reading) -> Option<ServiceId> {
    let id: ServiceId = parsed(node, reading)?;
    if promised.contains(&id) {
        return Some(id);
    }
    let known: Vec<&str> = promised.iter().map(ServiceId::as_str).collect();
    let right = match nearest(id.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its services are {}", listed(&known)),
    };
    reading.problem(node.at, format!("no service of this agreement is called `{id}`; {right}"))
}

fn class(node: &Node, reading: &mut Reading) -> Option<Class> {
    let choices: Vec<(&'static str, Class)> = Class::ALL.iter().map(|class| (class.as_str(), *class)).collect();
    crate::reading::words::word(&choices)(node, reading)
}
