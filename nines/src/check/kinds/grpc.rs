//! How `nines check` shows what a gRPC health service answered.

use super::Row;
use rules::evidence::{GrpcFacts, ServingStatus};
use serde_json::{Value, json};

pub(super) fn rows(facts: &GrpcFacts) -> Vec<Row> {
    let status = facts.status.as_ref().map(|status| ("grpc", format!("{} {}", status.code, status.message)));
    let serving = facts.serving.map(|serving| ("health", serving.as_str().to_owned()));
    status.into_iter().chain(serving).collect()
}

pub(super) fn json(facts: &GrpcFacts) -> Value {
    let GrpcFacts { status, serving } = facts;
    json!({
        "status_code": status.as_ref().map(|status| status.code.0),
        "message": status.as_ref().map(|status| status.message.as_str()),
        "serving_status": serving.map(ServingStatus::as_str),
    })
}
