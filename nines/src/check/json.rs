//! A probe as one line of JSON, for programs.

use super::text::{hex, place};
use super::{Look, kinds};
use rules::evidence::{CertificateFacts, ClientCertificate, Found, HttpFacts, Said, TlsFacts, Transport, Trust, Way};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Writes `look` as an object and a line's end. What was not seen is null.
pub(super) fn line(look: &Look<'_>) -> String {
    let evidence = look.evidence;
    let phases: Map<String, Value> =
        evidence.phases.iter().map(|(phase, length)| (phase.as_str().to_owned(), micros(length))).collect();
    let attempts: Vec<Value> = evidence
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "address": place(attempt.address),
                "fault": attempt.fault.map(|fault| fault.as_str()),
                "elapsed_us": micros(attempt.elapsed),
            })
        })
        .collect();
    let mut object = json!({
        "target": look.target.address(),
        "kind": look.target.kind(),
        "outcome": look.outcome.kind().as_str(),
        "cause": look.outcome.cause().map(|cause| cause.as_str()),
        "why": look.why,
        "failed_phase": evidence.failure.as_ref().and_then(|failure| failure.phase).map(|phase| phase.as_str()),
        "elapsed_us": micros(evidence.elapsed),
        "phases_us": phases,
        "attempts": attempts,
        "tls": evidence.tls.as_ref().map(tls),
        "http": evidence.http.as_ref().map(http),
    });
    if let (Some(facts), Value::Object(object)) = (&evidence.facts, &mut object) {
        let (key, value) = kinds::json(facts);
        object.insert(key.to_owned(), value);
    }
    format!("{object}\n")
}

pub(super) fn micros(length: Duration) -> Value {
    u64::try_from(length.as_micros()).map_or(Value::Null, Value::from)
}

fn tls(tls: &TlsFacts) -> Value {
    let (verified, last_chain_expires_at, refused) = match &tls.trust {
        Trust::Unasked => (Value::Null, None, None),
        Trust::Verified { last_chain_expires_at } => (json!(true), Some(last_chain_expires_at.to_string()), None),
        Trust::Refused(why) => (json!(false), None, Some(why.as_str())),
    };
    json!({
        "version": tls.version.map(|version| version.as_str()),
        "cipher": tls.cipher,
        "verified": verified,
        "last_chain_expires_at": last_chain_expires_at,
        "refused": refused,
        "client_certificate": match tls.client_certificate {
            ClientCertificate::NotAsked => "not_asked",
            ClientCertificate::Shown => "shown",
            ClientCertificate::Missing => "missing",
        },
        "certificate": tls.certificate.as_deref().map(certificate),
    })
}

fn certificate(certificate: &CertificateFacts) -> Value {
    json!({
        "not_before": certificate.not_before.to_string(),
        "not_after": certificate.not_after.to_string(),
        "chain_expires_at": certificate.chain_expires_at.to_string(),
        "subject": certificate.subject.as_str(),
        "issuer": certificate.issuer.as_str(),
        "serial": certificate.serial.as_str(),
        "names": certificate.names.iter().map(Said::as_str).collect::<Vec<_>>(),
        "addresses": certificate.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "names_count": certificate.names_count,
        "chain": certificate.chain,
        "sha256": hex(&certificate.sha256),
    })
}

fn http(http: &HttpFacts) -> Value {
    json!({
        "status": http.status,
        "version": http.version.as_str(),
        "tls": http.transport == Transport::Tls,
        "proxy": http.way == Way::Proxy,
        "redirects": http.redirects,
        "led_to": http.led_to.as_ref().map(Said::as_str),
        "content_length": http.content_length,
        "wire_bytes": http.wire_bytes,
        "body_bytes": http.body_bytes,
        "last_modified": http.last_modified.map(|at| at.to_string()),
        "found": http.found.iter().map(|found| word(*found)).collect::<Vec<_>>(),
        "body_start": http.body_start.as_ref().map(Said::as_str),
    })
}

fn word(found: Found) -> &'static str {
    match found {
        Found::Yes => "yes",
        Found::No => "no",
        Found::Nothing => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::check::Target;
    use rules::evidence::{Evidence, Failure, Fault, Phase, Said};
    use rules::outcome::{Cause, Outcome};

    #[test]
    fn a_line_holds_one_object_whose_text_can_steer_no_terminal() {
        let failure = Failure { fault: Fault::Reset, phase: Some(Phase::Transfer), detail: Said::new("cut") };
        let mut evidence = Evidence { failure: Some(failure), ..Evidence::default() };
        evidence.phases.add(Phase::Transfer, Duration::from_micros(7));
        let target = Target::parse("http://a.example/").unwrap();
        let why = Some("\u{1b}[2J\n".to_owned());
        let look = Look { target: &target, evidence: &evidence, outcome: Outcome::Down(Cause::Reset), why };
        let line = line(&look);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains('\u{1b}'));
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&object["outcome"], &object["cause"]), (&json!("down"), &json!("reset")));
        assert_eq!(object["phases_us"], json!({ "transfer": 7 }));
        assert_eq!((&object["failed_phase"], &object["tls"]), (&json!("transfer"), &Value::Null));
    }
}
