//! Debian's blackbox_exporter and our agent in its place, on the same modules.

use reqwest::{Client, Method};
use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tests::patience::eventually;
use tests::program::{Program, address};

/// The peer as Debian packages it; `tests/run` installs it.
pub(crate) const PEER: &str = "/usr/bin/prometheus-blackbox-exporter";
/// What a probe may take at most, and then some.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Both, asked alike.
pub(crate) struct Peers {
    client: Client,
    ours: SocketAddr,
    theirs: SocketAddr,
    child: Child,
    _program: Program,
}

/// What one of them answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Peers {
    /// Starts both on the modules of `file`.
    pub(crate) async fn start(file: &Path) -> Peers {
        let theirs = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let child = Command::new(PEER)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--web.listen-address={theirs}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus-blackbox-exporter is Debian's; tests/run installs it");
        let arguments = ["agent", "run", "--blackbox-config"].map(OsStr::new);
        let listen = ["--listen", "127.0.0.1:0"].map(OsStr::new);
        let mut program = Program::start("agent", &[&arguments[..], &[file.as_os_str()], &listen[..]].concat());
        let ours = address(&program.logged("Agent started in blackbox_exporter's place").await, "listen");
        let client = Client::builder().no_proxy().timeout(ANSWER_TIME).build().unwrap();
        let peers = Peers { client, ours, theirs, child, _program: program };
        eventually("blackbox_exporter answers", async || {
            let asked = peers.client.get(format!("http://{theirs}/-/healthy")).send().await;
            asked.map(drop).map_err(|error| error.to_string())
        })
        .await;
        peers
    }

    /// What both answer to a request for `path`, with this header if there is one.
    pub(crate) async fn ask(&self, method: &str, path: &str, header: Option<(&str, &str)>) -> [Answer; 2] {
        let one = async |address: SocketAddr| {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = self.client.request(method, format!("http://{address}{path}"));
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let answer = request.send().await.unwrap();
            Answer { status: answer.status().as_u16(), text: answer.text().await.unwrap() }
        };
        let (ours, theirs) = tokio::join!(one(self.ours), one(self.theirs));
        [ours, theirs]
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the peer says of a file that it does not take; nothing if it takes it.
pub(crate) fn refusal(file: &Path) -> Option<String> {
    let flag = format!("--config.file={}", file.display());
    let output = Command::new(PEER).args([&flag, "--config.check", "--log.format=json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find(|line| line.contains("\"err\""))?;
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    Some(line["err"].as_str().unwrap().to_owned())
}
