//! What can be wrong with the certificate that a `tls` check was shown. That it was verified, if the
//! check asks for that, is the handshake's doing.

use super::{Complaint, dialog};
use crate::check::TlsTarget;
use crate::evidence::{CertificateFacts, Evidence, Facts, Said, TlsFacts, Trust};
use crate::outcome::Cause;
use crate::time::Timestamp;
use alloc::string::String;
use core::fmt::Write;
use core::net::IpAddr;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(target: &TlsTarget, evidence: &Evidence) -> Option<Complaint<'static>> {
    let spoken = evidence.facts.as_ref().and_then(Facts::dialog).and_then(dialog::complaint);
    if spoken.is_some() {
        return spoken;
    }
    let tls = evidence.tls.as_ref()?;
    let certificate = tls.certificate.as_deref();
    let why = match certificate {
        None => Some("the certificate shown can't be read".into()),
        Some(certificate) => about_pin(target, certificate)
            .or_else(|| about_names(target, certificate))
            .or_else(|| about_end(target, tls, certificate)),
    };
    why.map(|why| Complaint::Unmet { cause: Cause::Certificate, why: Said::new(&why) })
}

fn about_pin(target: &TlsTarget, certificate: &CertificateFacts) -> Option<String> {
    if target.fingerprints.is_empty() || target.fingerprints.contains(&certificate.sha256) {
        return None;
    }
    let mut why = String::from("the certificate is none of those expected; its SHA-256 is ");
    for byte in certificate.sha256 {
        let _ = write!(why, "{byte:02x}");
    }
    Some(why)
}

fn about_names(target: &TlsTarget, certificate: &CertificateFacts) -> Option<String> {
    let missing = target.names.iter().find(|name| !is_valid_for(certificate, name))?;
    Some(alloc::format!("the certificate is not valid for `{missing}`"))
}

/// Whether `name`, or a wildcard for it, is among the certificate's names and addresses.
fn is_valid_for(certificate: &CertificateFacts, name: &str) -> bool {
    if let Ok(address) = name.parse::<IpAddr>() {
        return certificate.addresses.contains(&address);
    }
    let name = name.trim_end_matches('.');
    let above = name.split_once('.').map(|(_, above)| above);
    certificate.names.iter().map(|listed| listed.as_str().trim_end_matches('.')).any(|listed| {
        let wild = listed.strip_prefix("*.").zip(above);
        listed.eq_ignore_ascii_case(name) || wild.is_some_and(|(listed, above)| listed.eq_ignore_ascii_case(above))
    })
}

fn about_end(target: &TlsTarget, tls: &TlsFacts, certificate: &CertificateFacts) -> Option<String> {
    if target.expires_in_at_least.is_zero() {
        return None;
    }
    let expires_at = end(tls, certificate);
    let seen_at = tls.seen_at?;
    if seen_at.plus(target.expires_in_at_least) <= expires_at {
        return None;
    }
    let days = target.expires_in_at_least.as_secs() / 86_400;
    let hours = target.expires_in_at_least.as_secs() / 3600 % 24;
    Some(alloc::format!("the chain ends at {expires_at}, sooner than in {days} days and {hours} hours"))
}

/// When what was shown stops being valid. A verified chain may leave out some of what was shown.
fn end(tls: &TlsFacts, certificate: &CertificateFacts) -> Timestamp {
    match tls.trust {
        Trust::Verified { last_chain_expires_at } => last_chain_expires_at,
        Trust::Unasked | Trust::Refused(_) => certificate.chain_expires_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::sync::Arc;
    use alloc::vec;
    use core::time::Duration;

    const DAY: Duration = Duration::from_secs(86_400);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn target() -> TlsTarget {
        TlsTarget::parse("a.example:443").unwrap()
    }

    fn shown(trust: Trust) -> Evidence {
        let certificate = CertificateFacts {
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2026-12-01T00:00:00Z"),
            chain_expires_at: at("2026-11-25T00:00:00Z"),
            subject: Said::default(),
            issuer: Said::default(),
            serial: Said::default(),
            names: vec![Said::new("A.example"), Said::new("*.b.example")],
            addresses: vec!["192.0.2.1".parse().unwrap()],
            names_count: 3,
            chain: 2,
            sha256: [7; 32],
        };
        let tls = TlsFacts {
            certificate: Some(Arc::new(certificate)),
            seen_at: Some(at("2026-11-21T00:00:00Z")),
            trust,
            ..TlsFacts::default()
        };
        Evidence { tls: Some(tls), ..Evidence::default() }
    }

    #[track_caller]
    fn check(target: &TlsTarget, trust: Trust, expected: Option<&str>) {
        let evidence = shown(trust);
        let complaint = complaint(target, &evidence);
        assert_eq!(complaint.as_ref().map(ToString::to_string).as_deref(), expected);
        assert!(complaint.is_none_or(|found| matches!(found, Complaint::Unmet { cause: Cause::Certificate, .. })));
    }

    #[test]
    fn a_chain_that_ends_too_soon_is_down_and_one_that_lasts_to_the_second_is_not() {
        let lasts = |length| TlsTarget { expires_in_at_least: length, ..target() };
        check(&lasts(Duration::ZERO), Trust::Unasked, None);
        check(&lasts(4 * DAY), Trust::Unasked, None);
        let why = "the chain ends at 2026-11-25T00:00:00Z, sooner than in 4 days and 1 hours";
        check(&lasts(4 * DAY + Duration::from_secs(3600)), Trust::Unasked, Some(why));
        // A verified chain leaves out the certificate that ends first.
        let trust = Trust::Verified { last_chain_expires_at: at("2026-12-01T00:00:00Z") };
        check(&lasts(10 * DAY), trust.clone(), None);
        let why = "the chain ends at 2026-12-01T00:00:00Z, sooner than in 11 days and 0 hours";
        check(&lasts(11 * DAY), trust, Some(why));
    }

    #[test]
    fn each_name_must_be_covered_as_a_verifier_would_have_it() {
        let named = |name: &str| TlsTarget { names: vec!["a.example".into(), name.into()], ..target() };
        for name in ["a.EXAMPLE", "x.b.example", "192.0.2.1", "a.example."] {
            check(&named(name), Trust::Unasked, None);
        }
        for name in ["b.example", "x.y.b.example", "192.0.2.2", "example"] {
            check(&named(name), Trust::Unasked, Some(&alloc::format!("the certificate is not valid for `{name}`")));
        }
    }

    #[test]
    fn a_certificate_that_is_not_the_pinned_one_is_down() {
        check(&TlsTarget { fingerprints: vec![[1; 32], [7; 32]], ..target() }, Trust::Unasked, None);
        let pinned = TlsTarget { fingerprints: vec![[1; 32]], ..target() };
        let why = alloc::format!("the certificate is none of those expected; its SHA-256 is {}", "07".repeat(32));
        check(&pinned, Trust::Unasked, Some(&why));
    }
}
