//! What an `unix` check looks at.

use alloc::string::String;

/// A socket in the file system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnixTarget {
    /// What is looked at, as written.
    pub address: String,
}
