//! What an `exec` check looks at.

use alloc::string::String;

/// A local command with the exit codes of Nagios plugins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecTarget {
    /// What is looked at, as written.
    pub address: String,
}
