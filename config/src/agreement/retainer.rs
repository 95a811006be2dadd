//! Expert work bought by the year, from its keys.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::{parsed, percent};
use rules::retainer::{ManMonths, Retainer};

/// What handling an incident uses at least when nothing is said: the source's half a man-month.
const INCIDENT_AT_LEAST_DEFAULT: ManMonths = ManMonths(50);
/// How much of a year may be carried into the next when nothing is said, in percent: the source's.
const CARRY_AT_MOST_DEFAULT: &str = "20";

/// Reads the key `retainer`.
pub(super) fn retainer(node: &Node, reading: &mut Reading) -> Option<Retainer> {
    let mut keys = Keys::of(node, "`retainer`", reading)?;
    let from = keys.required("from", reading, parsed);
    let a_year = keys.required("a_year", reading, placed(parsed::<ManMonths>));
    let carried = keys.or("carried", ManMonths::default(), reading, parsed);
    let incident_at_least = keys.or("incident_at_least", INCIDENT_AT_LEAST_DEFAULT, reading, parsed);
    let carry_at_most = keys.optional("carry_at_most", reading, percent);
    let carry_at_most = carry_at_most.or_else(|| CARRY_AT_MOST_DEFAULT.parse().ok())?;
    keys.end(reading);
    let Placed { at, value: a_year } = a_year?;
    if a_year == ManMonths::default() {
        return reading
            .problem(at, "a retainer of no man-months holds nothing; write how much a year has, such as 2.0");
    }
    Some(Retainer { from: from?, a_year, carried, incident_at_least, carry_at_most })
}
