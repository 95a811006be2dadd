//! What a `promql` check looks at.

use alloc::string::String;

/// A query to a Prometheus server, held against a bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromqlTarget {
    /// What is looked at, as written.
    pub address: String,
}
