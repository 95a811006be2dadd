//! What the gRPC health service answered.

/// What the gRPC health service answered.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GrpcFacts {}
