//! A hostile world: servers that stall, lie, flood and break off. Each probe ends within its timeout and a second,
//! within 256 KiB of memory, and with the right cause.
#![expect(clippy::unwrap_used, reason = "a test whose servers can't be set up has failed")]

use crate::speech::{Line, Script, answer, hear, plain, repeat, reset_after, secured, wait};
use agent::prober::Prober;
use daemon::clock::Clock;
use rules::check::{ContentRule, FailsIf, HttpTarget, Look, Pattern, Target, Verify};
use rules::judge::{Circumstances, judge};
use rules::outcome::{Cause, Outcome};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

/// For servers that fail before it passes, on however busy a machine.
const AMPLE: Duration = Duration::from_secs(20);
/// For servers that stall.
const SHORT: Duration = Duration::from_millis(400);
/// How much later than its timeout a probe may end.
const GRACE: Duration = Duration::from_secs(1);
/// What one probe may hold at any moment.
const BYTES_MAX: u64 = 256 * 1024;
const NO_PAUSE: Duration = Duration::ZERO;
const DRIP: Duration = Duration::from_millis(20);

/// A server's manner, what looks at it, and what it must come to.
struct Case {
    manner: &'static str,
    target: Target,
    timeout: Duration,
    cause: Cause,
}

fn page(scheme: &str, address: SocketAddr) -> HttpTarget {
    HttpTarget::parse(&format!("{scheme}://{address}/")).unwrap()
}

/// A page of a plain server that fails at once.
fn fails(manner: &'static str, script: Script, cause: Cause) -> Case {
    Case { manner, target: Target::Http(Box::new(page("http", plain(script)))), timeout: AMPLE, cause }
}

/// A page of a plain server that never comes to an end.
fn stalls(manner: &'static str, script: Script) -> Case {
    Case { timeout: SHORT, ..fails(manner, script, Cause::Timeout) }
}

/// A page of a server that cuts its connections.
fn cuts(manner: &'static str, script: Script) -> Case {
    Case {
        manner,
        target: Target::Http(Box::new(page("http", reset_after(script)))),
        timeout: AMPLE,
        cause: Cause::Reset,
    }
}

/// A page over TLS, on a plain server that knows no TLS.
fn breaks_tls(manner: &'static str, script: Script, cause: Cause) -> Case {
    let timeout = if cause == Cause::Timeout { SHORT } else { AMPLE };
    Case { manner, target: Target::Http(Box::new(page("https", plain(script)))), timeout, cause }
}

/// A page over HTTP/2, its certificate not asked about.
fn breaks_http2(manner: &'static str, script: Script, cause: Cause) -> Case {
    let mut page = page("https", secured(b"h2", 0, script));
    page.options.tls.verify = Verify::Nothing;
    let timeout = if cause == Cause::Timeout { SHORT } else { AMPLE };
    Case { manner, target: Target::Http(Box::new(page)), timeout, cause }
}

fn http1() -> Vec<Case> {
    vec![
        stalls("says nothing", |line| wait(line)),
        stalls("drips its head", |line| hear(line).and_then(|()| repeat(line, b"H", DRIP))),
        stalls("drips its headers", |line| {
            answer(line, b"HTTP/1.1 200 OK\r\n").and_then(|()| repeat(line, b"a: b\r\n", DRIP))
        }),
        stalls("drips its body", |line| {
            answer(line, b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n").and_then(|()| repeat(line, b"x", DRIP))
        }),
        stalls("promises more than it sends and waits", |line| {
            answer(line, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").and_then(|()| wait(line))
        }),
        stalls("goes on informing", |line| hear(line).and_then(|()| repeat(line, b"HTTP/1.1 102 P\r\n\r\n", DRIP))),
        stalls("drips chunks", |line| {
            answer(line, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                .and_then(|()| repeat(line, b"1\r\nx\r\n", DRIP))
        }),
        fails(
            "sends a body without end",
            |line| answer(line, b"HTTP/1.1 200 OK\r\n\r\n").and_then(|()| repeat(line, &[b'x'; 16 * 1024], NO_PAUSE)),
            Cause::TooLarge,
        ),
        fails(
            "sends chunks without end",
            |line| {
                answer(line, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                    .and_then(|()| repeat(line, b"10\r\n0123456789abcdef\r\n", NO_PAUSE))
            },
            Cause::TooLarge,
        ),
    ]
}

fn http1_lies() -> Vec<Case> {
    vec![
        fails(
            "announces a body of 16 exabytes",
            |line| answer(line, b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n"),
            Cause::TooLarge,
        ),
        fails(
            "announces a body of a terabyte",
            |line| answer(line, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n"),
            Cause::TooLarge,
        ),
        fails(
            "sends headers without end",
            |line| answer(line, b"HTTP/1.1 200 OK\r\n").and_then(|()| repeat(line, b"a: b\r\n", NO_PAUSE)),
            Cause::TooLarge,
        ),
        fails(
            "sends a header without end",
            |line| answer(line, b"HTTP/1.1 200 OK\r\na: ").and_then(|()| repeat(line, &[b'x'; 4096], NO_PAUSE)),
            Cause::TooLarge,
        ),
        fails(
            "sends a reason without end",
            |line| answer(line, b"HTTP/1.1 200 ").and_then(|()| repeat(line, &[b'x'; 4096], NO_PAUSE)),
            Cause::TooLarge,
        ),
        fails(
            "sends chunk extensions without end",
            |line| {
                answer(line, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a=")
                    .and_then(|()| repeat(line, &[b'x'; 4096], NO_PAUSE))
            },
            Cause::Protocol,
        ),
        fails(
            "sends a chunk of absurd size",
            |line| answer(line, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n"),
            Cause::Protocol,
        ),
        fails(
            "contradicts itself about its length",
            |line| answer(line, b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"),
            Cause::Protocol,
        ),
        fails("speaks another protocol", |line| answer(line, b"220 mail.example ESMTP\r\n"), Cause::Protocol),
        fails(
            "answers with zeros",
            |line| hear(line).and_then(|()| repeat(line, &[0; 4096], NO_PAUSE)),
            Cause::Protocol,
        ),
        fails(
            "puts a line break into a header's name",
            |line| answer(line, b"HTTP/1.1 200 OK\r\na\n b\x00: c\r\n\r\n"),
            Cause::Protocol,
        ),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        cuts("resets at once", |_| Ok(())),
        cuts("resets after the request", |line| hear(line)),
        cuts("resets within the head", |line| answer(line, b"HTTP/1.1 200 OK\r\na: ")),
        cuts("resets within the body", |line| answer(line, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")),
        fails("closes at once", |_| Ok(()), Cause::Reset),
        fails("closes after the request", |line| hear(line), Cause::Reset),
        fails("closes half way through the head", |line| answer(line, b"HTTP/1.1 200 OK\r\na: "), Cause::Reset),
        fails(
            "closes half way through the body",
            |line| answer(line, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
            Cause::Reset,
        ),
        fails(
            "closes half way through a chunk",
            |line| answer(line, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nx"),
            Cause::Reset,
        ),
        fails("leads in a circle", |line| answer(line, b"HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n"), Cause::Redirect),
        fails(
            "leads to a file",
            |line| answer(line, b"HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\n\r\n"),
            Cause::Redirect,
        ),
        fails(
            "leads to a place of 60 000 letters that is none",
            |line| {
                answer(line, b"HTTP/1.1 302 Found\r\nlocation: http://")?;
                line.write_all(&[b'a'; 60_000])?;
                line.write_all(b"/\r\n\r\n")
            },
            Cause::Redirect,
        ),
    ]
}

fn tls() -> Vec<Case> {
    let heavy = page("https", secured(b"http/1.1", 2_000, |line| wait(line)));
    vec![
        breaks_tls(
            "answers TLS with garbage",
            |line| repeat(line, b"garbage that is no record ", NO_PAUSE),
            Cause::Tls,
        ),
        breaks_tls("answers TLS with HTTP", |line| line.write_all(b"HTTP/1.1 400 Bad\r\n\r\n"), Cause::Tls),
        breaks_tls("answers TLS with an alert", |line| line.write_all(b"\x15\x03\x03\0\x02\x02\x28"), Cause::Tls),
        breaks_tls("takes the hello and says nothing", |line| wait(line), Cause::Timeout),
        breaks_tls(
            "begins a record and goes on a byte at a time",
            |line| line.write_all(b"\x16\x03\x03\x40\x00\x02").and_then(|()| repeat(line, b"\0", DRIP)),
            Cause::Timeout,
        ),
        breaks_tls(
            "announces a handshake of 16 MiB",
            |line| {
                line.write_all(b"\x16\x03\x03\x40\x00\x02\xff\xff\xff")
                    .and_then(|()| repeat(line, &[3; 4096], NO_PAUSE))
            },
            Cause::Tls,
        ),
        Case {
            manner: "shows 2 000 certificates",
            target: Target::Http(Box::new(heavy)),
            timeout: AMPLE,
            cause: Cause::Tls,
        },
    ]
}

/// A frame of HTTP/2: its length, kind, flags and stream, and what it holds.
fn frame(line: &mut dyn Line, kind: u8, flags: u8, stream: u8, holds: &[u8]) -> io::Result<()> {
    let length = u32::try_from(holds.len()).map_err(io::Error::other)?.to_be_bytes();
    line.write_all(&length[1..])?;
    line.write_all(&[kind, flags, 0, 0, 0, stream])?;
    line.write_all(holds)?;
    line.flush()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// `:status: 200`, by its place in the static table.
const STATUS_200: &[u8] = &[0x88];

/// Greets, and waits until the request has come.
fn greet(line: &mut dyn Line) -> io::Result<()> {
    line.read_exact(&mut [0; 24])?;
    frame(line, SETTINGS, 0, 0, &[])?;
    loop {
        let mut head = [0; 9];
        line.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        io::copy(&mut Read::take(&mut *line, u64::from(length)), &mut io::sink())?;
        if head[3] == HEADERS {
            return Ok(());
        }
    }
}

fn http2() -> Vec<Case> {
    vec![
        breaks_http2("speaks no HTTP/2 after agreeing to", |line| repeat(line, b"garbage", NO_PAUSE), Cause::Protocol),
        breaks_http2(
            "greets and goes away",
            |line| greet(line).and_then(|()| frame(line, GO_AWAY, 0, 0, &[0; 8])),
            Cause::Reset,
        ),
        breaks_http2("greets and says nothing", |line| greet(line).and_then(|()| wait(line)), Cause::Timeout),
        breaks_http2(
            "resets the stream",
            |line| greet(line).and_then(|()| frame(line, RST_STREAM, 0, 1, &[0, 0, 0, 2])).and_then(|()| wait(line)),
            Cause::Reset,
        ),
        breaks_http2(
            "continues its headers without end",
            |line| {
                greet(line)?;
                frame(line, HEADERS, 0, 1, STATUS_200)?;
                loop {
                    frame(line, CONTINUATION, 0, 1, b"\x00\x01a\x7f\x81\x7f")?;
                }
            },
            Cause::Protocol,
        ),
        breaks_http2(
            "sends a header bomb",
            |line| {
                greet(line)?;
                // One header of 4 000 bytes goes into the table, and then by a byte each time.
                let mut bomb = STATUS_200.to_vec();
                bomb.extend(b"\x40\x01a\x7f\xa1\x1e");
                bomb.extend([b'x'; 4000]);
                bomb.extend([0xbe; 8000]);
                frame(line, HEADERS, END_HEADERS, 1, &bomb)?;
                wait(line)
            },
            Cause::Protocol,
        ),
        breaks_http2(
            "answers and then sends data without end",
            |line| {
                greet(line)?;
                frame(line, HEADERS, END_HEADERS, 1, STATUS_200)?;
                loop {
                    frame(line, DATA, 0, 1, &[b'x'; 16 * 1024])?;
                }
            },
            Cause::Protocol,
        ),
        breaks_http2(
            "pings without end",
            |line| {
                greet(line)?;
                loop {
                    frame(line, PING, 0, 0, &[0; 8])?;
                    std::thread::sleep(DRIP);
                }
            },
            Cause::Timeout,
        ),
    ]
}

/// What is wrong with what the probe of a case came to.
fn wrong(case: Case) -> Option<String> {
    let Case { manner, target, timeout, cause } = case;
    let prober = Prober::new(Clock::system()).unwrap();
    let plan = prober.plan(&target, timeout);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut seen = None;
    let memory = allocation_counter::measure(|| seen = Some(runtime.block_on(prober.probe(&plan))));
    let evidence = seen.unwrap();
    let outcome = judge(&evidence, &target, timeout, Circumstances::default());
    if outcome != Outcome::Down(cause) {
        return Some(format!("a server that {manner} came to {outcome:?}, not {cause}: {:?}", evidence.failure));
    }
    if timeout + GRACE <= evidence.elapsed {
        return Some(format!("a server that {manner} took {:?}", evidence.elapsed));
    }
    (BYTES_MAX <= memory.bytes_max).then(|| format!("a server that {manner} cost {} bytes", memory.bytes_max))
}

/// Tries every one of `cases`, then tells of all that came out otherwise.
fn check(cases: Vec<Case>) {
    let wrong: Vec<String> = cases.into_iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_server_that_stalls_lies_or_floods_costs_its_timeout_and_little_memory() {
    let cases: Vec<Case> = http1().into_iter().chain(http1_lies()).collect();
    assert_eq!(cases.len(), 20);
    check(cases);
}

#[test]
fn a_server_that_breaks_off_or_leads_astray_is_told_by_how_it_did() {
    let cases = ends();
    assert_eq!(cases.len(), 12);
    check(cases);
}

#[test]
fn a_server_that_breaks_tls_is_told_by_how_it_did() {
    check(tls());
}

#[test]
fn a_server_that_breaks_http2_is_told_by_how_it_did() {
    check(http2());
}

#[test]
fn a_body_that_a_rule_looks_at_is_kept_no_further_than_its_limit() {
    let script: Script =
        |line| answer(line, b"HTTP/1.1 200 OK\r\n\r\n").and_then(|()| repeat(line, &[b'x'; 16 * 1024], NO_PAUSE));
    let mut page = page("http", plain(script));
    page.options.body_bytes_max = 16 * 1024;
    let pattern = Pattern::new("y$").unwrap();
    page.content = vec![ContentRule { look: Look::Body(pattern), fails: FailsIf::Missing }];
    let target = Target::Http(Box::new(page));
    check(vec![Case { manner: "sends a body without end", target, timeout: AMPLE, cause: Cause::TooLarge }]);
}
