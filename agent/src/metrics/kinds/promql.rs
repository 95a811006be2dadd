//! What the last probe of a check measured: promql.

use super::{Gauge, Measured};
use rules::evidence::PromqlFacts;

const SERIES: Gauge = Gauge {
    name: "nines_probe_promql_series",
    help: "Series in the answer to the last probe's query, those without a number too.",
    label: None,
};
const LOWEST: Gauge = Gauge {
    name: "nines_probe_promql_lowest_value",
    help: "The lowest value in the answer to the last probe's query.",
    label: None,
};
const HIGHEST: Gauge = Gauge {
    name: "nines_probe_promql_highest_value",
    help: "The highest value in the answer to the last probe's query.",
    label: None,
};

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[&SERIES, &LOWEST, &HIGHEST];

/// Adds what `facts` say.
pub(super) fn measure(facts: &PromqlFacts, measured: &mut Vec<Measured>) {
    let samples = match facts {
        PromqlFacts::Values(samples) => samples,
        PromqlFacts::TooMany(series) => {
            measured.push(Measured::new(&SERIES, *series as f64));
            return;
        }
        PromqlFacts::Refused(_) => return,
    };
    measured.push(Measured::new(&SERIES, samples.len() as f64));
    let values = || samples.iter().filter_map(|sample| sample.value.as_ref());
    measured.extend(values().min().map(|lowest| Measured::new(&LOWEST, lowest.as_f64())));
    measured.extend(values().max().map(|highest| Measured::new(&HIGHEST, highest.as_f64())));
}
