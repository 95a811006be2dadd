//! The probers against real sockets: each way that a target can fail, and what is then said.
#![expect(clippy::unwrap_used, reason = "a test whose servers can't be set up has failed")]

// What they are held against
mod servers;
// HTTP in full
mod compression;
mod expectations;
#[cfg(feature = "http3")]
mod http3;
mod versions;
mod ways;

use agent::prober::Prober;
use daemon::clock::Clock;
use rules::check::{
    ContentRule, FailsIf, HttpOptions, HttpTarget, IpPreference, Look, Missing, Pattern, Pem, Redirects, Route,
    SecretSource, Target, Verify,
};
use rules::evidence::{Evidence, HttpVersion, Phase, TlsVersion};
use rules::judge::{Circumstances, judge};
use rules::outcome::{Cause, Outcome};
use servers::{Authority, answer, closed, endless, https, read_head, reply, reset, self_signed, serve, silent};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Enough for everything on loopback that is meant to succeed.
const AMPLE: Duration = Duration::from_secs(10);
/// For probes that are meant to run into their deadline.
const SHORT: Duration = Duration::from_millis(300);
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

fn prober() -> Prober {
    Prober::new(Clock::system()).unwrap()
}

async fn probe(target: Target, timeout: Duration) -> (Evidence, Outcome) {
    let prober = prober();
    let plan = prober.plan(&target, timeout);
    let evidence = prober.probe(&plan).await;
    let outcome = judge(&evidence, &target, timeout, Circumstances::default());
    (evidence, outcome)
}

fn page(address: SocketAddr) -> HttpTarget {
    HttpTarget::parse(&format!("http://{address}/")).unwrap()
}

fn http(target: HttpTarget) -> Target {
    Target::Http(Box::new(target))
}

fn pattern(source: &str) -> Pattern {
    Pattern::new(source).unwrap()
}

fn header(name: &str, value: &str) -> (String, SecretSource) {
    (name.into(), SecretSource::given(value))
}

/// Probes `target` and holds its cause, and the phase that broke, against what is expected.
async fn fails(target: Target, timeout: Duration, cause: Cause, phase: Option<Phase>) -> Evidence {
    let (evidence, outcome) = probe(target, timeout).await;
    assert_eq!(outcome, Outcome::Down(cause), "{evidence:?}");
    assert_eq!(evidence.failure.as_ref().and_then(|failure| failure.phase), phase, "{evidence:?}");
    evidence
}

#[tokio::test]
async fn a_port_that_accepts_is_up_and_its_phases_are_known() {
    let (evidence, outcome) = probe(Target::parse(&format!("tcp:{}", silent())).unwrap(), AMPLE).await;
    assert_eq!(outcome, Outcome::Up);
    assert!(evidence.phases.iter().map(|(phase, _)| phase).eq([Phase::Resolve, Phase::Connect]));
    assert_eq!(evidence.attempts.len(), 1);
}

#[tokio::test]
async fn a_port_on_which_nothing_listens_refuses() {
    let evidence =
        fails(Target::parse(&format!("tcp:{}", closed())).unwrap(), AMPLE, Cause::Refused, Some(Phase::Connect)).await;
    assert_eq!(evidence.answered(), None);
    fails(http(page(closed())), AMPLE, Cause::Refused, Some(Phase::Connect)).await;
}

#[tokio::test]
async fn a_page_that_answers_is_up_and_what_it_said_is_noted() {
    let address = answer(OK);
    let (evidence, outcome) = probe(http(page(address)), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let facts = evidence.http.clone().unwrap();
    assert_eq!((facts.status, facts.version, facts.redirects), (200, HttpVersion::V1_1, 0));
    assert_eq!((facts.content_length, facts.body_bytes), (Some(5), 5));
    assert_eq!(evidence.answered(), Some(address));
    let phases: Duration = evidence.phases.iter().map(|(_, length)| length).sum();
    assert!(phases <= evidence.elapsed);
}

#[tokio::test]
async fn a_request_says_who_asks_and_sends_what_the_check_says() {
    let address = reply(|head| format!("HTTP/1.1 200 OK\r\n\r\n{head}"));
    let holds = async |target: HttpTarget, pattern: &str| {
        let rule = ContentRule { look: Look::Body(self::pattern(pattern)), fails: FailsIf::Missing };
        let (_, outcome) = probe(http(HttpTarget { content: vec![rule], ..target }), AMPLE).await;
        assert_eq!(outcome, Outcome::Up, "{pattern}");
    };
    let mut target = HttpTarget::parse(&format!("http://{address}/x?y=1#z")).unwrap();
    holds(target.clone(), r"^GET /x\?y=1 HTTP/1\.1\r\n").await;
    holds(target.clone(), &format!(r"\r\nhost: {address}\r\n")).await;
    holds(target.clone(), r"\r\nuser-agent: nines/[0-9.]+\r\n").await;
    holds(target.clone(), r"\r\naccept: \*/\*\r\n").await;
    target.method = "POST".into();
    target.headers = vec![header("Host", "b.example"), header("User-Agent", "me")];
    target.body = Some(SecretSource::given("form"));
    holds(target.clone(), r"^POST .*\r\n").await;
    holds(target.clone(), r"\r\nhost: b\.example\r\n").await;
    holds(target.clone(), r"\r\nuser-agent: me\r\n").await;
    holds(target, r"\r\ncontent-length: 4\r\n").await;
}

#[tokio::test]
async fn an_unexpected_status_is_down_unless_the_check_allows_it() {
    let address = answer("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    fails(http(page(address)), AMPLE, Cause::Status, None).await;
    let allowed = HttpTarget { valid_status_codes: vec![500..=599], ..page(address) };
    assert_eq!(probe(http(allowed), AMPLE).await.1, Outcome::Up);
}

#[tokio::test]
async fn content_rules_hold_in_both_directions_for_body_and_header() {
    let address = answer("HTTP/1.1 200 OK\r\nx-state: degraded\r\nx-state: late\r\ncontent-length: 5\r\n\r\nhello");
    let check = async |look: Look, fails, expected| {
        let rule = ContentRule { look: look.clone(), fails };
        let (_, outcome) = probe(http(HttpTarget { content: vec![rule], ..page(address) }), AMPLE).await;
        assert_eq!(outcome, expected, "{look:?} {fails:?}");
    };
    let down = Outcome::Down(Cause::Content);
    let body = |source| Look::Body(pattern(source));
    let header =
        |name: &str, source| Look::Header { name: name.into(), pattern: pattern(source), missing: Missing::Fails };
    check(body("^hello$"), FailsIf::Missing, Outcome::Up).await;
    check(body("^hello$"), FailsIf::Found, down).await;
    check(body("goodbye"), FailsIf::Missing, down).await;
    check(body("goodbye"), FailsIf::Found, Outcome::Up).await;
    check(header("x-state", "late"), FailsIf::Missing, Outcome::Up).await;
    check(header("x-state", "degraded"), FailsIf::Found, down).await;
    check(header("x-state", "fine"), FailsIf::Missing, down).await;
    check(header("x-absent", "."), FailsIf::Found, down).await;
}

#[tokio::test]
async fn a_connection_cut_before_or_within_the_answer_is_a_reset() {
    let before = serve(|mut stream| {
        read_head(&mut stream);
        reset(&stream);
    });
    fails(http(page(before)), AMPLE, Cause::Reset, Some(Phase::FirstByte)).await;
    let closed_silently = answer("");
    fails(http(page(closed_silently)), AMPLE, Cause::Reset, Some(Phase::FirstByte)).await;
    let within_head = answer("HTTP/1.1 200 OK\r\ncontent-");
    fails(http(page(within_head)), AMPLE, Cause::Reset, Some(Phase::Transfer)).await;
    let within_body = answer("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello");
    fails(http(page(within_body)), AMPLE, Cause::Reset, Some(Phase::Transfer)).await;
    let within_chunk = answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel");
    fails(http(page(within_chunk)), AMPLE, Cause::Reset, Some(Phase::Transfer)).await;
}

#[tokio::test]
async fn a_deadline_is_kept_in_every_phase_and_its_phase_is_told() {
    let fails_late = async |target: Target, phase| {
        let evidence = fails(target, SHORT, Cause::Timeout, Some(phase)).await;
        assert!(SHORT <= evidence.elapsed && evidence.elapsed < AMPLE, "{evidence:?}");
        assert!(evidence.phases.length(phase).is_some_and(|length| Duration::from_millis(200) <= length));
    };
    fails_late(http(page(silent())), Phase::FirstByte).await;
    let tarpit = HttpTarget::parse(&format!("https://{}/", silent())).unwrap();
    fails_late(http(tarpit), Phase::Tls).await;
    let drip = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x", Duration::from_millis(20));
    fails_late(http(page(drip)), Phase::Transfer).await;
    let slow_head = endless(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", Duration::from_millis(20));
    fails_late(http(page(slow_head)), Phase::Transfer).await;
}

#[tokio::test]
async fn an_endless_head_or_body_is_cut_off_at_its_limit() {
    let head = endless(b"HTTP/1.1 200 OK\r\n", b"a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n", Duration::ZERO);
    fails(http(page(head)), AMPLE, Cause::TooLarge, Some(Phase::Transfer)).await;
    let one_header = endless(b"HTTP/1.1 200 OK\r\na: ", &[b'x'; 1024], Duration::ZERO);
    fails(http(page(one_header)), AMPLE, Cause::TooLarge, Some(Phase::Transfer)).await;
    let body = endless(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 1024], Duration::ZERO);
    let rule = ContentRule { look: Look::Body(pattern("y")), fails: FailsIf::Found };
    let at_most = |body_bytes_max| HttpOptions { body_bytes_max, ..HttpOptions::default() };
    let target = HttpTarget { options: at_most(100_000), content: vec![rule], ..page(body) };
    let evidence = fails(http(target), AMPLE, Cause::TooLarge, Some(Phase::Transfer)).await;
    let facts = evidence.http.unwrap();
    assert_eq!(facts.body_bytes, 100_000);
    assert_eq!(facts.body_start.unwrap().as_str(), "x".repeat(300));
    let announced = answer("HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n");
    let target = HttpTarget { options: at_most(100_000), ..page(announced) };
    fails(http(target), AMPLE, Cause::TooLarge, Some(Phase::Transfer)).await;
    let exact = answer(OK);
    let target = HttpTarget { options: at_most(5), ..page(exact) };
    assert_eq!(probe(http(target), AMPLE).await.1, Outcome::Up);
}

#[tokio::test]
async fn an_answer_that_is_not_http_broke_the_protocol() {
    for garbage in
        ["SSH-2.0-OpenSSH_9.2\r\n", "\0\u{1}\u{2}\u{3}\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/9 200\r\n\r\n"]
    {
        fails(http(page(answer(garbage))), AMPLE, Cause::Protocol, Some(Phase::Transfer)).await;
    }
    let chunks = answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello");
    fails(http(page(chunks)), AMPLE, Cause::Protocol, Some(Phase::Transfer)).await;
}

#[tokio::test]
async fn redirects_are_followed_and_their_phases_summed() {
    let last = answer(OK);
    let first = answer(format!("HTTP/1.1 302 Found\r\nlocation: http://{last}/there\r\ncontent-length: 0\r\n\r\n"));
    let (evidence, outcome) = probe(http(page(first)), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let facts = evidence.http.as_ref().unwrap();
    assert_eq!((facts.redirects, facts.led_to.as_ref().unwrap().as_str()), (1, &*format!("http://{last}/there")));
    assert!(evidence.attempts.iter().map(|attempt| attempt.address).eq([first, last]));
    let stopped =
        HttpTarget { options: HttpOptions { redirects: Redirects::Stop, ..HttpOptions::default() }, ..page(first) };
    fails(http(stopped), AMPLE, Cause::Status, None).await;
}

#[tokio::test]
async fn a_redirect_that_goes_round_or_nowhere_is_down() {
    let round = answer("HTTP/1.1 301 Moved\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n");
    let evidence = fails(http(page(round)), AMPLE, Cause::Redirect, Some(Phase::Transfer)).await;
    assert_eq!((evidence.http.unwrap().redirects, evidence.attempts.len()), (10, 11));
    let nowhere = answer("HTTP/1.1 301 Moved\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n");
    fails(http(page(nowhere)), AMPLE, Cause::Redirect, Some(Phase::Transfer)).await;
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_secrets_and_no_second_form() {
    let seen = reply(|head| format!("HTTP/1.1 200 OK\r\n\r\n{head}"));
    let first = reply(move |_| {
        format!("HTTP/1.1 303 See Other\r\nlocation: http://localhost:{}/\r\ncontent-length: 0\r\n\r\n", seen.port())
    });
    let rule = |source: &str, fails| ContentRule { look: Look::Body(pattern(source)), fails };
    let target = HttpTarget {
        method: "POST".into(),
        body: Some(SecretSource::given("form")),
        headers: vec![header("authorization", "Bearer x"), header("cookie", "a=b")],
        content: vec![rule("authorization|cookie|content-length", FailsIf::Found), rule("^GET / ", FailsIf::Missing)],
        options: HttpOptions { route: Route { ip: IpPreference::OnlyV4, source: None }, ..HttpOptions::default() },
        ..page(first)
    };
    let (evidence, outcome) = probe(http(target), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
}

#[tokio::test]
async fn a_certificate_that_verifies_is_up_and_its_facts_are_noted() {
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1", "a.example"], 2050);
    let mut target = HttpTarget::parse(&format!("https://{}/", https(&identity, Duration::ZERO, OK))).unwrap();
    target.options.tls.ca = Some(Pem::File(authority.file()));
    let (evidence, outcome) = probe(http(target.clone()), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let tls = evidence.tls.unwrap();
    let certificate = tls.certificate.unwrap();
    assert_eq!(tls.version, Some(TlsVersion::V1_3));
    assert_eq!(certificate.not_after, "2050-01-01T00:00:00Z".parse().unwrap());
    assert_eq!((certificate.names_count, certificate.chain), (2, 1));
    assert!(evidence.phases.iter().map(|(phase, _)| phase).eq(Phase::ALL));
    target.options.tls.server_name = Some("a.example".into());
    assert_eq!(probe(http(target), AMPLE).await.1, Outcome::Up);
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_is_down_and_its_facts_are_noted_all_the_same() {
    let authority = Authority::new();
    let check = async |identity: servers::Identity, year: &str, words: &str| {
        let mut target = HttpTarget::parse(&format!("https://{}/", https(&identity, Duration::ZERO, OK))).unwrap();
        target.options.tls.ca = Some(Pem::File(authority.file()));
        let evidence = fails(http(target.clone()), AMPLE, Cause::Certificate, Some(Phase::Tls)).await;
        let certificate = evidence.tls.unwrap().certificate.unwrap();
        assert!(certificate.not_after.to_string().starts_with(year), "{certificate:?}");
        let detail = evidence.failure.unwrap().detail;
        assert!(detail.as_str().contains(words), "{detail}");
        target.options.tls.verify = Verify::Nothing;
        let (evidence, outcome) = probe(http(target), AMPLE).await;
        assert_eq!(outcome, Outcome::Up);
        assert_eq!(evidence.tls.unwrap().certificate.unwrap().sha256, certificate.sha256);
    };
    check(authority.issue(&["127.0.0.1"], 2024), "2024-01-01", "expired").await;
    check(authority.issue(&["b.example"], 2050), "2050-01-01", "not valid for name").await;
    check(self_signed(&["127.0.0.1"], 2050), "2050-01-01", "UnknownIssuer").await;
}

#[tokio::test]
async fn probes_that_run_at_once_each_see_their_own_certificate() {
    let authority = Authority::new();
    let prober = Arc::new(prober());
    let mut probes = JoinSet::new();
    for year in 2041..2061 {
        let identity = authority.issue(&["127.0.0.1"], year);
        let mut target = HttpTarget::parse(&format!("https://{}/", https(&identity, Duration::ZERO, OK))).unwrap();
        target.options.tls.ca = Some(Pem::File(authority.file()));
        let (prober, plan) = (Arc::clone(&prober), prober.plan(&http(target), AMPLE));
        probes.spawn(async move { (year, prober.probe(&plan).await) });
    }
    while let Some(probe) = probes.join_next().await {
        let (year, evidence) = probe.unwrap();
        let not_after = evidence.tls.unwrap().certificate.unwrap().not_after;
        assert_eq!(not_after, format!("{year}-01-01T00:00:00Z").parse().unwrap());
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_tls_is_down_in_its_phase() {
    let garbage = serve(|mut stream| {
        let _ = stream.write_all(&[b'?'; 4096]);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let target = |address| http(HttpTarget::parse(&format!("https://{address}/")).unwrap());
    fails(target(garbage), AMPLE, Cause::Tls, Some(Phase::Tls)).await;
    fails(target(serve(drop)), AMPLE, Cause::Reset, Some(Phase::Tls)).await;
}

#[tokio::test]
async fn each_phase_is_as_long_as_its_server_makes_it() {
    let step = Duration::from_millis(60);
    let slow = serve(move |mut stream| {
        read_head(&mut stream);
        std::thread::sleep(step);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        std::thread::sleep(2 * step);
        stream.write_all(b"hello").unwrap();
    });
    let (evidence, outcome) = probe(http(page(slow)), AMPLE).await;
    assert_eq!(outcome, Outcome::Up);
    let length = |phase| evidence.phases.length(phase).unwrap();
    assert!(step <= length(Phase::FirstByte), "{evidence:?}");
    assert!(2 * step <= length(Phase::Transfer), "{evidence:?}");
    assert!(length(Phase::Connect) < step, "{evidence:?}");

    let authority = Authority::new();
    let address = https(&authority.issue(&["127.0.0.1"], 2050), step, OK);
    let mut target = HttpTarget::parse(&format!("https://{address}/")).unwrap();
    target.options.tls.ca = Some(Pem::File(authority.file()));
    let (evidence, outcome) = probe(http(target), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert!(step <= evidence.phases.length(Phase::Tls).unwrap(), "{evidence:?}");
}

#[tokio::test]
async fn a_check_that_cannot_be_carried_out_here_is_void_and_says_why() {
    let prober = prober();
    let check = async |target: HttpTarget, words: &str| {
        let target = http(target);
        let plan = prober.plan(&target, AMPLE);
        assert!(plan.defect().unwrap().contains(words), "{:?}", plan.defect());
        let outcome = judge(&prober.probe(&plan).await, &target, AMPLE, Circumstances::default());
        assert_eq!(outcome, Outcome::Void(Cause::Prober));
    };
    let mut no_file = HttpTarget::parse("https://a.example/").unwrap();
    no_file.options.tls.ca = Some(Pem::File("/nowhere/ca.pem".into()));
    check(no_file, "/nowhere/ca.pem").await;
    let secret = header("x-key", "secret\n");
    check(HttpTarget { headers: vec![secret], ..page(closed()) }, "x-key").await;
    check(HttpTarget { method: "GE T".into(), ..page(closed()) }, "GE T").await;
}
