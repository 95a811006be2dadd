//! Probes of the kind `tcp`: ports, and dialogs in the manner of SSH, POP3, IRC, SMTP and PostgreSQL.

use crate::secured::{Authority, Secured, line, linger, says, serve};
use crate::{AMPLE, probe};
use rules::check::{DialogStep, Pattern, Security, Sending, Target, TcpTarget, TlsBegins};
use rules::evidence::{DialogFacts, Ending, Evidence, Expectation, Facts, Phase, Said};
use rules::outcome::{Cause, Outcome};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// For probes that are meant to run into their deadline.
const SHORT: Duration = Duration::from_millis(300);

fn target(address: SocketAddr, dialog: Vec<DialogStep>) -> TcpTarget {
    TcpTarget { dialog, ..TcpTarget::parse(&address.to_string()).unwrap() }
}

async fn hold(target: TcpTarget) -> (Evidence, DialogFacts, Outcome) {
    let (evidence, outcome) = probe(&Target::Tcp(target), AMPLE).await;
    let facts = evidence.facts.as_ref().and_then(Facts::dialog).cloned().unwrap_or_default();
    (evidence, facts, outcome)
}

fn expect(pattern: &str) -> DialogStep {
    DialogStep { expect: Some(Pattern::new(pattern).unwrap()), ..DialogStep::default() }
}

fn send(text: &str) -> DialogStep {
    DialogStep { send: Some(Sending::Line(text.into())), ..DialogStep::default() }
}

fn answer(pattern: &str, text: &str) -> DialogStep {
    DialogStep { expect: expect(pattern).expect, ..send(text) }
}

#[tokio::test]
async fn a_banner_is_found_and_its_parts_are_kept_as_labels() {
    let labels = vec![("version".to_owned(), "${1}".to_owned()), ("software".to_owned(), "$2".to_owned())];
    let step = DialogStep { labels, ..answer("^SSH-([0-9.]+)-(.*)$", "SSH-2.0-nines") };
    let (evidence, facts, outcome) = hold(target(says("SSH-2.0-OpenSSH_9.2\u{1b}[2J\r\n"), vec![step])).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert_eq!((facts.done, facts.steps), (1, 1));
    let expected =
        [("version".to_owned(), Said::new("2.0")), ("software".to_owned(), Said::new("OpenSSH_9.2\u{1b}[2J"))];
    assert_eq!(facts.labels, expected);
    assert!(evidence.phases.length(Phase::FirstByte).is_some() && evidence.tls.is_none());
}

#[tokio::test]
async fn what_was_said_is_said_back() {
    let irc = serve(|mut stream| {
        assert_eq!(line(&mut stream), "NICK prober\n");
        assert_eq!(line(&mut stream), "USER prober prober prober :prober\n");
        stream.write_all(b":irc NOTICE * :wait\r\n:irc NOTICE * :wait\r\nPING :a1b2\r\n").unwrap();
        assert_eq!(line(&mut stream), "PONG a1b2\n");
        stream.write_all(b":irc 001 prober :Welcome").unwrap();
    });
    let dialog = vec![
        send("NICK prober"),
        send("USER prober prober prober :prober"),
        answer("PING :([^ ]+)", "PONG ${1}"),
        expect("^:[^ ]+ 001"),
    ];
    let (evidence, facts, outcome) = hold(target(irc, dialog)).await;
    assert_eq!((outcome, facts.done), (Outcome::Up, 4), "{evidence:?}");
}

#[tokio::test]
async fn what_does_not_come_before_the_end_is_down_and_told() {
    let bye = serve(|mut stream| {
        line(&mut stream);
        stream.write_all(b"-ERR no\r\n-ERR bye").unwrap();
    });
    let (evidence, facts, outcome) = hold(target(bye, vec![send("X"), expect(r"^\+OK")])).await;
    assert_eq!(outcome, Outcome::Down(Cause::Content), "{evidence:?}");
    let unmet = facts.unmet.unwrap();
    assert_eq!((unmet.step, unmet.by, unmet.end), (2, Expectation::Regexp, Ending::Closed));
    assert_eq!((facts.heard.as_str(), unmet.expected.as_str(), facts.done), ("-ERR bye", r"^\+OK", 1));
}

#[tokio::test]
async fn what_may_not_be_waited_past_ends_the_dialog_at_once() {
    let step = DialogStep { reject: Some(Pattern::new("^-ERR").unwrap()), ..expect(r"^\+OK") };
    let (evidence, facts, outcome) = hold(target(says("-ERR no\r\n"), vec![step])).await;
    assert_eq!(outcome, Outcome::Down(Cause::Content), "{evidence:?}");
    assert_eq!(facts.unmet.unwrap().end, Ending::Rejected);
}

#[tokio::test]
async fn bytes_are_waited_for_however_they_come() {
    let piecemeal = serve(|mut stream| {
        let mut request = [0; 3];
        stream.read_exact(&mut request).unwrap();
        assert_eq!(request, [0, 0xff, b'$'], "neither a line's end nor a group is added");
        for byte in [0x01, b'S', 0xfe, 0x00] {
            stream.write_all(&[byte]).unwrap();
        }
        linger(&mut stream);
    });
    let dialog = vec![
        DialogStep { send: Some(Sending::Bytes(vec![0, 0xff, b'$'])), ..DialogStep::default() },
        DialogStep { expect_bytes: Some(vec![b'S', 0xfe]), ..DialogStep::default() },
    ];
    let (evidence, _, outcome) = hold(target(piecemeal, dialog.clone())).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let other = serve(|mut stream| {
        let _ = stream.read(&mut [0; 3]);
        stream.write_all(b"N").unwrap();
    });
    let (evidence, facts, outcome) = hold(target(other, dialog)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Content), "{evidence:?}");
    assert_eq!(facts.unmet.unwrap().by, Expectation::Bytes);
}

fn mail(secured: Secured) -> SocketAddr {
    serve(move |mut stream| {
        stream.write_all(b"220 mx.example ESMTP\r\n").unwrap();
        assert_eq!(line(&mut stream), "EHLO prober\n");
        stream.write_all(b"250-mx.example\r\n250-STARTTLS\r\n250 HELP\r\n").unwrap();
        assert_eq!(line(&mut stream), "STARTTLS\n");
        stream.write_all(b"220 ready\r\n").unwrap();
        let mut stream = secured.over(stream);
        assert_eq!(line(&mut stream), "EHLO prober\n");
        stream.write_all(b"250-mx.example\r\n250 AUTH\r\n").unwrap();
        assert_eq!(line(&mut stream), "QUIT\n");
    })
}

fn mail_dialog() -> Vec<DialogStep> {
    vec![
        answer("^220 ([^ ]+) ESMTP", "EHLO prober"),
        expect("^250-STARTTLS"),
        answer("^250 ", "STARTTLS"),
        DialogStep { tls: TlsBegins::Here, ..expect("^220") },
        send("EHLO prober"),
        answer("^250 AUTH", "QUIT"),
    ]
}

#[tokio::test]
async fn a_dialog_turns_to_tls_in_its_middle() {
    let authority = Authority::new(2045);
    let secured = Secured::new(&authority.issue(&["127.0.0.1"], 2050));
    let mut trusting = target(mail(secured.clone()), mail_dialog());
    trusting.tls.ca = Some(authority.pem());
    let (evidence, facts, outcome) = hold(trusting).await;
    assert_eq!((outcome, facts.done), (Outcome::Up, 6), "{evidence:?}");
    assert!(evidence.tls.unwrap().version.is_some());

    let (evidence, facts, outcome) = hold(target(mail(secured), mail_dialog())).await;
    assert_eq!((outcome, facts.done), (Outcome::Down(Cause::Certificate), 4), "{evidence:?}");
    assert!(evidence.tls.unwrap().certificate.is_some());
}

#[tokio::test]
async fn words_slipped_in_before_tls_are_a_broken_protocol() {
    let slipping = says("220 hi\r\n220 ready\r\n250 AUTH slipped in\r\n");
    let dialog = vec![expect("^220 hi"), DialogStep { tls: TlsBegins::Here, ..expect("^220 ready") }, expect("AUTH")];
    let (evidence, _, outcome) = hold(target(slipping, dialog)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Protocol), "{evidence:?}");
}

#[tokio::test]
async fn tls_may_be_spoken_from_the_start() {
    let authority = Authority::new(2045);
    let secured = Secured::new(&authority.issue(&["127.0.0.1"], 2050));
    let pop3s = serve(move |stream| {
        let mut stream = secured.over(stream);
        let _ = stream.write_all(b"+OK POP3 ready\r\n");
        linger(&mut stream);
    });
    let mut target = TcpTarget { security: Security::Tls, ..target(pop3s, vec![expect(r"^\+OK")]) };
    target.tls.ca = Some(authority.pem());
    let (evidence, _, outcome) = hold(target.clone()).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    target.dialog.clear();
    let (evidence, _, outcome) = hold(target).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert!(evidence.tls.is_some() && evidence.facts.is_none());
}

#[tokio::test]
async fn a_hostile_talker_ends_within_its_bounds() {
    let (evidence, _, outcome) = hold(target(says(vec![b'x'; 200_000]), vec![expect("y")])).await;
    assert_eq!(outcome, Outcome::Down(Cause::TooLarge), "{evidence:?}");
    let endless = serve(|mut stream| while stream.write_all(b"all work and no play\r\n").is_ok() {});
    let (evidence, facts, outcome) = hold(target(endless, vec![expect("y$")])).await;
    assert_eq!((outcome, facts.done), (Outcome::Up, 1), "{evidence:?}");
    let endless = serve(|mut stream| while stream.write_all(b"all work and no play\r\n").is_ok() {});
    let (evidence, _, outcome) = hold(target(endless, vec![expect("a dull boy")])).await;
    assert_eq!(outcome, Outcome::Down(Cause::TooLarge), "{evidence:?}");
}

#[tokio::test]
async fn a_target_that_stops_talking_is_down_when_the_time_is_over() {
    for (address, phase) in [(says(""), Phase::FirstByte), (says("x"), Phase::Transfer)] {
        let (evidence, outcome) = probe(&Target::Tcp(target(address, vec![expect("y")])), SHORT).await;
        assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
        assert_eq!(evidence.failure.unwrap().phase, Some(phase));
    }
}
