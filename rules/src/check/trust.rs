//! How a certificate is judged.

use alloc::string::String;

/// How a certificate is judged.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsRule {
    /// Whether an invalid certificate is a failure.
    pub verify: Verify,
    /// A file of authorities that are trusted instead of the machine's.
    pub ca_file: Option<String>,
    /// The name asked for and verified instead of the URL's host.
    pub server_name: Option<String>,
}

/// Whether certificates are verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verify {
    /// An invalid certificate fails the probe.
    #[default]
    Chain,
    /// Any certificate will do: `insecure_skip_verify`.
    Nothing,
}
