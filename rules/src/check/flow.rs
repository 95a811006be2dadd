//! What a `flow` check looks at.

use alloc::string::String;

/// A sequence of requests that together do one thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowTarget {
    /// What is looked at, as written.
    pub address: String,
}
