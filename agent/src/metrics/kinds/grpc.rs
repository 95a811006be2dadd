//! What the last probe of a check measured: grpc.

use super::{Gauge, Measured};
use rules::evidence::{GrpcFacts, ServingStatus};

const STATUS: Gauge =
    Gauge { name: "nines_probe_grpc_status_code", help: "The gRPC status of the last call.", label: None };
const SERVING: Gauge = Gauge {
    name: "nines_probe_grpc_serving_status",
    help: "1 for what the health service said last, 0 for the others.",
    label: Some("serving_status"),
};

/// What is told of a health service's answer.
pub(super) const GAUGES: &[&Gauge] = &[&STATUS, &SERVING];

/// Adds what `facts` say.
pub(super) fn measure(facts: &GrpcFacts, measured: &mut Vec<Measured>) {
    measured.extend(facts.status.as_ref().map(|status| Measured::new(&STATUS, f64::from(status.code.0))));
    if let Some(said) = facts.serving {
        let one_hot = ServingStatus::ALL.map(|status| {
            let value = if status == said { 1.0 } else { 0.0 };
            Measured::labelled(&SERVING, status.as_str(), value)
        });
        measured.extend(one_hot);
    }
}
