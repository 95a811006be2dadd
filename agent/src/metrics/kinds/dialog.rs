//! What the last probe of a check measured: dialogs.

use super::{Gauge, Measured};
use rules::evidence::{DialogFacts, Expectation};

const DONE: Gauge = Gauge {
    name: "nines_probe_dialog_steps_done",
    help: "Steps of its dialog that the last probe got through.",
    label: None,
};
const UNMET: Gauge = Gauge {
    name: "nines_probe_dialog_unmet",
    help: "1 if the last probe waited in vain for what is looked for by this, else 0.",
    label: Some("by"),
};

/// What is told of a dialog.
pub(super) const GAUGES: &[&Gauge] = &[&DONE, &UNMET];

/// Adds what `facts` say.
pub(super) fn measure(facts: &DialogFacts, measured: &mut Vec<Measured>) {
    measured.push(Measured::new(&DONE, f64::from(facts.done)));
    for by in [Expectation::Regexp, Expectation::Bytes] {
        let unmet = facts.unmet.as_ref().is_some_and(|unmet| unmet.by == by);
        measured.push(Measured::labelled(&UNMET, by.as_str(), f64::from(u8::from(unmet))));
    }
}
