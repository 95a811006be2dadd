//! Probes of the kind `dns` against scripted name servers, and against one that blackbox_exporter's
//! own tests describe.

#[path = "dns/servers.rs"]
pub(crate) mod servers;

use crate::{AMPLE, probe};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::RecordType;
use rules::check::{
    DnsTarget, DnsTransport, Pattern, Pem, QueryClass, QueryType, Rcode, RecordRules, Recursion, Target,
};
use rules::evidence::{DnsFacts, Edns, Evidence, Facts, Phase, TcpFallback};
use rules::outcome::{Cause, Outcome};
use servers::{Authority, address, answers, authoritative, by_tls, recursive, serve, silent, stream};
use std::net::SocketAddr;
use std::time::Duration;

/// Enough for an answer from this machine, and little to wait for when none will come.
const SHORT: Duration = Duration::from_millis(300);

fn target(server: SocketAddr) -> DnsTarget {
    DnsTarget::new(&server.to_string(), "example.com").unwrap()
}

async fn ask(target: DnsTarget, timeout: Duration) -> (Evidence, DnsFacts, Outcome) {
    let (evidence, outcome) = probe(&Target::Dns(Box::new(target)), timeout).await;
    let Some(Facts::Dns(facts)) = evidence.facts.clone() else { panic!("no facts: {evidence:?}") };
    (evidence, *facts, outcome)
}

fn patterns(source: &str) -> Vec<Pattern> {
    vec![Pattern::new(source).unwrap()]
}

fn counts(facts: &DnsFacts) -> (u32, u32, u32) {
    let answer = facts.answer.as_ref().unwrap();
    (answer.answer.records, answer.authority.records, answer.additional.records)
}

const TRANSPORTS: [DnsTransport; 2] = [DnsTransport::Udp, DnsTransport::Tcp];

#[tokio::test]
async fn a_recursive_server_is_judged_as_blackbox_exporter_judges_it() {
    let server = serve(recursive);
    for transport in TRANSPORTS {
        let check = async |change: &dyn Fn(&mut DnsTarget), expected, answers| {
            let mut target = DnsTarget { transport, ..target(server) };
            change(&mut target);
            let (evidence, facts, outcome) = ask(target, AMPLE).await;
            assert_eq!(outcome, expected, "{evidence:?}");
            assert_eq!(counts(&facts), (answers, 0, 0));
        };
        check(&|_| (), Outcome::Up, 2).await;
        check(&|target| target.valid_rcodes = vec![Rcode(2), Rcode(3)], Outcome::Down(Cause::Status), 2).await;
        let seconds = |target: &mut DnsTarget| {
            target.answer.matches = patterns(".*7200.*");
            target.answer.not_matches = patterns(".*3600.*");
        };
        check(&seconds, Outcome::Up, 2).await;
        check(&|target| target.authority.matches = patterns(".*7200.*"), Outcome::Up, 2).await;
        let absent = |target: &mut DnsTarget| target.additional.not_matches = patterns(".*3600.*");
        check(&absent, Outcome::Down(Cause::Content), 2).await;
        let alone = |target: &mut DnsTarget| target.recursion = Recursion::NotDesired;
        check(&alone, Outcome::Down(Cause::Status), 0).await;
    }
}

#[tokio::test]
async fn an_authoritative_server_is_judged_as_blackbox_exporter_judges_it() {
    let server = serve(authoritative);
    for transport in TRANSPORTS {
        let check = async |change: &dyn Fn(&mut DnsTarget), expected| {
            let mut target = DnsTarget { transport, ..target(server) };
            change(&mut target);
            let (evidence, facts, outcome) = ask(target, AMPLE).await;
            assert_eq!(outcome, expected, "{evidence:?}");
            assert_eq!(counts(&facts), (1, 2, 3));
            facts.answer.unwrap().serial
        };
        let (content, status) = (Outcome::Down(Cause::Content), Outcome::Down(Cause::Status));
        assert_eq!(check(&|_| (), Outcome::Up).await, None);
        let soa = |target: &mut DnsTarget| target.query_type = QueryType::from_word("SOA").unwrap();
        assert_eq!(check(&soa, Outcome::Up).await, Some(1000));
        let chaos = |target: &mut DnsTarget| {
            target.query_type = QueryType::from_word("TXT").unwrap();
            target.query_class = QueryClass::from_word("CH").unwrap();
            target.answer.matches = patterns(".*IN.*");
            target.answer.not_matches = patterns(".*CH.*");
        };
        check(&chaos, Outcome::Up).await;
        check(&|target| target.valid_rcodes = vec![Rcode(2), Rcode(3)], status).await;
        let both = |text: &'static str| {
            move |target: &mut DnsTarget| {
                target.answer.matches = patterns(text);
                target.answer.not_matches = patterns(text);
            }
        };
        check(&both(".*3600.*"), content).await;
        check(&both(".*7200.*"), content).await;
        check(&|target| target.authority.not_matches = patterns("ns.*.isp.net"), Outcome::Up).await;
        check(&|target| target.additional.not_matches = patterns("^ns.*.isp"), Outcome::Up).await;
        check(&|target| target.additional.matches = patterns("^ns.*.isp"), content).await;
        check(&|target| target.additional.all_match = patterns(".*127.0.0.*"), content).await;
        check(&|target| target.additional.none_matches = patterns(".*127.0.0.3.*"), content).await;
        check(
            &|target| target.additional.none_matches = patterns("^ns2\\.isp\\.net\\.\t7200\tIN\tA\t127.0.0.2$"),
            Outcome::Up,
        )
        .await;
    }
}

#[tokio::test]
async fn a_failing_server_has_answered() {
    let server = serve(answers(|answer, _| answer.metadata.response_code = ResponseCode::ServFail));
    for transport in TRANSPORTS {
        let (_, facts, outcome) = ask(DnsTarget { transport, ..target(server) }, AMPLE).await;
        assert_eq!(outcome, Outcome::Down(Cause::Status));
        assert_eq!(facts.answer.unwrap().rcode, Rcode(2));
        let valid = DnsTarget { transport, valid_rcodes: vec![Rcode(2)], ..target(server) };
        assert_eq!(ask(valid, AMPLE).await.2, Outcome::Up);
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_is_asked_for_by_tcp() {
    let server = serve(|query, by| {
        let mut answer = authoritative(query, by)?;
        answer.metadata.truncation = by == servers::By::Datagram;
        Some(answer)
    });
    let (evidence, facts, outcome) = ask(target(server), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert_eq!((facts.fallback, counts(&facts)), (TcpFallback::Truncated, (1, 2, 3)));
    assert_eq!(evidence.attempts.len(), 2, "one by UDP, one by TCP");
    assert_eq!(evidence.answered(), Some(server));
}

#[tokio::test]
async fn extensions_are_offered_and_left_out_for_a_server_that_refuses_them() {
    let server = serve(|query, by| match &query.edns {
        Some(edns) if edns.max_payload() == 1232 => {
            let mut answer = servers::reply(query);
            answer.metadata.response_code = ResponseCode::FormErr;
            Some(answer)
        }
        Some(_) => None,
        None => authoritative(query, by),
    });
    for transport in TRANSPORTS {
        let (_, facts, outcome) = ask(DnsTarget { transport, ..target(server) }, AMPLE).await;
        assert_eq!((outcome, facts.edns), (Outcome::Up, Edns::Refused));
    }
    let (_, facts, _) = ask(target(serve(authoritative)), AMPLE).await;
    assert_eq!(facts.edns, Edns::Used);
}

#[tokio::test]
async fn what_answers_another_question_is_passed_over() {
    let forged = |change: fn(&mut Message)| {
        move |query: &Message, socket: &std::net::UdpSocket, from: SocketAddr| {
            let mut answer = servers::reply(query);
            answer.metadata.response_code = ResponseCode::NXDomain;
            change(&mut answer);
            socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
        }
    };
    let other_number = servers::datagrams(forged(|answer| answer.metadata.id = answer.metadata.id.wrapping_add(1)));
    let other_question = servers::datagrams(forged(|answer| {
        answer.queries[0].set_query_type(RecordType::AAAA);
    }));
    let garbage = servers::datagrams(|_, socket, from| {
        socket.send_to(b"garbage", from).unwrap();
    });
    for server in [other_number, other_question, garbage] {
        let (evidence, facts, outcome) = ask(target(server), SHORT).await;
        assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
        assert_eq!((facts.ignored, facts.answer), (1, None));
        assert_eq!(evidence.failure.unwrap().phase, Some(Phase::FirstByte));
    }
}

#[tokio::test]
async fn the_true_answer_counts_after_forged_ones_and_one_from_elsewhere_is_never_seen() {
    let server = servers::datagrams(|query, socket, from| {
        let mut forged = servers::reply(query);
        forged.metadata.response_code = ResponseCode::NXDomain;
        let elsewhere = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        elsewhere.send_to(&forged.to_vec().unwrap(), from).unwrap();
        forged.metadata.id = forged.metadata.id.wrapping_add(1);
        socket.send_to(&forged.to_vec().unwrap(), from).unwrap();
        let truth = authoritative(query, servers::By::Datagram).unwrap();
        socket.send_to(&truth.to_vec().unwrap(), from).unwrap();
    });
    let (_, facts, outcome) = ask(target(server), AMPLE).await;
    assert_eq!((outcome, facts.ignored), (Outcome::Up, 1));
}

#[tokio::test]
async fn silence_and_a_closed_port_are_down_in_the_phase_that_shows_them() {
    let check = async |target: DnsTarget, timeout, cause, phase| {
        let (evidence, facts, outcome) = ask(target, timeout).await;
        assert_eq!((outcome, facts.answer), (Outcome::Down(cause), None), "{:?}", evidence.failure);
        assert_eq!(evidence.failure.unwrap().phase, Some(phase));
    };
    check(target(silent()), SHORT, Cause::Timeout, Phase::FirstByte).await;
    check(target(address()), AMPLE, Cause::Refused, Phase::FirstByte).await;
    let tcp = DnsTarget { transport: DnsTransport::Tcp, ..target(address()) };
    check(tcp, AMPLE, Cause::Refused, Phase::Connect).await;
    let cut = stream(|mut stream| drop(std::io::Read::read(&mut stream, &mut [0; 64])));
    check(DnsTarget { transport: DnsTransport::Tcp, ..target(cut) }, AMPLE, Cause::Reset, Phase::FirstByte).await;
}

#[tokio::test]
async fn an_answer_that_lies_about_its_records_is_a_broken_protocol() {
    let server = servers::datagrams(|query, socket, from| {
        let mut bytes = servers::reply(query).to_vec().unwrap();
        bytes[7] = 200;
        socket.send_to(&bytes, from).unwrap();
    });
    let (_, facts, outcome) = ask(target(server), AMPLE).await;
    assert_eq!((outcome, facts.answer), (Outcome::Down(Cause::Protocol), None));
}

#[tokio::test]
async fn the_longest_message_is_read_whole() {
    let server = serve(|query, _| {
        let mut answer = servers::reply(query);
        answer.add_answers((0..4000).map(servers::a));
        Some(answer)
    });
    let rules = RecordRules { not_matches: patterns("^example\\.com\\.\t60\tIN\tA\t"), ..RecordRules::default() };
    let target = DnsTarget { transport: DnsTransport::Tcp, answer: rules, ..target(server) };
    let (_, facts, outcome) = ask(target, AMPLE).await;
    let answer = facts.answer.unwrap();
    assert_eq!((outcome, answer.shown.len()), (Outcome::Up, rules::evidence::RECORDS_SHOWN_MAX));
    // As many as the server could put into 64 KiB.
    assert!(65_500 < answer.bytes && 2000 < answer.answer.records, "{answer:?}");
}

#[tokio::test]
async fn over_tls_the_certificate_is_verified_before_anything_is_asked() {
    let authority = Authority::new();
    let server = by_tls(&authority, authoritative);
    let secure = |ca_file: Option<String>| {
        let mut target = DnsTarget { transport: DnsTransport::Tls, ..target(server) };
        target.tls.ca = ca_file.map(Pem::File);
        target
    };
    let (evidence, facts, outcome) = ask(secure(Some(authority.file())), AMPLE).await;
    assert_eq!((outcome, counts(&facts)), (Outcome::Up, (1, 2, 3)), "{evidence:?}");
    for phase in [Phase::Connect, Phase::Tls, Phase::FirstByte] {
        assert!(evidence.phases.length(phase).is_some(), "{phase} is absent: {evidence:?}");
    }
    assert!(evidence.tls.unwrap().certificate.is_some());
    let (evidence, _, outcome) = ask(secure(None), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Certificate));
    assert!(evidence.tls.unwrap().certificate.is_some(), "what was shown is known also when it is refused");
}

#[tokio::test]
async fn the_wait_for_an_answer_is_the_phase_of_its_first_byte() {
    let server = serve(|query, by| {
        std::thread::sleep(Duration::from_millis(60));
        authoritative(query, by)
    });
    for transport in TRANSPORTS {
        let (evidence, ..) = ask(DnsTarget { transport, ..target(server) }, AMPLE).await;
        assert!(Duration::from_millis(60) <= evidence.phases.length(Phase::FirstByte).unwrap(), "{evidence:?}");
        assert!(evidence.phases.length(Phase::Connect).unwrap() < Duration::from_millis(60), "{evidence:?}");
    }
}

#[tokio::test]
async fn a_question_comes_from_the_address_that_the_check_names() {
    let server = servers::datagrams(|query, socket, from| {
        let mut answer = servers::reply(query);
        if from.ip() != std::net::IpAddr::from([127, 0, 0, 9]) {
            answer.metadata.response_code = ResponseCode::Refused;
        }
        socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
    });
    let mut target = target(server);
    assert_eq!(ask(target.clone(), AMPLE).await.2, Outcome::Down(Cause::Status));
    target.route.source = Some([127, 0, 0, 9].into());
    assert_eq!(ask(target, AMPLE).await.2, Outcome::Up);
}
