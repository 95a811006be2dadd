//! Probes of the kind `icmp`: on loopback, and in network namespaces of their own, where the rules about
//! who may send are the test's and a scripted host answers. They need root and `unshare`, and fail
//! loudly without.

#[path = "icmp/namespace.rs"]
mod namespace;

use crate::{AMPLE, probe};
use namespace::{Script, answer_by, in_namespace, may_ping, nobody};
use rules::check::{Fragments, IcmpTarget, Target};
use rules::evidence::{Evidence, Facts, IcmpFacts, IcmpSocket, Phase};
use rules::outcome::{Cause, Outcome};
use std::time::Duration;

/// Enough for replies on loopback, and little to wait for those that were lost.
const SHORT: Duration = Duration::from_millis(600);

fn target(host: &str) -> IcmpTarget {
    IcmpTarget { packets_apart: Duration::from_millis(5), ..IcmpTarget::parse(host).unwrap() }
}

async fn ping(target: IcmpTarget, timeout: Duration) -> (Evidence, IcmpFacts, Outcome) {
    let (evidence, outcome) = probe(&Target::Icmp(target), timeout).await;
    let Some(Facts::Icmp(facts)) = evidence.facts.clone() else { panic!("no facts: {evidence:?}") };
    (evidence, *facts, outcome)
}

#[tokio::test]
async fn loopback_answers_each_packet_of_either_family() {
    for (host, payload_bytes) in [("127.0.0.1", 56), ("::1", 56), ("127.0.0.1", 0), ("::1", 9000)] {
        let target = IcmpTarget { packets: 5, payload_bytes, ..target(host) };
        let (evidence, facts, outcome) = ping(target, AMPLE).await;
        assert_eq!(outcome, Outcome::Up, "{host}: {evidence:?}");
        assert_eq!((facts.sent(), facts.received(), facts.reply_hops), (5, 5, Some(64)), "{host}");
        assert!(facts.rtt_min() <= facts.rtt_mean() && facts.rtt_mean() <= facts.rtt_max());
        assert!(evidence.phases.length(Phase::FirstByte).is_some());
        assert!(evidence.elapsed < SHORT, "it waits for nothing more: {evidence:?}");
    }
}

#[test]
fn a_packet_that_must_not_be_cut_passes_if_it_fits() {
    in_namespace("icmp::a_packet_that_must_not_be_cut_passes_if_it_fits", async || {
        namespace::run("ip", &["link", "set", "lo", "mtu", "1500"]);
        for (host, fits, too_long) in [("127.0.0.1", 1472, 1473), ("::1", 1452, 1453)] {
            let whole = |payload_bytes| IcmpTarget { payload_bytes, fragments: Fragments::Forbidden, ..target(host) };
            assert_eq!(ping(whole(fits), AMPLE).await.2, Outcome::Up, "{host}");
            let (evidence, _, outcome) = ping(whole(too_long), SHORT).await;
            assert_eq!(outcome, Outcome::Down(Cause::Unreachable), "{host}: {evidence:?}");
            let cut = IcmpTarget { payload_bytes: too_long, ..target(host) };
            assert_eq!(ping(cut, AMPLE).await.2, Outcome::Up, "{host}: cut in two");
        }
    });
}

#[test]
fn a_group_that_may_ping_needs_no_raw_socket_and_others_are_told_what_to_do() {
    in_namespace("icmp::a_group_that_may_ping_needs_no_raw_socket_and_others_are_told_what_to_do", async || {
        if nobody() {
            let (evidence, outcome) = probe(&Target::Icmp(target("127.0.0.1")), AMPLE).await;
            if may_ping() {
                assert_eq!(outcome, Outcome::Up, "{evidence:?}");
                let Some(Facts::Icmp(facts)) = &evidence.facts else { panic!("no facts") };
                assert_eq!((facts.socket, facts.received(), facts.reply_hops), (IcmpSocket::Ping, 3, Some(64)));
            } else {
                assert_eq!(outcome, Outcome::Void(Cause::Prober));
                let said = evidence.failure.unwrap().detail.to_string();
                assert!(said.contains("net.ipv4.ping_group_range") && said.contains("CAP_NET_RAW"), "{said}");
            }
            return;
        }
        for range in ["1\t0", "0\t2147483647"] {
            namespace::set("net/ipv4/ping_group_range", range);
            namespace::as_nobody("icmp::a_group_that_may_ping_needs_no_raw_socket_and_others_are_told_what_to_do");
        }
    });
}

#[test]
fn lost_packets_are_counted_and_held_against_their_bound() {
    in_namespace("icmp::lost_packets_are_counted_and_held_against_their_bound", async || {
        answer_by(Script::EverySecond);
        let half = IcmpTarget { packets: 4, ..target("127.0.0.1") };
        let (evidence, facts, outcome) = ping(half.clone(), SHORT).await;
        assert_eq!((outcome, facts.sent(), facts.received()), (Outcome::Up, 4, 2), "{evidence:?}");
        assert_eq!(facts.loss_ratio(), Some(0.5));
        assert!(evidence.elapsed < SHORT);
        let strict = IcmpTarget { loss_percent_max: 49, ..half };
        assert_eq!(ping(strict, SHORT).await.2, Outcome::Down(Cause::Loss));
    });
}

#[test]
fn silence_is_a_timeout() {
    in_namespace("icmp::silence_is_a_timeout", async || {
        answer_by(Script::Nothing);
        let (evidence, facts, outcome) = ping(target("127.0.0.1"), SHORT).await;
        assert_eq!((outcome, facts.sent(), facts.received()), (Outcome::Down(Cause::Timeout), 3, 0));
        assert_eq!(evidence.failure.unwrap().phase, Some(Phase::FirstByte));
    });
}

#[test]
fn what_is_no_reply_to_this_probe_is_passed_over() {
    for script in ["Identifier", "Sequence", "Payload", "Twice"] {
        namespace::in_namespace_with("icmp::what_is_no_reply_to_this_probe_is_passed_over", script, async |script| {
            answer_by(Script::named(script));
            let (evidence, facts, outcome) = ping(target("127.0.0.1"), SHORT).await;
            if script == "Twice" {
                assert_eq!((outcome, facts.received()), (Outcome::Up, 3), "{evidence:?}");
            } else {
                assert_eq!((outcome, facts.received()), (Outcome::Down(Cause::Timeout), 0), "{script}");
                assert_eq!(facts.ignored, 3, "{script}: {evidence:?}");
            }
        });
    }
}

#[test]
fn a_router_s_word_is_told_by_ping_and_by_raw_sockets() {
    for range in ["1\t0", "0\t2147483647"] {
        namespace::in_namespace_with(
            "icmp::a_router_s_word_is_told_by_ping_and_by_raw_sockets",
            range,
            async |range| {
                namespace::set("net/ipv4/ping_group_range", range);
                answer_by(Script::TimeExceeded);
                let (evidence, facts, outcome) = ping(target("127.0.0.1"), AMPLE).await;
                assert_eq!(outcome, Outcome::Down(Cause::Unreachable), "{range}: {evidence:?}");
                let said = evidence.failure.unwrap().detail.to_string();
                assert!(said.contains("hop limit (ttl) was reached at 127.0.0.1"), "{range}: {said}");
                assert_eq!(facts.socket, if range == "1\t0" { IcmpSocket::Raw } else { IcmpSocket::Ping });
                assert!(evidence.elapsed < Duration::from_secs(5), "it waits for nothing more");
                namespace::run("ip", &["route", "add", "unreachable", "192.0.2.0/24"]);
                let (evidence, outcome) = probe(&Target::Icmp(target("192.0.2.1")), SHORT).await;
                assert_eq!(outcome, Outcome::Down(Cause::Unreachable), "{range}: {evidence:?}");
            },
        );
    }
}
