//! Probes of the kind `tls` against servers with every sort of certificate.

use crate::secured::{ANY, Authority, Identity, Secured, authority_params, line, linger, says, serve};
use crate::{AMPLE, probe};
use agent::prober::Prober;
use daemon::clock::Clock;
use rcgen::{CertifiedIssuer, KeyPair};
use rules::check::{Pem, StartTls, Target, TlsTarget, TlsVersions, Verify};
use rules::evidence::{ClientCertificate, Evidence, Phase, Said, TlsFacts, TlsVersion, Trust};
use rules::outcome::{Cause, Outcome};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

const OLD: TlsVersion = TlsVersion::V1_2;
const NEW: TlsVersion = TlsVersion::V1_3;
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// A check of `address` that trusts `authority`.
fn target(address: SocketAddr, authority: &Authority) -> TlsTarget {
    let mut target = TlsTarget::parse(&address.to_string()).unwrap();
    target.tls.ca = Some(authority.pem());
    target
}

async fn look(target: TlsTarget) -> (Evidence, TlsFacts, Outcome) {
    let (evidence, outcome) = probe(&Target::Tls(target), AMPLE).await;
    let facts = evidence.tls.clone().unwrap_or_default();
    (evidence, facts, outcome)
}

fn starts(year: i32) -> rules::time::Timestamp {
    format!("{year}-01-01T00:00:00Z").parse().unwrap()
}

#[tokio::test]
async fn a_certificate_that_verifies_is_up_and_all_that_it_says_is_noted() {
    let authority = Authority::new(2045);
    let identity = authority.issue(&["127.0.0.1", "a.example", "*.b.example"], 2050);
    let (evidence, facts, outcome) = look(target(Secured::new(&identity).serve(), &authority)).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert!(evidence.phases.iter().map(|(phase, _)| phase).eq([Phase::Resolve, Phase::Connect, Phase::Tls]));
    assert_eq!((facts.version, facts.client_certificate), (Some(NEW), ClientCertificate::NotAsked));
    assert!(facts.cipher.unwrap().starts_with("TLS_"), "{facts:?}");
    // The authority ends before the certificate, and it was not shown.
    assert_eq!(facts.trust, Trust::Verified { last_chain_expires_at: starts(2045) });
    let certificate = facts.certificate.unwrap();
    assert_eq!((certificate.not_before, certificate.not_after), (starts(2020), starts(2050)));
    assert_eq!((certificate.chain_expires_at, certificate.chain), (starts(2050), 1));
    assert_eq!(certificate.names, ["a.example", "*.b.example"].map(Said::new));
    assert_eq!(certificate.addresses, ["127.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(certificate.issuer.as_str(), "CN=an authority for tests");
    let sha256: [u8; 32] = Sha256::digest(&identity.chain[0]).into();
    assert_eq!(certificate.sha256, sha256);
    assert!(!certificate.serial.as_str().is_empty());
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_is_down_and_all_that_it_says_is_noted_all_the_same() {
    let authority = Authority::new(2045);
    let check = async |identity: Identity, versions, expires: i32, words: &str| {
        let mut target = target(Secured::with(&identity, versions, None).serve(), &authority);
        let (evidence, facts, outcome) = look(target.clone()).await;
        assert_eq!(outcome, Outcome::Down(Cause::Certificate), "{evidence:?}");
        assert!(matches!(&facts.trust, Trust::Refused(why) if why.as_str().contains(words)), "{facts:?}");
        let expected = if versions.len() == 1 { OLD } else { NEW };
        assert_eq!(facts.version, Some(expected), "the version is known although the handshake failed");
        assert_eq!(facts.certificate.as_ref().unwrap().chain_expires_at, starts(expires));
        target.tls.verify = Verify::Nothing;
        let (evidence, skipped, outcome) = look(target).await;
        assert_eq!((outcome, &skipped.trust), (Outcome::Up, &Trust::Unasked), "{evidence:?}");
        assert_eq!(skipped.certificate, facts.certificate);
    };
    let only_old: &[_] = &[&rustls::version::TLS12];
    check(authority.issue(&["127.0.0.1"], 2024), ANY, 2024, "expired").await;
    check(authority.issue(&["127.0.0.1"], 2024), only_old, 2024, "expired").await;
    check(authority.issue(&["b.example"], 2050), ANY, 2050, "not valid for name").await;
    check(Authority::new(2045).issue(&["127.0.0.1"], 2050), ANY, 2050, "BadSignature").await;
    check(Identity::self_signed(&["127.0.0.1"], 2050), only_old, 2050, "UnknownIssuer").await;
}

#[tokio::test]
async fn of_several_verified_chains_the_one_that_lasts_longest_is_told() {
    let (old, new) = (Authority::new(2060), Authority::new(2060));
    let key = KeyPair::generate().unwrap();
    let vouched = |authority: &Authority, year| authority.vouch("a cross-signed authority", &key, year);
    let above = [vouched(&old, 2030), vouched(&new, 2041)];
    let middle = KeyPair::from_pem(&key.serialize_pem()).unwrap();
    let issuer = CertifiedIssuer::self_signed(authority_params("a cross-signed authority", 2050), middle).unwrap();
    let own_key = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2050, 1, 1);
    let own = params.signed_by(&own_key, &issuer).unwrap();
    let chain: Vec<CertificateDer<'static>> = std::iter::once(own.der().clone()).chain(above).collect();
    let address = Secured::new(&Identity { chain, key: own_key }).serve();

    let (Pem::Inline(old), Pem::Inline(new)) = (old.pem(), new.pem()) else { panic!("not inline") };
    let check = async |trusted: String, expected: i32| {
        let mut target = TlsTarget::parse(&address.to_string()).unwrap();
        target.tls.ca = Some(Pem::Inline(trusted));
        let (evidence, facts, outcome) = look(target).await;
        assert_eq!(outcome, Outcome::Up, "{evidence:?}");
        assert_eq!(facts.trust, Trust::Verified { last_chain_expires_at: starts(expected) });
        assert_eq!(facts.certificate.unwrap().chain_expires_at, starts(2030));
    };
    check(old.clone(), 2030).await;
    check(new.clone(), 2041).await;
    check(format!("{old}{new}"), 2041).await;
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_is_down_without_and_up_with_the_right_one() {
    let (authority, clients) = (Authority::new(2045), Authority::new(2045));
    let identity = authority.issue(&["127.0.0.1"], 2050);
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let mut target = target(Secured::with(&identity, versions, Some(&clients)).serve(), &authority);
        let (evidence, facts, outcome) = look(target.clone()).await;
        assert_eq!(outcome, Outcome::Down(Cause::Tls), "{evidence:?}");
        assert_eq!(facts.client_certificate, ClientCertificate::Missing);
        assert!(facts.certificate.is_some());

        target.tls.identity = Some(Identity::self_signed(&["client"], 2050).client());
        let (evidence, facts, outcome) = look(target.clone()).await;
        assert_eq!(outcome, Outcome::Down(Cause::Tls), "{evidence:?}");
        assert_eq!(facts.client_certificate, ClientCertificate::Shown);

        target.tls.identity = Some(clients.issue(&["client"], 2050).client());
        let (evidence, facts, outcome) = look(target).await;
        assert_eq!(outcome, Outcome::Up, "{evidence:?}");
        assert_eq!(facts.client_certificate, ClientCertificate::Shown);
    }
}

#[tokio::test]
async fn only_the_versions_that_the_check_allows_are_agreed_on() {
    let authority = Authority::new(2045);
    let identity = authority.issue(&["127.0.0.1"], 2050);
    let check = async |theirs: &[&'static rustls::SupportedProtocolVersion], min, max, expected: Option<TlsVersion>| {
        let mut target = target(Secured::with(&identity, theirs, None).serve(), &authority);
        target.tls.versions = TlsVersions::new(min, max).unwrap();
        let (evidence, facts, outcome) = look(target).await;
        let expected_outcome = if expected.is_some() { Outcome::Up } else { Outcome::Down(Cause::Tls) };
        assert_eq!((outcome, facts.version), (expected_outcome, expected), "{evidence:?}");
    };
    check(&[&rustls::version::TLS12], OLD, NEW, Some(OLD)).await;
    check(&[&rustls::version::TLS12], NEW, NEW, None).await;
    check(ANY, OLD, OLD, Some(OLD)).await;
    check(&[&rustls::version::TLS13], OLD, OLD, None).await;
}

#[tokio::test]
async fn what_the_check_expects_of_the_certificate_is_held_against_it() {
    let authority = Authority::new(2045);
    let identity = authority.issue(&["127.0.0.1", "a.example"], 2050);
    let good = target(Secured::new(&identity).serve(), &authority);
    let check = async |target: TlsTarget, expected| {
        let (evidence, _, outcome) = look(target).await;
        assert_eq!(outcome, expected, "{evidence:?}");
    };
    let down = Outcome::Down(Cause::Certificate);
    check(TlsTarget { expires_in_at_least: YEAR, ..good.clone() }, Outcome::Up).await;
    check(TlsTarget { expires_in_at_least: 40 * YEAR, ..good.clone() }, down).await;
    check(TlsTarget { names: vec!["a.example".into()], ..good.clone() }, Outcome::Up).await;
    check(TlsTarget { names: vec!["b.example".into()], ..good.clone() }, down).await;
    let sha256 = Sha256::digest(&identity.chain[0]).into();
    check(TlsTarget { fingerprints: vec![sha256], ..good.clone() }, Outcome::Up).await;
    check(TlsTarget { fingerprints: vec![[0; 32]], ..good }, down).await;
}

/// A server of `protocol` that agrees to TLS, or does not.
fn protocol(protocol: StartTls, secured: Secured, agrees: bool) -> SocketAddr {
    serve(move |mut stream| {
        let (greeting, wanted, yes, no): (&[u8], &str, &[u8], &[u8]) = match protocol {
            StartTls::Smtp => (b"220 mx\r\n", "STARTTLS\r\n", b"220 go\r\n", b"454 not now\r\n"),
            StartTls::Imap => (b"* OK hi\r\n", "a STARTTLS\r\n", b"a OK go\r\n", b"a BAD no\r\n"),
            StartTls::Pop3 => (b"+OK hi\r\n", "STLS\r\n", b"+OK go\r\n", b"-ERR no\r\n"),
            StartTls::Ftp => (b"220-hi\r\n220 there\r\n", "AUTH TLS\r\n", b"234 go\r\n", b"502 no\r\n"),
            StartTls::Postgres => (b"", "", b"S", b"N"),
        };
        let _ = stream.write_all(greeting);
        if protocol == StartTls::Smtp {
            assert_eq!(line(&mut stream), "EHLO nines\r\n");
            let _ = stream.write_all(b"250-mx\r\n250-STARTTLS\r\n250 HELP\r\n");
        }
        if protocol == StartTls::Postgres {
            let mut request = [0; 8];
            std::io::Read::read_exact(&mut stream, &mut request).unwrap();
            assert_eq!(request, [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
        } else {
            assert_eq!(line(&mut stream), wanted);
        }
        let _ = stream.write_all(if agrees { yes } else { no });
        if agrees { linger(&mut secured.over(stream)) } else { linger(&mut stream) }
    })
}

#[tokio::test]
async fn every_protocol_that_leads_to_tls_is_spoken_until_it_begins() {
    let authority = Authority::new(2045);
    let secured = Secured::new(&authority.issue(&["127.0.0.1"], 2050));
    for word in StartTls::ALL {
        let mut target = target(protocol(word, secured.clone(), true), &authority);
        target.starttls = Some(word);
        let (evidence, facts, outcome) = look(target).await;
        assert_eq!(outcome, Outcome::Up, "{word:?} {evidence:?}");
        assert!(facts.certificate.is_some());

        let mut refusing = TlsTarget::parse(&protocol(word, secured.clone(), false).to_string()).unwrap();
        refusing.starttls = Some(word);
        let (evidence, _, outcome) = look(refusing).await;
        assert_eq!(outcome, Outcome::Down(Cause::Content), "{word:?} {evidence:?}");
        assert_eq!(evidence.tls, None);
    }
}

#[tokio::test]
async fn a_port_that_speaks_something_else_is_down_in_its_phase() {
    let check = async |address: SocketAddr, cause| {
        let (evidence, _, outcome) = look(TlsTarget::parse(&address.to_string()).unwrap()).await;
        assert_eq!(outcome, Outcome::Down(cause), "{evidence:?}");
        assert_eq!(evidence.failure.unwrap().phase, Some(Phase::Tls));
    };
    check(says("SSH-2.0-OpenSSH_9.2p1\r\n"), Cause::Tls).await;
    check(serve(drop), Cause::Reset).await;
}

#[tokio::test]
async fn a_silent_port_is_down_when_the_time_is_over() {
    let target = Target::Tls(TlsTarget::parse(&says("").to_string()).unwrap());
    let (evidence, outcome) = probe(&target, Duration::from_millis(300)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
    assert_eq!(evidence.failure.unwrap().phase, Some(Phase::Tls));
}

#[tokio::test]
async fn a_key_that_is_missing_or_not_the_certificate_s_is_known_before_the_first_probe() {
    let prober = Prober::new(Clock::system()).unwrap();
    let check = |change: &dyn Fn(&mut TlsTarget), words: &str| {
        let mut target = TlsTarget::parse("a.example:443").unwrap();
        change(&mut target);
        let plan = prober.plan(&Target::Tls(target), AMPLE);
        let defect = plan.defect().unwrap_or_default();
        assert!(defect.contains(words) && !defect.contains("BEGIN"), "{defect}");
    };
    let (one, other) = (Identity::self_signed(&["a"], 2050).client(), Identity::self_signed(&["b"], 2050).client());
    let mut mixed = one.clone();
    mixed.key = other.key;
    check(&|target| target.tls.identity = Some(mixed.clone()), "the client's keys in the configuration");
    let mut missing = one;
    missing.key = Pem::File("/nowhere/key.pem".into());
    check(&|target| target.tls.identity = Some(missing.clone()), "/nowhere/key.pem");
    check(
        &|target| target.tls.ca = Some(Pem::Inline("-----BEGIN X-----".into())),
        "the authorities in the configuration",
    );
}
