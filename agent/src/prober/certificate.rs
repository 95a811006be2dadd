//! What a chain of certificates says about itself. Nothing here is verified: see [`super::tls`].

use rules::evidence::{CertificateFacts, Said};
use rules::time::Timestamp;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// The facts of `chain`, whose first certificate is the target's own; absent if that can't be read.
pub(crate) fn facts(chain: &[CertificateDer<'_>]) -> Option<CertificateFacts> {
    let own_bytes = chain.first()?;
    let (_, own) = X509Certificate::from_der(own_bytes).ok()?;
    let others = chain[1..].iter().filter_map(|bytes| X509Certificate::from_der(bytes).ok());
    let not_after = others.map(|(_, other)| not_after(&other)).fold(not_after(&own), Timestamp::min);
    let names = own.subject_alternative_name().ok().flatten().map_or(0, |names| names.value.general_names.len());
    Some(CertificateFacts {
        not_after,
        subject: Said::new(&own.subject().to_string()),
        issuer: Said::new(&own.issuer().to_string()),
        names: u32::try_from(names).unwrap_or(u32::MAX),
        chain: u32::try_from(chain.len()).unwrap_or(u32::MAX),
        sha256: Sha256::digest(own_bytes).into(),
    })
}

fn not_after(certificate: &X509Certificate<'_>) -> Timestamp {
    let seconds = certificate.validity().not_after.timestamp();
    Timestamp::from_millis(seconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_certificate_have_no_facts() {
        assert_eq!(facts(&[]), None);
        assert_eq!(facts(&[CertificateDer::from(&b"\x30\x82\xff\xff garbage"[..])]), None);
    }

    #[test]
    fn the_chain_expires_with_its_first_certificate_to_do_so() {
        let issue = |name: &str, year| {
            let mut params = rcgen::CertificateParams::new(vec![name.into(), "other.example".into()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
        };
        let (own, above) = (issue("a.example", 2040), issue("ca.example", 2030));
        let facts = facts(&[own.der().clone(), above.der().clone()]).unwrap();
        assert_eq!(facts.not_after, "2030-01-01T00:00:00Z".parse().unwrap());
        assert_eq!((facts.names, facts.chain), (2, 2));
        assert_eq!(facts.subject.as_str(), "CN=rcgen self signed cert");
    }
}
