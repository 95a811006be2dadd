//! What TLS and a certificate said. Nothing here says whether that is good.

use super::Said;
use crate::time::Timestamp;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

/// How many names and addresses of a certificate are kept: authorities sign a hundred, some four
/// hundred; with the names of a hostile one they still fit in a few dozen KiB.
pub const CERTIFICATE_NAMES_MAX: usize = 1000;

/// What TLS said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsFacts {
    /// The version agreed on; absent if the handshake did not get that far.
    pub version: Option<TlsVersion>,
    /// The cipher suite agreed on, by its registered name; absent unless the handshake was completed.
    pub cipher: Option<&'static str>,
    /// When the certificate was shown, by the agent's clock.
    pub seen_at: Option<Timestamp>,
    /// What the certificate says, whether or not it was found valid; absent if none was shown.
    pub certificate: Option<Arc<CertificateFacts>>,
    /// What came of verifying it.
    pub trust: Trust,
    /// Whether the target asked who we are.
    pub client_certificate: ClientCertificate,
}

/// A version of TLS that is still spoken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

impl TlsVersion {
    /// All versions, from the oldest.
    pub const ALL: [TlsVersion; 2] = [TlsVersion::V1_2, TlsVersion::V1_3];

    /// The words used in metrics and pages, as in blackbox_exporter.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsVersion::V1_2 => "TLS 1.2",
            TlsVersion::V1_3 => "TLS 1.3",
        }
    }
}

/// What came of verifying a chain of certificates.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Trust {
    /// Nothing is known: any certificate will do, or none was shown that can be read.
    #[default]
    Unasked,
    /// The chain leads to an authority that is trusted, and the certificate is for the name asked for.
    Verified {
        /// Of the chains that lead to an authority, each ends with its first certificate to expire;
        /// the last of these ends. An authority whose own end is not known does not shorten it.
        last_chain_expires_at: Timestamp,
    },
    /// It does not, and the verifier's words for why.
    Refused(Said),
}

/// Whether a target asked for a client's certificate, and what it got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ClientCertificate {
    /// It did not ask.
    #[default]
    NotAsked,
    /// It asked and was shown one.
    Shown,
    /// It asked, and there was none to show.
    Missing,
}

/// What a certificate and the chain shown with it say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFacts {
    /// From when on the target's own certificate is valid.
    pub not_before: Timestamp,
    /// Until when the target's own certificate is valid.
    pub not_after: Timestamp,
    /// When the first certificate of the chain shown to expire does so.
    pub chain_expires_at: Timestamp,
    /// Whom the target's own certificate names, such as `CN=a.example,O=Acme,C=KR`.
    pub subject: Said,
    /// Who signed it, likewise.
    pub issuer: Said,
    /// Its serial number, in hexadecimal digits without leading zero bytes.
    pub serial: Said,
    /// The names it is valid for, [`CERTIFICATE_NAMES_MAX`] at most.
    pub names: Vec<Said>,
    /// The addresses it is valid for, likewise.
    pub addresses: Vec<IpAddr>,
    /// How many subject alternative names of any kind it has.
    pub names_count: u32,
    /// How many certificates were shown.
    pub chain: u32,
    /// The SHA-256 of the target's own certificate.
    pub sha256: [u8; 32],
}
