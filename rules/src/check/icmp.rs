//! What an `icmp` check looks at.

use alloc::string::String;

/// A host that answers echo requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IcmpTarget {
    /// What is looked at, as written.
    pub address: String,
}
