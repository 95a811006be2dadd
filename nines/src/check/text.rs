//! A probe as a picture for a terminal: a bar for each phase, then what was learnt.
//!
//! Everything that came from outside arrives here without control characters; this adds none.

use super::{Look, kinds, safe};
use rules::evidence::{Attempt, CertificateFacts, ClientCertificate, Evidence, HttpFacts, Phase, TlsFacts, Trust, Way};
use rules::outcome::Outcome;
use rules::time::Timestamp;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// How many columns the whole probe takes; with the words before it, it fits a terminal of 80.
const BAR_COLUMNS: u128 = 44;
/// How many of a certificate's names are shown: more than most have.
const NAMES_SHOWN: usize = 5;
const DAY: Duration = Duration::from_secs(86_400);

/// Draws `look`; `now` is for how long the certificate still lasts.
pub(super) fn picture(look: &Look<'_>, now: Timestamp) -> String {
    let mut page = String::new();
    let verdict = match look.outcome {
        Outcome::Up => "up".to_owned(),
        Outcome::Down(cause) => format!("down ({cause})"),
        Outcome::Void(cause) => format!("void ({cause})"),
    };
    let evidence = look.evidence;
    line(&mut page, &format!("{verdict}  {}  {}", safe(look.target.address()), milliseconds(evidence.elapsed)));
    if let Some(why) = &look.why {
        line(&mut page, &format!("  {}", safe(why)));
    }
    draw_phases(&mut page, evidence);
    draw_attempts(&mut page, &evidence.attempts);
    if let Some(tls) = &evidence.tls {
        draw_tls(&mut page, tls, now);
    }
    if let Some(http) = &evidence.http {
        draw_http(&mut page, http);
    }
    for (word, text) in evidence.facts.iter().flat_map(kinds::rows) {
        line(&mut page, &format!("  {word:<11}{text}"));
    }
    page
}

fn line(page: &mut String, text: &str) {
    page.push_str(text.trim_end());
    page.push('\n');
}

fn draw_phases(page: &mut String, evidence: &Evidence) {
    let mut began = Duration::ZERO;
    for (phase, length) in evidence.phases.iter() {
        let bar = bar(began, length, evidence.elapsed, BAR_COLUMNS);
        let broken = evidence.failure.as_ref().is_some_and(|failure| failure.phase == Some(phase));
        let end = if broken { " x" } else { "" };
        line(page, &format!("  {:<11}{:>13}  {bar}{end}", name(phase), milliseconds(length)));
        began += length;
    }
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => "resolve",
        Phase::Connect => "connect",
        Phase::Tls => "tls",
        Phase::FirstByte => "first byte",
        Phase::Transfer => "transfer",
    }
}

/// A bar from `began` on, as long as `length`, on a scale where `whole` fills all `columns`; never
/// quite empty.
pub(super) fn bar(began: Duration, length: Duration, whole: Duration, columns: u128) -> String {
    let column = |at: Duration| {
        let column = at.as_micros() * columns / whole.as_micros().max(1);
        usize::try_from(column.min(columns - 1)).unwrap_or(0)
    };
    let (from, until) = (column(began), column(began + length));
    format!("{}{}", " ".repeat(from), "█".repeat((until - from).max(1)))
}

/// An address as it is written. Echo requests know no port, so their attempts have 0.
pub(super) fn place(address: SocketAddr) -> String {
    match address.port() {
        0 => address.ip().to_string(),
        _ => address.to_string(),
    }
}

fn draw_attempts(page: &mut String, attempts: &[Attempt]) {
    for Attempt { address, fault, elapsed } in attempts {
        let address = place(*address);
        match fault {
            None => line(page, &format!("  address    {address}")),
            Some(fault) => line(page, &format!("  address    {address}  {fault} after {}", milliseconds(*elapsed))),
        }
    }
}

fn draw_tls(page: &mut String, tls: &TlsFacts, now: Timestamp) {
    if let Some(version) = tls.version {
        line(page, &format!("  tls        {}  {}", version.as_str(), tls.cipher.unwrap_or_default()));
    }
    match tls.client_certificate {
        ClientCertificate::NotAsked => {}
        ClientCertificate::Shown => line(page, "  client     a certificate was asked for and shown"),
        ClientCertificate::Missing => line(page, "  client     a certificate was asked for, and there is none to show"),
    }
    let Some(certificate) = &tls.certificate else { return };
    let CertificateFacts { not_before, not_after, subject, issuer, serial, chain, sha256, .. } = &**certificate;
    line(page, &format!("  subject    {subject}"));
    line(page, &format!("  issuer     {issuer}  ({} shown)", count(*chain, "certificate")));
    line(page, &format!("  names      {}", names(certificate)));
    line(page, &format!("  valid      from {not_before}"));
    line(page, &format!("  expires    {not_after}  ({})", from_now(*not_after, now)));
    if certificate.chain_expires_at != *not_after {
        let end = certificate.chain_expires_at;
        line(page, &format!("  chain ends {end}  ({})", from_now(end, now)));
    }
    match &tls.trust {
        Trust::Unasked => line(page, "  trust      not verified"),
        Trust::Verified { last_chain_expires_at } => {
            line(page, &format!("  trust      verified until {last_chain_expires_at}"))
        }
        Trust::Refused(why) => line(page, &format!("  trust      {why}")),
    }
    line(page, &format!("  serial     {serial}"));
    line(page, &format!("  sha256     {}", hex(sha256)));
}

/// The first of the names and addresses, and how many more there are.
fn names(certificate: &CertificateFacts) -> String {
    let names = certificate.names.iter().map(ToString::to_string);
    let all = names.chain(certificate.addresses.iter().map(ToString::to_string));
    let shown: Vec<String> = all.take(NAMES_SHOWN).collect();
    let more = usize::try_from(certificate.names_count).unwrap_or(0).saturating_sub(shown.len());
    match (shown.is_empty(), more) {
        (true, 0) => "none".to_owned(),
        (_, 0) => shown.join(" "),
        _ => format!("{} and {more} more", shown.join(" ")),
    }
}

fn from_now(then: Timestamp, now: Timestamp) -> String {
    let days = |length: Duration| length.as_secs() / DAY.as_secs();
    if now < then {
        format!("in {} days", days(then.since(now)))
    } else {
        format!("{} days ago", days(now.since(then)))
    }
}

fn draw_http(page: &mut String, http: &HttpFacts) {
    let mut text =
        format!("  answer     HTTP/{} {}, {} bytes of body", http.version.as_str(), http.status, http.body_bytes);
    if http.wire_bytes != http.body_bytes {
        let _ = write!(text, " ({} as sent)", http.wire_bytes);
    }
    if 0 < http.redirects {
        let _ = write!(text, ", after {}", count(http.redirects, "redirect"));
    }
    if http.way == Way::Proxy {
        text.push_str(", through a proxy");
    }
    line(page, &text);
    if let Some(place) = &http.led_to {
        line(page, &format!("  led to     {place}"));
    }
    if let Some(modified) = http.last_modified {
        line(page, &format!("  modified   {modified}"));
    }
    if let Some(start) = &http.body_start {
        line(page, &format!("  body       {start}"));
    }
}

fn count(number: u32, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

pub(super) fn milliseconds(length: Duration) -> String {
    let micros = length.as_micros();
    format!("{}.{:03} ms", micros / 1000, micros % 1000)
}

/// The bytes as a certificate's fingerprint is written.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::check::Target;
    use rules::evidence::{Failure, Fault, HttpVersion, Said, TlsVersion};
    use rules::outcome::Cause;
    use std::sync::Arc;

    const MS: Duration = Duration::from_millis(1);

    fn draw(target: &str, evidence: &Evidence, outcome: Outcome, why: Option<&str>) -> String {
        let target = Target::parse(target).unwrap();
        let why = why.map(str::to_owned);
        picture(&Look { target: &target, evidence, outcome, why }, "2026-11-21T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_page_that_is_up_shows_its_phases_as_a_staircase() {
        let mut evidence = Evidence { elapsed: 44 * MS, ..Evidence::default() };
        for (phase, length) in Phase::ALL.into_iter().zip([0, 10, 20, 10, 4]) {
            evidence.phases.add(phase, length * MS);
        }
        let address = "192.0.2.1:443".parse().unwrap();
        evidence.attempts = vec![
            Attempt { address: "[2001:db8::1]:443".parse().unwrap(), fault: Some(Fault::Unreachable), elapsed: MS },
            Attempt { address, fault: None, elapsed: 9 * MS },
        ];
        let certificate = CertificateFacts {
            not_before: "2026-09-01T00:00:00Z".parse().unwrap(),
            not_after: "2026-12-01T00:00:00Z".parse().unwrap(),
            chain_expires_at: "2026-11-22T00:00:00Z".parse().unwrap(),
            subject: Said::new("CN=a.example"),
            issuer: Said::new("CN=\u{1b}[31mAuthority"),
            serial: Said::new("0aff"),
            names: vec![Said::new("a.example")],
            addresses: Vec::new(),
            names_count: 3,
            chain: 2,
            sha256: [0xab; 32],
        };
        evidence.tls = Some(TlsFacts {
            version: Some(TlsVersion::V1_3),
            cipher: Some("TLS_AES_128_GCM_SHA256"),
            seen_at: None,
            certificate: Some(Arc::new(certificate)),
            trust: Trust::Verified { last_chain_expires_at: "2026-11-30T00:00:00Z".parse().unwrap() },
            client_certificate: ClientCertificate::Missing,
        });
        evidence.http = Some(HttpFacts {
            redirects: 1,
            wire_bytes: 512,
            body_bytes: 512,
            ..HttpFacts::new(200, HttpVersion::V1_1)
        });
        let expected = "\
up  https://a.example/  44.000 ms
  resolve         0.000 ms  █
  connect        10.000 ms  ██████████
  tls            20.000 ms            ████████████████████
  first byte     10.000 ms                                ██████████
  transfer        4.000 ms                                          ███
  address    [2001:db8::1]:443  unreachable after 1.000 ms
  address    192.0.2.1:443
  tls        TLS 1.3  TLS_AES_128_GCM_SHA256
  client     a certificate was asked for, and there is none to show
  subject    CN=a.example
  issuer     CN=\\u{1b}[31mAuthority  (2 certificates shown)
  names      a.example and 2 more
  valid      from 2026-09-01T00:00:00Z
  expires    2026-12-01T00:00:00Z  (in 10 days)
  chain ends 2026-11-22T00:00:00Z  (in 1 days)
  trust      verified until 2026-11-30T00:00:00Z
  serial     0aff
  sha256     abababababababababababababababababababababababababababababababab
  answer     HTTP/1.1 200, 512 bytes of body, after 1 redirect
";
        assert_eq!(draw("https://a.example/", &evidence, Outcome::Up, None), expected);
    }

    #[test]
    fn a_port_that_is_down_says_why_and_where() {
        let failure =
            Failure { fault: Fault::Refused, phase: Some(Phase::Connect), detail: Said::new("connection refused") };
        let mut evidence = Evidence { elapsed: MS, failure: Some(failure), ..Evidence::default() };
        evidence.phases.add(Phase::Connect, MS);
        let expected = "\
down (refused)  a.example:1  1.000 ms
  connection refused (in phase connect)
  connect         1.000 ms  ███████████████████████████████████████████ x
";
        let why = Some("connection refused (in phase connect)");
        assert_eq!(draw("tcp:a.example:1", &evidence, Outcome::Down(Cause::Refused), why), expected);
    }
}
