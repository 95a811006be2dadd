//! What a `dns` check looks at.

use alloc::string::String;

/// A name server and a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsTarget {
    /// What is looked at, as written.
    pub address: String,
}
