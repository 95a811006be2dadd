//! Nothing that may not be reached is reached, however it is spelled and whoever leads there: several hundred
//! spellings of forbidden addresses, directly and by redirect, and a trap that listens on all of them.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use agent::prober::Prober;
use daemon::clock::Clock;
use rules::check::Target;
use rules::judge::{Circumstances, judge};
use rules::outcome::{Cause, Outcome};
use rules::reach::{Reach, Scope};
use socket2::{Domain, Socket, Type};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The one address of this machine that the tests allow: a harmless server answers there.
const ALLOWED: &str = "127.0.0.2";
/// What the trap listens on, among all other addresses of this machine.
const FORBIDDEN: [Ipv4Addr; 5] = [
    Ipv4Addr::LOCALHOST,
    Ipv4Addr::new(127, 0, 0, 3),
    Ipv4Addr::new(127, 255, 255, 254),
    Ipv4Addr::new(127, 1, 2, 3),
    Ipv4Addr::UNSPECIFIED,
];

/// Counts every connection to its port, on any address of this machine but the allowed one.
struct Trap {
    port: u16,
    sprung: Arc<AtomicUsize>,
}

fn trap() -> Trap {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    socket.set_only_v6(false).unwrap();
    socket.bind(&SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0).into()).unwrap();
    socket.listen(128).unwrap();
    let listener = TcpListener::from(socket);
    let (port, sprung) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sprung);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.unwrap().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
        }
    });
    Trap { port, sprung }
}

/// Sends whoever asks to where its path says, percent-decoded once.
fn guide() -> SocketAddr {
    let listener = TcpListener::bind((ALLOWED, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or("/").trim_start_matches("/to?").to_owned();
            let bytes: Vec<u8> = (0..path.len())
                .step_by(2)
                .filter_map(|at| path.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
                .collect();
            let mut answer = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ".to_vec();
            answer.extend(bytes);
            answer.extend(b"\r\n\r\n");
            let _ = stream.write_all(&answer);
        }
    });
    address
}

/// `address` as people, libraries and attackers have written it.
fn spellings(address: Ipv4Addr) -> BTreeSet<String> {
    let [a, b, c, d] = address.octets();
    let whole = u32::from(address);
    let tail = whole & 0x00ff_ffff;
    let mut all: BTreeSet<String> = [
        format!("{address}"),
        format!("{address}."),
        format!("{whole}"),
        format!("0x{whole:x}"),
        format!("0X{whole:08X}"),
        format!("0{whole:o}"),
        format!("{a}.{tail}"),
        format!("{a}.{b}.{}", whole & 0xffff),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:03}.{b:03}.{c:03}.{d:03}"),
        format!("00{a:o}.{b}.{c}.{d}"),
        format!("0x{a:02x}.{b}.0{c:o}.{d}"),
        format!("[::ffff:{address}]"),
        format!("[::FFFF:{:x}:{:x}]", whole >> 16, whole & 0xffff),
        format!("[0:0:0:0:0:ffff:{address}]"),
        format!("[0000:0000:0000:0000:0000:ffff:{:04x}:{:04x}]", whole >> 16, whole & 0xffff),
        format!("[::{address}]"),
        format!("[::ffff:0:{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1::{address}]"),
        format!("[2002:{:x}:{:x}::1]", whole >> 16, whole & 0xffff),
        format!("[2001:0:1::{:x}:{:x}]", !(whole >> 16) & 0xffff, !whole & 0xffff),
        format!("[2001:db8::5efe:{address}]"),
        format!("{ALLOWED}@{address}"),
        format!("{ALLOWED}:80@{address}"),
        format!("{address}%00"),
        format!("%{:x}{}", address.to_string().as_bytes()[0], &address.to_string()[1..]),
    ]
    .into();
    // Digits and dots of other scripts, which URL readers fold to plain ones.
    let fold = |zero: u32, text: &str| -> String {
        let letter = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(zero + digit)).unwrap_or(c);
        text.chars().map(letter).collect()
    };
    for text in [address.to_string(), whole.to_string()] {
        for zero in [0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6] {
            all.insert(fold(zero, &text));
        }
        all.insert(text.replace('.', "。"));
        all.insert(text.replace('.', "．"));
        all.insert(text.replace('.', "%2e"));
        all.insert(text.replace('.', "\u{ff61}"));
    }
    all
}

/// Names and addresses of this machine that are no spelling of an IPv4 address.
fn others() -> Vec<String> {
    ["localhost", "LOCALHOST", "localhost.", "ip6-localhost", "ip6-loopback", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]"]
        .iter()
        .map(|&name| name.to_owned())
        .collect()
}

fn prober() -> Prober {
    let allow = vec![ALLOWED.parse().unwrap()];
    Prober::within(Reach { scope: Scope::Stranger, allow, refuse: Vec::new() }, Clock::system()).unwrap()
}

/// What a probe of `text` comes to; absent if it is no target at all.
async fn probe(prober: &Prober, text: &str) -> Option<Outcome> {
    let target = Target::parse(text).ok()?;
    let evidence = prober.probe(&prober.plan(&target, TIMEOUT)).await;
    Some(judge(&evidence, &target, TIMEOUT, Circumstances::default()))
}

/// Every spelling with the trap's port, as page and as port.
fn targets(port: u16) -> Vec<String> {
    let hosts: BTreeSet<String> = FORBIDDEN.iter().flat_map(|&address| spellings(address)).chain(others()).collect();
    let schemes = |host: &String| {
        [format!("http://{host}:{port}/"), format!("https://{host}:{port}/"), format!("tcp:{host}:{port}")]
    };
    hosts.iter().flat_map(schemes).collect()
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_springs_the_trap() {
    let (trap, prober) = (trap(), Arc::new(prober()));
    let targets = targets(trap.port);
    assert!(300 <= targets.len(), "only {} spellings", targets.len());
    let mut probes = JoinSet::new();
    for target in targets {
        let prober = Arc::clone(&prober);
        probes.spawn(async move { (probe(&prober, &target).await, target) });
    }
    let mut forbidden = 0;
    for (outcome, target) in probes.join_all().await {
        match outcome {
            // Refused as a text, or a name that nobody has.
            None | Some(Outcome::Down(Cause::Resolve) | Outcome::Void(Cause::Resolver)) => {}
            Some(Outcome::Void(Cause::Prober)) => forbidden += 1,
            Some(other) => panic!("{target} came to {other:?}"),
        }
    }
    assert!(40 <= forbidden, "only {forbidden} got as far as an address");
    assert_eq!(trap.sprung.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_redirect_leads_into_the_trap() {
    let (trap, guide, prober) = (trap(), guide(), Arc::new(prober()));
    let mut probes = JoinSet::new();
    for to in targets(trap.port).into_iter().chain([format!("//{}:{}/", FORBIDDEN[0], trap.port)]) {
        let hex: String = to.bytes().map(|byte| format!("{byte:02x}")).collect();
        let (prober, target) = (Arc::clone(&prober), format!("http://{guide}/to?{hex}"));
        probes.spawn(async move { (probe(&prober, &target).await, to) });
    }
    for (outcome, to) in probes.join_all().await {
        let outcome = outcome.expect("the guide is a target");
        // A name that does not exist, or a place that may not be gone to: the target's own doing.
        let told = matches!(outcome, Outcome::Down(Cause::Redirect | Cause::Resolve));
        assert!(told, "a redirect to {to} came to {outcome:?}");
    }
    assert_eq!(trap.sprung.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_allowed_is_reached_beside_all_that_is_forbidden() {
    let (guide, prober) = (guide(), prober());
    assert_eq!(probe(&prober, &format!("tcp:{guide}")).await, Some(Outcome::Up));
    assert!(IpAddr::from(FORBIDDEN[0]) != guide.ip());
}
