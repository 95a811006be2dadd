//! What the last probe of a check measured: exec.
//!
//! The label of `nines_probe_exec_perfdata` is the one label value that no configuration holds: it
//! comes from the output of a program that the operator chose, which is nothing without it. It is
//! cut, stripped of control characters, and there are at most as many as [`PERFDATA_MAX`] at a time.
//!
//! [`PERFDATA_MAX`]: rules::evidence::PERFDATA_MAX

use super::{Gauge, Measured};
use rules::evidence::{ExecFacts, ProcessEnd};

const STATUS: Gauge = Gauge {
    name: "nines_probe_exec_exit_status",
    help: "The exit status of the last probe's command; absent if a signal ended it.",
    label: None,
};
const OUTPUT: Gauge =
    Gauge { name: "nines_probe_exec_output_bytes", help: "Bytes that the last probe's command wrote.", label: None };
const PERFDATA: Gauge = Gauge {
    name: "nines_probe_exec_perfdata",
    help: "What the last probe's command measured, in base units, by the command's own label.",
    label: Some("label"),
};

/// What is told of a command.
pub(super) const GAUGES: &[&Gauge] = &[&STATUS, &OUTPUT, &PERFDATA];

/// Adds what `facts` say.
pub(super) fn measure(facts: &ExecFacts, measured: &mut Vec<Measured>) {
    if let ProcessEnd::Exited(status) = facts.end {
        measured.push(Measured::new(&STATUS, f64::from(status)));
    }
    measured.push(Measured::new(&OUTPUT, facts.output_bytes as f64));
    for one in &facts.perfdata {
        measured.push(Measured::labelled(&PERFDATA, one.label.as_str(), one.value));
    }
}
