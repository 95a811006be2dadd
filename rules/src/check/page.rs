//! What a `page` check looks at.

use alloc::string::String;

/// A page with everything that a browser would fetch for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageTarget {
    /// What is looked at, as written.
    pub address: String,
}
