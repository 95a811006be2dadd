//! Network namespaces for tests: the test's own program runs again in one, where it may set rules and
//! answer echo requests in the system's place.

use socket2::{Domain, Protocol, Socket, Type};
use std::io::Read;
use std::net::SocketAddr;
use std::process::Command;

/// Says to the program that it runs in a namespace, and with which word.
const INSIDE: &str = "NINES_TEST_NAMESPACE";
/// Who owns nothing.
const NOBODY: &str = "65534";

/// Runs `body` in a network namespace of its own; `name` is the calling test's.
pub(crate) fn in_namespace(name: &str, body: impl AsyncFnOnce()) {
    in_namespace_with(name, "", async |_| body().await);
}

/// As [`in_namespace`], with a word for `body`.
pub(crate) fn in_namespace_with(name: &str, word: &str, body: impl AsyncFnOnce(&str)) {
    match std::env::var(INSIDE) {
        Err(_) => {
            let mut command = Command::new("unshare");
            command.arg("--net").arg(std::env::current_exe().unwrap());
            again(command, name, word);
        }
        Ok(inside) if inside == word => {
            if !nobody() {
                run("ip", &["link", "set", "lo", "up"]);
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(body(word));
        }
        // Another turn of the same test.
        Ok(_) => {}
    }
}

/// Runs the test `name` once more, in this namespace and without any privilege.
pub(crate) fn as_nobody(name: &str) {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]);
    command.arg(std::env::current_exe().unwrap());
    again(command, name, &std::env::var(INSIDE).unwrap());
}

fn again(mut command: Command, name: &str, word: &str) {
    let output = command.args(["--exact", name, "--nocapture"]).env(INSIDE, word).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "this test needs root, unshare and setpriv; {command:?} said:\n{said}");
    assert!(said.contains("1 passed"), "nothing was tested:\n{said}");
}

/// Whether this process has no privilege.
pub(crate) fn nobody() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:") && line.contains(NOBODY))
}

/// Whether everybody may ping here.
pub(crate) fn may_ping() -> bool {
    std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap().starts_with("0\t2147483647")
}

/// Sets a rule of this namespace.
pub(crate) fn set(rule: &str, value: &str) {
    std::fs::write(format!("/proc/sys/{rule}"), value).unwrap();
}

pub(crate) fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// How echo requests to 127.0.0.1 are answered.
#[derive(Clone, Copy)]
pub(crate) enum Script {
    Nothing,
    EverySecond,
    Identifier,
    Sequence,
    Payload,
    Twice,
    TimeExceeded,
}

impl Script {
    pub(crate) fn named(word: &str) -> Script {
        match word {
            "Identifier" => Script::Identifier,
            "Sequence" => Script::Sequence,
            "Payload" => Script::Payload,
            _ => Script::Twice,
        }
    }
}

/// Answers in the system's place, until the process ends.
pub(crate) fn answer_by(script: Script) {
    set("net/ipv4/icmp_echo_ignore_all", "1");
    let mut socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
    std::thread::spawn(move || {
        let (mut buffer, mut count) = ([0; 2048], 0);
        while let Ok(length) = socket.read(&mut buffer) {
            let packet = &buffer[..length];
            if packet[20] == 8 {
                count += 1;
                for answer in answers(script, packet, count) {
                    socket.send_to(&answer, &SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
                }
            }
        }
    });
}

/// The answers to the request in `packet`, which is the one with this number.
fn answers(script: Script, packet: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut reply = packet[20..].to_vec();
    reply[0] = 0;
    let changed = |at: usize| {
        let mut reply = reply.clone();
        reply[at] ^= 0x40;
        vec![summed(reply)]
    };
    match script {
        Script::Nothing => Vec::new(),
        Script::EverySecond if count.is_multiple_of(2) => Vec::new(),
        Script::EverySecond => vec![summed(reply)],
        Script::Identifier => changed(5),
        Script::Sequence => changed(6),
        Script::Payload => changed(40),
        Script::Twice => vec![summed(reply.clone()), summed(reply)],
        Script::TimeExceeded => vec![summed([&[11, 0, 0, 0, 0, 0, 0, 0], packet].concat())],
    }
}

/// `packet` with its checksum.
fn summed(mut packet: Vec<u8>) -> Vec<u8> {
    packet[2..4].fill(0);
    let words = packet.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while 0xffff < sum {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[2..4].copy_from_slice(&(!u16::try_from(sum).unwrap()).to_be_bytes());
    packet
}
