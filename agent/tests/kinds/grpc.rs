//! Probes of the kind `grpc` against tonic's health service, and scripted servers where that one is too good.

#[path = "grpc/servers.rs"]
mod servers;

use crate::dns::servers::Authority;
use crate::{AMPLE, probe};
use rules::check::{GrpcTarget, Metadata, Pem, Target, TlsRule};
use rules::evidence::{Evidence, Facts, GrpcFacts, Phase, ServingStatus};
use rules::outcome::{Cause, Outcome};
use servers::{Answer, healthy, refusing, scripted, scripted_tls, tcp, without_health};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tonic_health::ServingStatus as Reported;

fn target(server: SocketAddr, service: &str) -> GrpcTarget {
    GrpcTarget { service: service.into(), ..GrpcTarget::parse(&server.to_string()).unwrap() }
}

async fn ask(target: GrpcTarget, timeout: Duration) -> (Evidence, GrpcFacts, Outcome) {
    let (evidence, outcome) = probe(&Target::Grpc(target), timeout).await;
    let Some(Facts::Grpc(facts)) = evidence.facts.clone() else { panic!("no facts: {evidence:?}") };
    (evidence, *facts, outcome)
}

fn code(facts: &GrpcFacts) -> Option<u32> {
    facts.status.as_ref().map(|status| status.code.0)
}

#[tokio::test]
async fn each_service_of_a_server_has_its_own_health() {
    let server = healthy(&[
        ("shop.Orders", Reported::Serving),
        ("shop.Stock", Reported::NotServing),
        ("shop.New", Reported::Unknown),
    ])
    .await;
    let check = async |service: &str, expected, status, serving| {
        let (evidence, facts, outcome) = ask(target(server.address, service), AMPLE).await;
        assert_eq!(outcome, expected, "{service}: {evidence:?}");
        assert_eq!((code(&facts), facts.serving), (Some(status), serving), "{service}");
    };
    check("", Outcome::Up, 0, Some(ServingStatus::Serving)).await;
    check("shop.Orders", Outcome::Up, 0, Some(ServingStatus::Serving)).await;
    check("shop.Stock", Outcome::Down(Cause::Unhealthy), 0, Some(ServingStatus::NotServing)).await;
    check("shop.New", Outcome::Down(Cause::Unhealthy), 0, Some(ServingStatus::Unknown)).await;
    check("shop.Nowhere", Outcome::Down(Cause::Status), 5, None).await;
}

#[tokio::test]
async fn a_server_without_health_service_is_unimplemented() {
    let server = without_health().await;
    let (_, facts, outcome) = ask(target(server.address, ""), AMPLE).await;
    assert_eq!((outcome, code(&facts)), (Outcome::Down(Cause::Status), Some(12)));
}

#[tokio::test]
async fn metadata_reaches_the_server() {
    let server = refusing(|metadata| {
        let values: Vec<_> = metadata.get_all("x-tenant").iter().collect();
        values == ["acme", "beta"] && metadata.get("authorization").is_some_and(|value| value == "Bearer token")
    })
    .await;
    let (_, facts, outcome) = ask(target(server.address, ""), AMPLE).await;
    assert_eq!((outcome, code(&facts)), (Outcome::Down(Cause::Status), Some(16)));
    let entries = [("authorization", "Bearer token"), ("x-tenant", "acme"), ("x-tenant", "beta")];
    let metadata = Metadata(entries.map(|(name, value)| (name.into(), value.into())).to_vec());
    let (evidence, _, outcome) = ask(GrpcTarget { metadata, ..target(server.address, "") }, AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
}

#[tokio::test]
async fn over_tls_the_certificate_is_verified() {
    let authority = Authority::new();
    let server = scripted_tls(&authority, Answer::serving()).await;
    let secure = |ca: Option<String>| {
        let tls = Some(TlsRule { ca: ca.map(Pem::File), ..TlsRule::default() });
        GrpcTarget { tls, ..target(server.address, "") }
    };
    let (evidence, _, outcome) = ask(secure(Some(authority.file())), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    for phase in [Phase::Connect, Phase::Tls, Phase::FirstByte, Phase::Transfer] {
        assert!(evidence.phases.length(phase).is_some(), "{phase} is absent: {evidence:?}");
    }
    let (evidence, facts, outcome) = ask(secure(None), AMPLE).await;
    assert_eq!((outcome, facts.status), (Outcome::Down(Cause::Certificate), None));
    assert!(evidence.tls.unwrap().certificate.is_some());
    let (_, _, outcome) = ask(target(server.address, ""), AMPLE).await;
    assert!(matches!(outcome, Outcome::Down(Cause::Protocol | Cause::Reset)), "plain text to a TLS port: {outcome:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_down_at_the_deadline_and_knew_of_it() {
    let server = scripted(Answer::Never).await;
    let timeout = Duration::from_millis(400);
    let (evidence, facts, outcome) = ask(target(server.address, ""), timeout).await;
    assert_eq!((outcome, facts.status), (Outcome::Down(Cause::Timeout), None));
    assert!(evidence.elapsed < Duration::from_secs(5), "{evidence:?}");
    assert_eq!(evidence.failure.unwrap().phase, Some(Phase::FirstByte));
    let told = server.timeouts.lock().unwrap()[0].clone();
    let millis: u64 = told.strip_suffix('m').unwrap().parse().unwrap();
    assert!((1..=400).contains(&millis), "{told}");
}

#[tokio::test]
async fn a_port_that_accepts_and_says_nothing_is_down_at_the_deadline() {
    let server = tcp(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let (evidence, _, outcome) = ask(target(server, ""), Duration::from_millis(300)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout));
    assert_eq!(evidence.failure.unwrap().phase, Some(Phase::FirstByte));
}

#[tokio::test]
async fn what_is_no_grpc_is_told_from_what_is() {
    let check = async |answer: Answer, cause, status: Option<u32>| {
        let said = format!("{answer:?}");
        let server = scripted(answer).await;
        let (evidence, facts, outcome) = ask(target(server.address, ""), AMPLE).await;
        assert_eq!(outcome, Outcome::Down(cause), "{said}: {evidence:?}");
        assert_eq!(code(&facts), status, "{said}");
    };
    check(Answer::Page(200), Cause::Status, Some(2)).await;
    check(Answer::Page(503), Cause::Status, Some(14)).await;
    check(Answer::OnlyHead("14"), Cause::Status, Some(14)).await;
    check(Answer::OnlyHead("4"), Cause::Timeout, Some(4)).await;
    check(Answer::OnlyHead("0"), Cause::Protocol, None).await;
    check(Answer::OnlyHead("x"), Cause::Protocol, None).await;
    check(Answer::Whole(b"garbage".to_vec(), Some("0")), Cause::Protocol, None).await;
    check(Answer::Whole(vec![0, 0, 0, 0, 2, 8, 1], None), Cause::Protocol, None).await;
    check(Answer::Whole(vec![0, 0, 0, 0, 2, 8, 1], Some("13")), Cause::Status, Some(13)).await;
    check(Answer::Whole(vec![0; 17 * 1024], Some("0")), Cause::TooLarge, None).await;
    check(Answer::Endless, Cause::TooLarge, None).await;
    check(Answer::Reset, Cause::Reset, None).await;
}

#[tokio::test]
async fn what_is_no_http_2_is_a_broken_protocol_and_a_cut_a_reset() {
    let garbage = tcp(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nthis is no frame of HTTP/2 at all");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(ask(target(garbage, ""), AMPLE).await.2, Outcome::Down(Cause::Protocol));
    let cut = tcp(|mut stream| {
        let _ = stream.read(&mut [0; 24]);
    });
    let (evidence, _, outcome) = ask(target(cut, ""), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Reset), "{evidence:?}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (evidence, _, outcome) = ask(target(closed, ""), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Refused));
    assert_eq!(evidence.failure.unwrap().phase, Some(Phase::Connect));
}
