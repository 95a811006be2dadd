//! Whatever texts and bytes come in from outside, the prober ends with a verdict and never panics.

use agent::prober::Prober;
use daemon::clock::Clock;
use proptest::prelude::*;
use rules::check::{HttpTarget, Target};
use rules::judge::{Circumstances, judge};
use rules::outcome::OutcomeKind;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const TIMEOUT: Duration = Duration::from_secs(10);

static PROBER: LazyLock<Prober> =
    LazyLock::new(|| Prober::new(Clock::system()).expect("this machine's resolver settings can be read"));

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime needs nothing that a test lacks")
}

/// Answers one connection with `said`, whatever it asks.
fn say(said: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        stream.read_exact(&mut [0; 16])?;
        stream.write_all(&said)?;
        stream.shutdown(Shutdown::Write)?;
        stream.read_to_end(&mut Vec::new())
    });
    address
}

/// Bytes that get some way into a parser before they go wrong, or don't.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(vec![
        &b""[..],
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: ",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"\x16\x03\x03\x00\x40\x02",
    ]);
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::sample::select(vec![
            &b"\r\n"[..],
            b"\r\n\r\n",
            b"a: b\r\n",
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b": ",
            b"\0"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    (start, prop::collection::vec(piece, 0..6)).prop_map(|(start, pieces)| [start.to_vec(), pieces.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_a_server_says_the_probe_ends_with_a_verdict(said in said(), scheme in "https?") {
        let target = Target::parse(&format!("{scheme}://{}/", say(said))).expect("a socket's address is a target");
        let evidence = runtime().block_on(PROBER.probe(&PROBER.plan(&target, TIMEOUT)));
        let outcome = judge(&evidence, &target, TIMEOUT, Circumstances::default());
        prop_assert!(outcome.kind() != OutcomeKind::Void, "{evidence:?}");
        prop_assert!(evidence.elapsed < TIMEOUT, "{evidence:?}");
        let detail = evidence.failure.map_or(String::new(), |failure| failure.detail.to_string());
        prop_assert!(!detail.chars().any(char::is_control), "{detail:?}");
    }

    #[test]
    fn whatever_is_typed_reading_a_target_ends(text in ".{0,60}", prefix in "(https?://|tcp:|tcp://|)") {
        let _ = Target::parse(&format!("{prefix}{text}"));
    }

    #[test]
    fn a_url_that_is_accepted_can_be_asked_for(url in r"https?://[a-z0-9._:\[\]%-]{1,12}(:[0-9]{1,5})?([/?#][!-~]{0,20})?") {
        prop_assume!(!url.contains("xn--"));
        if let Ok(target) = HttpTarget::parse(&url) {
            let plan = PROBER.plan(&Target::Http(Box::new(target)), TIMEOUT);
            prop_assert_eq!(plan.defect(), None);
        }
    }
}
