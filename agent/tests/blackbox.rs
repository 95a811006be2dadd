//! The drop-in for blackbox_exporter as whoever asks it meets it: refusals, reload, history, secrets, reach.
//!
//! That its pages are the peer's is tested beside the peer itself (`tests/tests/blackbox`).
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use agent::blackbox::{Settings, alone};
use daemon::clock::Clock;
use daemon::reload::FileWatch;
use daemon::shutdown::Hangup;
use reqwest::Client;
use rules::reach::{Reach, Scope};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const MODULES: &str = "modules:\n  http_2xx: {prober: http, timeout: 5s}\n  broken:\n  \
                       secretive: {prober: http, http: {headers: {X-Key: hunter2, Host: shop.example}, basic_auth: {username: u, password: hunter2}}}\n";

/// A drop-in that runs.
struct Running {
    address: SocketAddr,
    file: PathBuf,
    client: Client,
    _dir: TempDir,
    _task: JoinSet<()>,
}

impl Running {
    async fn start(reach: Reach, history_limit: usize) -> Running {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("blackbox.yml");
        std::fs::write(&file, MODULES).unwrap();
        let clock = Clock::system();
        let watch = FileWatch::new(&file, Hangup::never(), clock.clone());
        let timeout_offset = Duration::from_millis(500);
        let settings = Settings { file: file.clone(), timeout_offset, history_limit, reach };
        let (started, address) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let listen = "127.0.0.1:0".parse().unwrap();
            alone::run(settings, listen, watch, clock, Some(started), CancellationToken::new()).await.unwrap();
        });
        let address = address.await.unwrap().listen.unwrap();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Running { address, file, client, _dir: dir, _task: task }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn reload(&self) -> (u16, String) {
        let answer = self.client.post(format!("http://{}/-/reload", self.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// A page that is always well.
fn page() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    address
}

#[tokio::test]
async fn refusals_come_in_the_peers_order() {
    let running = Running::start(Reach::default(), 9).await;
    let check = async |path: &str, timeout: &str, expected: (u16, &str)| {
        let request = running.client.get(format!("http://{}{path}", running.address));
        let answer = request.header("X-Prometheus-Scrape-Timeout-Seconds", timeout).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!((status, text.as_str()), expected, "{path}");
    };
    // Each has what is wrong in the next one, too.
    check("/probe?module=nosuch", "soon", (400, "Unknown module \"nosuch\"\n")).await;
    let header =
        "Failed to parse timeout from Prometheus header: strconv.ParseFloat: parsing \"soon\": invalid syntax\n";
    check("/probe?module=broken", "soon", (500, header)).await;
    check("/probe?module=broken", "5", (400, "Target parameter is missing\n")).await;
    check("/probe?module=broken&target=x&hostname=y", "5", (400, "Unknown prober \"\"\n")).await;
    let host =
        "host header defined both in module configuration (shop.example) and with URL-parameter 'hostname' (y)\n";
    check("/probe?module=secretive&target=x&hostname=y", "5", (400, host)).await;
    let (_, metrics) = running.get("/metrics").await;
    assert!(metrics.contains("\nblackbox_module_unknown_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_target_s_escapes_are_undone_once_more() {
    let (running, page) = (Running::start(Reach::default(), 9).await, page());
    for escaped in ["http://{}/", "http%3A%2F%2F{}/", "http%253A%252F%252F{}%252F", "http://{}/%25zz"] {
        let (_, text) = running.get(&format!("/probe?target={}", escaped.replace("{}", &page.to_string()))).await;
        assert!(text.contains("\nprobe_success 1\n"), "{escaped}: {text}");
    }
    let (status, log) = running.get(&format!("/logs?target=http%3A%2F%2F{page}%2F%25zz")).await;
    assert_eq!(status, 200, "{log}");
}

#[tokio::test]
async fn probes_are_remembered_and_failures_for_longer() {
    let (running, page) = (Running::start(Reach::default(), 2).await, page());
    for target in ["127.0.0.1:1".to_owned(), page.to_string(), page.to_string(), page.to_string()] {
        running.get(&format!("/probe?target={target}")).await;
    }
    let (_, index) = running.get("/").await;
    let rows: Vec<&str> = index.split("<tr><td>").skip(1).collect();
    assert_eq!(rows.len(), 3, "{index}");
    assert!(rows[0].contains("Success") && rows[2].contains("127.0.0.1:1") && rows[2].contains("Failure"), "{index}");
    let check = async |path: &str, status: u16, part: &str| {
        let (found, text) = running.get(path).await;
        assert!(found == status && text.contains(part), "{path}: {found} {text}");
    };
    check("/logs?id=0", 200, "msg=\"Probe failed\"").await;
    check("/logs?id=1", 404, "Probe id not found").await;
    check("/logs?id=3", 200, "msg=\"Probe succeeded\"").await;
    check("/logs?target=127.0.0.1:1", 200, "probe_success 0").await;
    check("/logs?target=127.0.0.1:1&module=http_2xx", 200, "probe_success 0").await;
    check("/logs?target=127.0.0.1:1&module=other", 404, "Probe target not found").await;
    for path in ["/logs", "/logs?id=1&target=x", "/logs?module=x", "/logs?id=x"] {
        check(path, 400, "").await;
    }
}

#[tokio::test]
async fn modules_are_read_again_and_those_that_can_not_be_used_change_nothing() {
    let running = Running::start(Reach::default(), 9).await;
    std::fs::write(&running.file, "modules:\n  later: {prober: icmp}\n").unwrap();
    assert_eq!(running.reload().await, (200, String::new()));
    assert!(running.get("/config").await.1.contains("    later:\n"));
    std::fs::write(&running.file, "modules:\n  later: {prober: icmp, icmp: {ttl: 256}}\n").unwrap();
    let refusal = "failed to reload config: error parsing config file: \"ttl\" cannot exceed 255\n".to_owned();
    assert_eq!(running.reload().await, (500, refusal));
    assert!(running.get("/config").await.1.contains("    later:\n"));
    let (_, metrics) = running.get("/metrics").await;
    assert!(metrics.contains("\nblackbox_exporter_config_last_reload_successful 0\n"), "{metrics}");
    let (status, text) = running.get("/-/reload").await;
    assert_eq!((status, text.as_str()), (405, "This endpoint requires a POST request.\n"));
}

#[tokio::test]
async fn a_file_that_changes_is_read_again_by_itself() {
    let running = Running::start(Reach::default(), 9).await;
    std::fs::write(&running.file, "modules:\n  changed: {prober: icmp}\n").unwrap();
    let seen = async {
        while !running.get("/config").await.1.contains("    changed:\n") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap();
}

#[tokio::test]
async fn nothing_secret_is_ever_answered() {
    let (running, page) = (Running::start(Reach::default(), 9).await, page());
    let (_, debug) = running.get(&format!("/probe?debug=true&module=secretive&target=http://v:hunter2@{page}/")).await;
    assert!(debug.contains("probe_success 1") && debug.contains("Host: shop.example"), "{debug}");
    for path in ["/config", "/logs?id=0", "/", "/metrics"] {
        let (_, text) = running.get(path).await;
        assert!(!text.contains("hunter2"), "{path}: {text}");
    }
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[tokio::test]
async fn what_may_not_be_reached_is_not_connected_to() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let (address, stranger) = (trap.local_addr().unwrap(), Reach { scope: Scope::Stranger, ..Reach::default() });
    let running = Running::start(stranger.clone(), 9).await;
    for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let (status, text) = running.get(&format!("/probe?target=http://{host}:{}/", address.port())).await;
        assert!(status == 200 && text.contains("\nprobe_success 0\n"), "{host}: {text}");
    }
    assert!(trap.accept().is_err(), "somebody came");
    let allowed = Reach { allow: vec!["127.0.0.0/8".parse().unwrap()], ..stranger };
    let (_, text) = Running::start(allowed, 9).await.get(&format!("/probe?target={}", page())).await;
    assert!(text.contains("\nprobe_success 1\n"), "{text}");
}

/// A server that says this to whoever comes.
fn speaker(words: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| drop(stream.unwrap().write_all(words))));
    address
}

/// What Debian's peer (0.23) does not know yet, so that it is not compared.
#[tokio::test]
async fn what_is_newer_than_the_tested_peer_is_answered_as_0_28_does() {
    let running = Running::start(Reach::default(), 9).await;
    let socket = running.file.with_file_name("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| drop(stream.unwrap().write_all(b"ready\n"))));
    let modules = "modules:
  labels: {prober: tcp, tcp: {query_response: [{expect: '^SSH-([0-9.]+)-(.*)$', labels: [{name: version, value: '${1}'}, {name: software, value: 's-${2}'}]}]}}
  bytes: {prober: tcp, tcp: {query_response: [{expect_bytes: OpenSSH}]}}
  no_bytes: {prober: tcp, tcp: {query_response: [{expect_bytes: Dropbear}]}}
  socket: {prober: unix, unix: {query_response: [{expect: '^ready$'}]}}
  cel: {prober: http, http: {fail_if_body_json_not_matches_cel: 'body.ok == true'}}
";
    std::fs::write(&running.file, modules).unwrap();
    assert_eq!(running.reload().await.0, 200);
    let check = async |query: String, expected: &[&str]| {
        let (_, text) = running.get(&format!("/probe?{query}")).await;
        for line in expected {
            assert!(text.contains(&format!("\n{line}\n")), "{query}: no {line} in\n{text}");
        }
    };
    let ssh = speaker(b"SSH-2.0-OpenSSH_9\r\n");
    let info = "probe_expect_info{software=\"s-OpenSSH_9\",version=\"2.0\"} 1";
    check(format!("module=labels&target={ssh}"), &["probe_success 1", info]).await;
    check(format!("module=bytes&target={ssh}"), &["probe_success 1", "probe_failed_due_to_bytes 0"]).await;
    check(format!("module=no_bytes&target={ssh}"), &["probe_success 0", "probe_failed_due_to_bytes 1"]).await;
    let unix = format!("module=socket&target={}", socket.display());
    check(unix.clone(), &["probe_success 1", "probe_failed_due_to_regex 0"]).await;
    check(format!("module=cel&target={}", page()), &["probe_success 0", "probe_failed_due_to_cel 1"]).await;
    let stranger = Reach { scope: Scope::Stranger, ..Reach::default() };
    let stranger = Running::start(stranger, 9).await;
    std::fs::write(&stranger.file, modules).unwrap();
    assert_eq!(stranger.reload().await.0, 200);
    let (_, refused) = stranger.get(&format!("/probe?debug=true&{unix}")).await;
    assert!(refused.contains("\nprobe_success 0\n") && refused.contains("a socket of this machine"), "{refused}");
}
