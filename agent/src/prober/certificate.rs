//! What a chain of certificates says about itself. Nothing here is verified: see [`super::handshake`].

use rules::evidence::{CERTIFICATE_NAMES_MAX, CertificateFacts, Said};
use rules::time::Timestamp;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::{FromDer, GeneralName};
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

/// The short words for what names a subject, as Go and thereby blackbox_exporter has them.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("2.5.4.6", "C"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.17", "POSTALCODE"),
];

/// The facts of `chain`, whose first certificate is the target's own; absent if that can't be read.
pub(crate) fn facts(chain: &[CertificateDer<'_>]) -> Option<CertificateFacts> {
    let own_bytes = chain.first()?;
    let (_, own) = X509Certificate::from_der(own_bytes).ok()?;
    let not_after = timestamp(own.validity().not_after);
    let names = own.subject_alternative_name().ok().flatten();
    let names = names.as_ref().map_or(&[][..], |names| &names.value.general_names);
    let domains =
        names.iter().filter_map(|name| if let GeneralName::DNSName(name) = name { Some(*name) } else { None });
    Some(CertificateFacts {
        not_before: timestamp(own.validity().not_before),
        not_after,
        chain_expires_at: chain[1..].iter().filter_map(expires_at).fold(not_after, Timestamp::min),
        subject: Said::new(&distinguished(own.subject())),
        issuer: Said::new(&distinguished(own.issuer())),
        serial: Said::new(&serial(own.raw_serial())),
        names: domains.take(CERTIFICATE_NAMES_MAX).map(Said::new).collect(),
        addresses: names.iter().filter_map(address).take(CERTIFICATE_NAMES_MAX).collect(),
        names_count: u32::try_from(names.len()).unwrap_or(u32::MAX),
        chain: u32::try_from(chain.len()).unwrap_or(u32::MAX),
        sha256: Sha256::digest(own_bytes).into(),
    })
}

/// Until when a certificate is valid; absent if it can't be read.
pub(crate) fn expires_at(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(timestamp(certificate.validity().not_after))
}

fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_millis(time.timestamp().saturating_mul(1000))
}

fn address(name: &GeneralName<'_>) -> Option<IpAddr> {
    let GeneralName::IPAddress(bytes) = name else { return None };
    let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()
}

fn serial(bytes: &[u8]) -> String {
    let leading = bytes.iter().take_while(|byte| **byte == 0).count();
    hex(&bytes[leading..])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The name from its most to its least special part (RFC 4514), as in `CN=a.example,O=Acme,C=KR`.
fn distinguished(name: &X509Name<'_>) -> String {
    let parts: Vec<_> = name.iter_rdn().map(relative).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn relative(part: &RelativeDistinguishedName<'_>) -> String {
    part.iter().map(attribute).collect::<Vec<_>>().join("+")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let kind = attribute.attr_type().to_id_string();
    let word = ATTRIBUTES.iter().find(|(id, _)| *id == kind).map(|(_, word)| *word);
    match (word, attribute.as_str()) {
        (Some(word), Ok(value)) => format!("{word}={}", escaped(value)),
        (None, Ok(value)) => format!("{kind}={}", escaped(value)),
        (word, Err(_)) => format!("{}=#{}", word.unwrap_or(&kind), hex(attribute.as_slice())),
    }
}

/// The value with what would end it too early escaped.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    value.chars().enumerate().fold(String::new(), |mut text, (at, c)| {
        let steers = match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            ' ' => at == 0 || at == last,
            '#' => at == 0,
            _ => false,
        };
        if steers {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::DnType;

    #[test]
    fn bytes_that_are_no_certificate_have_no_facts() {
        assert_eq!(facts(&[]), None);
        assert_eq!(facts(&[CertificateDer::from(&b"\x30\x82\xff\xff garbage"[..])]), None);
    }

    #[test]
    fn a_chain_expires_with_its_first_certificate_to_do_so() {
        let issue = |name: &str, year| {
            let mut params = rcgen::CertificateParams::new(vec![name.into(), "other.example".into()]).unwrap();
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
        };
        let (own, above) = (issue("a.example", 2040), issue("ca.example", 2030));
        let facts = facts(&[own.der().clone(), above.der().clone()]).unwrap();
        assert_eq!(facts.chain_expires_at, "2030-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(facts.not_after, "2040-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(facts.not_before, "2020-01-01T00:00:00Z".parse().unwrap());
        assert_eq!((facts.names_count, facts.chain), (2, 2));
        assert_eq!(facts.names, ["a.example", "other.example"].map(Said::new));
    }

    #[test]
    fn a_certificate_names_its_subject_serial_and_addresses() {
        let mut params = rcgen::CertificateParams::new(vec!["a.example".into(), "192.0.2.1".into()]).unwrap();
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0, 0x0a, 0xff]));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "KR");
        params.distinguished_name.push(DnType::OrganizationName, "Acme, Ltd. ");
        params.distinguished_name.push(DnType::CommonName, "a.example");
        let own = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let facts = facts(&[own.der().clone()]).unwrap();
        assert_eq!(facts.subject.as_str(), "CN=a.example,O=Acme\\, Ltd.\\ ,C=KR");
        assert_eq!(facts.serial.as_str(), "0aff");
        assert_eq!(facts.addresses, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
    }
}
