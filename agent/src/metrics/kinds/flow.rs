//! What the last probe of a check measured: flow. The label `step` is the step's name in the
//! configuration.

use super::{Gauge, Measured};
use rules::evidence::{FlowFacts, StepEnd, StepFacts};

const LABEL: Option<&str> = Some("step");
const SUCCESS: Gauge = Gauge {
    name: "nines_probe_flow_step_success",
    help: "Whether a step of the last probe went as expected; absent if it was not run to its end.",
    label: LABEL,
};
const ELAPSED: Gauge = Gauge {
    name: "nines_probe_flow_step_seconds",
    help: "How long a step of the last probe took, with its repetitions; absent if it was not begun.",
    label: LABEL,
};
const REQUESTS: Gauge = Gauge {
    name: "nines_probe_flow_step_requests",
    help: "How many requests a step of the last probe made; absent if it was not begun.",
    label: LABEL,
};
const STATUS: Gauge = Gauge {
    name: "nines_probe_flow_step_status_code",
    help: "The status of the last answer to a step of the last probe.",
    label: LABEL,
};

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[&SUCCESS, &ELAPSED, &REQUESTS, &STATUS];

/// Adds what `facts` say.
pub(super) fn measure(facts: &FlowFacts, measured: &mut Vec<Measured>) {
    for StepFacts { name, elapsed, requests, status, end, .. } in &facts.steps {
        let mut push = |gauge, value| measured.push(Measured::labelled(gauge, name.as_str(), value));
        match end {
            StepEnd::NotBegun | StepEnd::Needless(_) => continue,
            StepEnd::CutOff => {}
            StepEnd::Done => push(&SUCCESS, 1.0),
            StepEnd::Failed(_) => push(&SUCCESS, 0.0),
        }
        push(&ELAPSED, elapsed.as_secs_f64());
        push(&REQUESTS, f64::from(*requests));
        if let Some(status) = status {
            push(&STATUS, f64::from(*status));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::evidence::Shortfall;
    use std::time::Duration;

    #[test]
    fn each_step_that_ran_is_told_under_its_name_and_no_other() {
        let step = |name: &str, status, end| StepFacts {
            name: name.parse().unwrap(),
            began: Duration::ZERO,
            elapsed: Duration::from_millis(1_500),
            requests: 3,
            status,
            end,
        };
        let facts = FlowFacts {
            steps: vec![
                step("log in", Some(200), StepEnd::Done),
                step("ready", Some(500), StepEnd::Failed(Shortfall::Status(500))),
                step("cut", None, StepEnd::CutOff),
                step("never", None, StepEnd::NotBegun),
            ],
        };
        let mut measured = Vec::new();
        measure(&facts, &mut measured);
        let told = |name: &str, label: &str| {
            let found = measured.iter().find(|it| it.gauge.name == name && &*it.label == label);
            found.map(|measured| measured.value)
        };
        let success = |label| told("nines_probe_flow_step_success", label);
        assert_eq!((success("log in"), success("ready"), success("cut")), (Some(1.0), Some(0.0), None));
        assert_eq!(told("nines_probe_flow_step_seconds", "cut"), Some(1.5));
        assert_eq!(told("nines_probe_flow_step_status_code", "ready"), Some(500.0));
        assert!(!measured.iter().any(|measured| &*measured.label == "never"));
    }
}
