//! What a page's rules make of answers: the tables of blackbox_exporter's tests, on real connections.

use crate::servers::{answer, reply};
use crate::{AMPLE, OK, http, page, pattern, probe};
use rules::check::{ContentRule, FailsIf, HttpTarget, Look, Missing, Secured};
use rules::evidence::{Found, HttpVersion, Transport};
use rules::outcome::{Cause, Outcome};

#[tokio::test]
async fn a_status_is_up_from_200_to_299_or_as_the_check_says() {
    let server = reply(|head| {
        let status = head.split(['/', ' ']).nth(2).unwrap_or("");
        format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n")
    });
    let check = async |status: u16, valid: &[u16], up: bool| {
        let target = HttpTarget {
            url: format!("http://{server}/{status}"),
            valid_status_codes: valid.iter().map(|&code| code..=code).collect(),
            ..page(server)
        };
        let expected = if up { Outcome::Up } else { Outcome::Down(Cause::Status) };
        assert_eq!(probe(http(target), AMPLE).await.1, expected, "{status} of {valid:?}");
    };
    for (status, up) in [(200, true), (201, true), (299, true), (300, false), (404, false)] {
        check(status, &[], up).await;
    }
    check(404, &[200, 404], true).await;
    check(200, &[200, 404], true).await;
    check(201, &[200, 404], false).await;
    check(404, &[404], true).await;
    check(200, &[404], false).await;
}

#[tokio::test]
async fn a_header_is_held_against_its_rule_and_a_missing_one_fails_unless_it_may_be_missing() {
    let check = async |given: &str, source: &str, missing, fails, up: bool| {
        let server = answer(format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{given}\r\n"));
        let look = Look::Header { name: "set-cookie".into(), pattern: pattern(source), missing };
        let target = HttpTarget { content: vec![ContentRule { look, fails }], ..page(server) };
        let expected = if up { Outcome::Up } else { Outcome::Down(Cause::Content) };
        let (_, outcome) = probe(http(target), AMPLE).await;
        assert_eq!(outcome, expected, "{given:?} {source} {missing:?} {fails:?}");
    };
    let (found, lacking) = (FailsIf::Found, FailsIf::Missing);
    for (given, source, if_found, if_lacking) in [
        ("SET-Cookie: a=1\r\n", "a=", false, true),
        ("set-cookie: a=1\r\n", "b=", true, false),
        ("set-cookie: a=1\r\nset-cookie: b=2\r\n", "b=", false, true),
        ("set-cookie:\r\n", ".*", false, true),
        ("set-cookie:\r\n", ".", true, false),
    ] {
        for missing in [Missing::Fails, Missing::Holds] {
            check(given, source, missing, found, if_found).await;
            check(given, source, missing, lacking, if_lacking).await;
        }
    }
    for fails in [found, lacking] {
        check("", ".*", Missing::Fails, fails, false).await;
        check("", ".*", Missing::Holds, fails, true).await;
    }
}

#[tokio::test]
async fn a_condition_is_asked_of_a_body_that_is_json() {
    let check = async |body: &str, condition: &str, expected: Found| {
        let length = body.len();
        let server = answer(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"));
        let rule = |fails| ContentRule { look: Look::Json(condition.into()), fails };
        let target = HttpTarget { content: vec![rule(FailsIf::Found)], ..page(server) };
        let (evidence, outcome) = probe(http(target.clone()), AMPLE).await;
        assert_eq!(evidence.http.unwrap().found, [expected], "{body} {condition}");
        assert_eq!(outcome == Outcome::Up, expected == Found::No, "{body} {condition}");
        let target = HttpTarget { content: vec![rule(FailsIf::Missing)], ..target };
        let (_, outcome) = probe(http(target), AMPLE).await;
        assert_eq!(outcome == Outcome::Up, expected == Found::Yes, "{body} {condition}");
    };
    let health = r#"{"status": "ok", "depth": 3, "nodes": [{"up": true}, {"up": false}], "none": null}"#;
    check(health, "body.status == 'ok'", Found::Yes).await;
    check(health, "body.status == 'late'", Found::No).await;
    check(health, "body.depth < 10 && body.depth > 1", Found::Yes).await;
    check(health, "body.nodes.all(node, node.up)", Found::No).await;
    check(health, "body.nodes.exists(node, node.up)", Found::Yes).await;
    check(health, "size(body.nodes) == 2", Found::Yes).await;
    check(health, "body.nodes.filter(node, node.up).size() == 1", Found::Yes).await;
    check(health, "body.status.matches('^o.$')", Found::Yes).await;
    check(health, "body.none == null", Found::Yes).await;
    check(health, "has(body.absent)", Found::No).await;
    check(health, "body.absent == 1", Found::Nothing).await;
    check(health, "body.status", Found::Nothing).await;
    check("[1, 2]", "body[1] == 2", Found::Yes).await;
    check("<html>", "true", Found::Nothing).await;
    check("", "true", Found::Nothing).await;
}

#[tokio::test]
async fn a_version_or_transport_that_the_check_does_not_allow_is_down() {
    let server = answer(OK);
    let only = |version| HttpTarget { valid_versions: vec![version], ..page(server) };
    assert_eq!(probe(http(only(HttpVersion::V1_1)), AMPLE).await.1, Outcome::Up);
    assert_eq!(probe(http(only(HttpVersion::V2)), AMPLE).await.1, Outcome::Down(Cause::Protocol));
    let secured = HttpTarget { secured: Secured::Required, ..page(server) };
    assert_eq!(probe(http(secured), AMPLE).await.1, Outcome::Down(Cause::Tls));
    let old = answer("HTTP/1.0 200 OK\r\n\r\nhello");
    let (evidence, outcome) = probe(http(page(old)), AMPLE).await;
    let facts = evidence.http.unwrap();
    assert_eq!((outcome, facts.version, facts.transport), (Outcome::Up, HttpVersion::V1_0, Transport::Plain));
    assert_eq!((facts.content_length, facts.body_bytes), (None, 5));
}

#[tokio::test]
async fn an_answer_that_is_not_as_expected_is_quoted_and_one_that_is_is_not() {
    let modified = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let body = "\u{1b}[31mno database\n";
    let head = |status| format!("HTTP/1.1 {status}\r\n{modified}content-length: {}\r\n\r\n{body}", body.len());
    let (evidence, _) = probe(http(page(answer(head("503 No")))), AMPLE).await;
    let facts = evidence.http.unwrap();
    assert_eq!(facts.body_start.unwrap().as_str(), "\\u{1b}[31mno database\\n");
    assert_eq!(facts.last_modified, "1994-11-06T08:49:37Z".parse().ok());
    let (evidence, _) = probe(http(page(answer(head("200 OK")))), AMPLE).await;
    assert_eq!(evidence.http.unwrap().body_start, None);
}

#[tokio::test]
async fn the_length_of_a_page_that_is_only_asked_for_its_head_is_the_one_it_announces() {
    let server = answer("HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n");
    let (evidence, outcome) = probe(http(HttpTarget { method: "HEAD".into(), ..page(server) }), AMPLE).await;
    let facts = evidence.http.unwrap();
    assert_eq!((outcome, facts.content_length, facts.body_bytes), (Outcome::Up, Some(1234), 0));
}
