//! Probes of the kind `ws` against servers that echo, refuse, or misbehave.

use crate::secured::{Authority, Secured, linger, says, serve};
use crate::{AMPLE, probe};
use rules::check::{DialogStep, HttpAuth, Pattern, SecretSource, Sending, Target, WsTarget};
use rules::evidence::{Ending, Evidence, Facts, Phase, Said, WsFacts};
use rules::outcome::{Cause, Outcome};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

fn target(address: SocketAddr, dialog: Vec<DialogStep>) -> WsTarget {
    WsTarget { dialog, ..WsTarget::parse(&format!("ws://{address}/chat?room=1")).unwrap() }
}

async fn look(target: WsTarget) -> (Evidence, Option<WsFacts>, Outcome) {
    let (evidence, outcome) = probe(&Target::Ws(target), AMPLE).await;
    let facts = match evidence.facts.clone() {
        Some(Facts::Ws(facts)) => Some(*facts),
        _ => None,
    };
    (evidence, facts, outcome)
}

fn step(expect: Option<&str>, send: Option<&str>) -> DialogStep {
    DialogStep {
        expect: expect.map(|pattern| Pattern::new(pattern).unwrap()),
        send: send.map(|text| Sending::Line(text.into())),
        ..DialogStep::default()
    }
}

/// Accepts whoever asks for this path as this user, and then does as `script` says.
fn open<S: Read + Write>(stream: S, script: impl FnOnce(&mut WebSocket<S>)) {
    #[expect(clippy::result_large_err, reason = "the library's own type")]
    let admit = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(request.uri().to_string(), "/chat?room=1");
        assert!(header("user-agent").unwrap().starts_with("nines/"));
        match header("authorization").as_deref() {
            None | Some("Bearer hunter2") => Ok(response),
            Some(_) => Err(http::Response::builder().status(401).body(None).unwrap()),
        }
    };
    if let Ok(mut socket) = accept_hdr(stream, admit) {
        script(&mut socket);
        let _ = socket.close(None);
        while socket.read().is_ok() {}
    }
}

fn echo<S: Read + Write>(socket: &mut WebSocket<S>) {
    let _ = socket.send(Message::Ping(b"are you there".to_vec().into()));
    let _ = socket.send(Message::text("hello v1.2"));
    while let Ok(message) = socket.read() {
        if message.is_text() || message.is_binary() {
            let _ = socket.send(message);
        }
    }
}

#[tokio::test]
async fn a_websocket_that_opens_and_answers_is_up() {
    let address = serve(|stream| open(stream, echo));
    let mut greeting = step(Some("^hello v([0-9.]+)$"), Some("echo ${1}"));
    greeting.labels = vec![("version".into(), "$1".into())];
    let (evidence, facts, outcome) = look(target(address, vec![greeting, step(Some("^echo 1.2$"), None)])).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let facts = facts.unwrap();
    assert_eq!((facts.status, facts.dialog.done, facts.dialog.steps), (101, 2, 2));
    assert_eq!(facts.dialog.labels, [("version".to_owned(), Said::new("1.2"))]);
    let phases = [Phase::Resolve, Phase::Connect, Phase::FirstByte, Phase::Transfer];
    assert!(evidence.phases.iter().map(|(phase, _)| phase).eq(phases), "{evidence:?}");
    let (evidence, _, outcome) = look(target(address, Vec::new())).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
}

#[tokio::test]
async fn a_websocket_over_tls_is_opened_and_its_certificate_noted() {
    let authority = Authority::new(2045);
    let secured = Secured::new(&authority.issue(&["127.0.0.1"], 2050));
    let address = serve(move |stream| open(secured.over(stream), echo));
    let mut target = WsTarget::parse(&format!("wss://{address}/chat?room=1")).unwrap();
    target.dialog = vec![step(Some("^hello"), None)];
    let (evidence, facts, outcome) = look(target.clone()).await;
    assert_eq!((outcome, facts), (Outcome::Down(Cause::Certificate), None), "{evidence:?}");
    assert!(evidence.tls.unwrap().certificate.is_some());
    target.tls.ca = Some(authority.pem());
    let (evidence, _, outcome) = look(target).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert!(evidence.phases.length(Phase::Tls).is_some());
}

#[tokio::test]
async fn who_asks_is_told_and_a_refusal_is_down_by_its_status() {
    let address = serve(|stream| open(stream, echo));
    let asking = |credentials: &str| {
        let credentials = SecretSource::given(credentials);
        WsTarget { auth: HttpAuth::Credentials { scheme: "Bearer".into(), credentials }, ..target(address, Vec::new()) }
    };
    let (evidence, _, outcome) = look(asking("hunter2")).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let (evidence, facts, outcome) = look(asking("guess")).await;
    assert_eq!(outcome, Outcome::Down(Cause::Status), "{evidence:?}");
    assert_eq!(facts.unwrap().status, 401);
    let page = says("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    let (evidence, facts, outcome) = look(target(page, Vec::new())).await;
    assert_eq!((outcome, facts.unwrap().status), (Outcome::Down(Cause::Status), 200), "{evidence:?}");
}

#[tokio::test]
async fn another_message_or_none_is_down_and_told() {
    let address = serve(|stream| open(stream, echo));
    let (evidence, facts, outcome) = look(target(address, vec![step(Some("^goodbye"), None)])).await;
    assert_eq!(outcome, Outcome::Down(Cause::Content), "{evidence:?}");
    let dialog = facts.unwrap().dialog;
    assert_eq!((dialog.heard.as_str(), dialog.unmet.unwrap().end), ("hello v1.2", Ending::Rejected));
    let closing = serve(|stream| open(stream, |_| {}));
    let (evidence, facts, outcome) = look(target(closing, vec![step(Some("."), None)])).await;
    assert_eq!(outcome, Outcome::Down(Cause::Content), "{evidence:?}");
    assert_eq!(facts.unwrap().dialog.unmet.unwrap().end, Ending::Closed);
}

#[tokio::test]
async fn a_server_that_misbehaves_is_down_within_its_bounds() {
    let check = async |address: SocketAddr, cause| {
        let (evidence, _, outcome) = look(target(address, vec![step(Some("x"), None)])).await;
        assert_eq!(outcome, Outcome::Down(cause), "{evidence:?}");
    };
    check(says("SSH-2.0-OpenSSH\r\n"), Cause::Protocol).await;
    check(serve(drop), Cause::Reset).await;
    let unsigned = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";
    check(says(unsigned), Cause::Protocol).await;
    let huge = serve(|stream| {
        open(stream, |socket| {
            let _ = socket.send(Message::text("x".repeat(1_000_000)));
        });
    });
    check(huge, Cause::TooLarge).await;
    let endless = serve(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n");
        while stream.write_all(b"a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n").is_ok() {}
    });
    let (evidence, _, outcome) = look(target(endless, Vec::new())).await;
    assert!(matches!(outcome, Outcome::Down(Cause::TooLarge | Cause::Protocol)), "{evidence:?}");
}

#[tokio::test]
async fn silence_before_or_after_the_upgrade_ends_with_the_deadline() {
    let silent = serve(|stream| open(stream, |socket| linger(socket.get_mut())));
    for (address, phase) in [(silent, Phase::Transfer), (says(""), Phase::FirstByte)] {
        let target = Target::Ws(target(address, vec![step(Some("x"), None)]));
        let (evidence, outcome) = probe(&target, Duration::from_millis(300)).await;
        assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
        assert_eq!(evidence.failure.unwrap().phase, Some(phase));
    }
}
