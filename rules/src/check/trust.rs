//! How a certificate is judged, and who we say we are: blackbox_exporter's `tls_config`.

use crate::evidence::TlsVersion;
use alloc::string::String;
use core::fmt;

/// How TLS is spoken to a target.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsRule {
    /// Whether an invalid certificate is a failure.
    pub verify: Verify,
    /// Authorities that are trusted instead of the machine's.
    pub ca: Option<Pem>,
    /// The certificate that is shown to a target that asks for one.
    pub identity: Option<TlsIdentity>,
    /// The name asked for and verified instead of the target's host.
    pub server_name: Option<String>,
    /// The versions that may be agreed on.
    pub versions: TlsVersions,
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

/// A client's certificate and its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsIdentity {
    /// The certificate, and the chain above it if there is one.
    pub certificate: Pem,
    /// Its private key.
    pub key: Pem,
}

/// PEM, or where it lies. It may be a private key: Debug shows no more than a file's name.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// The text itself.
    Inline(String),
    /// A file on the machine that probes.
    File(String),
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pem::Inline(_) => f.write_str("Inline([redacted])"),
            Pem::File(file) => f.debug_tuple("File").field(file).finish(),
        }
    }
}

/// The versions that may be agreed on, both ends included; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TlsVersions {
    min: TlsVersion,
    max: TlsVersion,
}

impl TlsVersions {
    /// From `min` to `max`; absent if that is backwards.
    pub fn new(min: TlsVersion, max: TlsVersion) -> Option<TlsVersions> {
        (min <= max).then_some(TlsVersions { min, max })
    }

    /// The oldest.
    pub fn min(self) -> TlsVersion {
        self.min
    }

    /// The newest.
    pub fn max(self) -> TlsVersion {
        self.max
    }

    /// Whether `version` is one of them.
    pub fn contain(self, version: TlsVersion) -> bool {
        (self.min..=self.max).contains(&version)
    }
}

impl Default for TlsVersions {
    fn default() -> TlsVersions {
        TlsVersions { min: TlsVersion::V1_2, max: TlsVersion::V1_3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown_when_debugged() {
        let identity = TlsIdentity { certificate: Pem::File("c.pem".into()), key: Pem::Inline("hunter2".into()) };
        let shown = alloc::format!("{identity:?}");
        assert!(shown.contains("c.pem") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_range_of_versions_is_never_backwards() {
        assert_eq!(TlsVersions::new(TlsVersion::V1_3, TlsVersion::V1_2), None);
        let old = TlsVersions::new(TlsVersion::V1_2, TlsVersion::V1_2).unwrap();
        assert!(old.contain(TlsVersion::V1_2) && !old.contain(TlsVersion::V1_3));
    }
}
