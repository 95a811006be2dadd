//! What a `tls` check looks at.

use alloc::string::String;

/// A port that speaks TLS, and its certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsTarget {
    /// What is looked at, as written.
    pub address: String,
}
