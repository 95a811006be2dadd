//! What a `heartbeat` check looks at.

use alloc::string::String;

/// A job that reports when it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeartbeatTarget {
    /// What is looked at, as written.
    pub address: String,
}
