//! What TLS and the certificate said.

use crate::blackbox::exposition::Gauges;
use rules::evidence::{CertificateFacts, Said, TlsFacts, Trust};
use rules::time::Timestamp;

/// What Go's clock says when nothing does: the first second of the year 1.
const NEVER: f64 = -62_135_596_800.0;

/// Whether the series about verified chains and ciphers are written: not every prober of the peer does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) last_chain_expiry: Part,
    pub(super) cipher: Part,
}

/// Whether a series is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Written,
    LeftOut,
}

/// Writes what is known; a certificate that was refused is known too.
pub(super) fn write(facts: &TlsFacts, parts: Parts, gauges: &mut Gauges) {
    if let Some(certificate) = &facts.certificate {
        let help = "Returns last SSL chain expiry in unixtime";
        gauges.set("probe_ssl_earliest_cert_expiry", help, unix(certificate.chain_expires_at));
        write_info(certificate, gauges);
        if parts.last_chain_expiry == Part::Written {
            let help = "Returns last SSL chain expiry in timestamp";
            let expiry = match &facts.trust {
                Trust::Verified { last_chain_expires_at } => unix(*last_chain_expires_at),
                Trust::Unasked | Trust::Refused(_) => NEVER,
            };
            gauges.set("probe_ssl_last_chain_expiry_timestamp_seconds", help, expiry);
        }
    }
    if let Some(version) = facts.version {
        let help = "Returns the TLS version used or NaN when unknown";
        gauges.set_with("probe_tls_version_info", help, &[("version", version.as_str())], 1.0);
    }
    if let (Some(cipher), Part::Written) = (facts.cipher, parts.cipher) {
        let help = "Returns the TLS cipher negotiated during handshake";
        gauges.set_with("probe_tls_cipher_info", help, &[("cipher", cipher)], 1.0);
    }
}

fn write_info(certificate: &CertificateFacts, gauges: &mut Gauges) {
    let fingerprint: String = certificate.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let names: Vec<&str> = certificate.names.iter().map(Said::as_str).collect();
    let labels = [
        ("fingerprint_sha256", fingerprint.as_str()),
        ("subject", certificate.subject.as_str()),
        ("issuer", certificate.issuer.as_str()),
        ("subjectalternative", &names.join(",")),
        ("serialnumber", certificate.serial.as_str()),
    ];
    gauges.set_with("probe_ssl_last_chain_info", "Contains SSL leaf certificate information", &labels, 1.0);
}

fn unix(at: Timestamp) -> f64 {
    (at.as_millis().div_euclid(1000)) as f64
}
