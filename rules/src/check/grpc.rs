//! What a `grpc` check looks at.

use alloc::string::String;

/// A service that answers the gRPC health protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrpcTarget {
    /// What is looked at, as written.
    pub address: String,
}
