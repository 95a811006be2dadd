//! A collector and an agent on loopback, with one service that is well and one that never answers.
//! Outages take two seconds here instead of five minutes; nothing else differs from an installation. A spool
//! commits once a second, so checks are not faster than that: between two commits nobody could say what is.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use agent::program::Surroundings;
use anyhow::{Context as _, Result};
use collector::serve::Collector;
use daemon::clock::Clock;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the agent shows the collector, and its SHA-256.
const TOKEN: &str = "prometheus test";
const TOKEN_SHA256: &str = "f935deace9383e2a013ac9296767f2ab8aec2c240cd778a53a26426fcd9bdd9b";

/// The programs while they run; they end when this is dropped.
pub(crate) struct Programs {
    pub(crate) collector: SocketAddr,
    pub(crate) agent: SocketAddr,
    _running: JoinSet<Result<()>>,
    _cancel: DropGuard,
    _directory: TempDir,
}

/// Starts both; returns as soon as their endpoints answer.
pub(crate) async fn start() -> Result<Programs> {
    let directory = tempfile::tempdir()?;
    let cancel = CancellationToken::new();
    let mut running = JoinSet::new();
    let page = TcpListener::bind(("127.0.0.1", 0)).await?;
    let target = page.local_addr()?;
    running.spawn(serve_page(page));

    let text = collector_yaml(directory.path(), target);
    let config = config::collector::parse(&text, "collector.yaml", directory.path())?.value;
    let collector = Collector::start(config, Clock::system()).await?;
    let (web, agents) = (collector.web_address(), collector.agents_address());
    let token = cancel.clone();
    running.spawn(async move { Ok(collector::web::serve(collector, None, token).await?) });

    fs::write(directory.path().join("token"), TOKEN)?;
    let text = agent_yaml(agents, target);
    let config = config::agent::parse(&text, "agent.yaml", directory.path())?.value;
    let (sender, started) = oneshot::channel();
    let clock = Clock::system();
    let surroundings = Surroundings { clock, config_file: None, blackbox: None, started: Some(sender) };
    let token = cancel.clone();
    running.spawn(async move { Ok(agent::program::run(config, surroundings, token).await?) });
    let agent = started.await?.listen.context("the agent listens nowhere")?;
    Ok(Programs { collector: web, agent, _running: running, _cancel: cancel.drop_guard(), _directory: directory })
}

/// Answers every request with a short page.
async fn serve_page(listener: TcpListener) -> Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await?;
        connections.spawn(async move {
            // A probe of the port alone says nothing and leaves: the first read then ends the connection.
            if stream.read(&mut [0; 4096]).await? > 0 {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await?;
            }
            Ok::<_, std::io::Error>(())
        });
        while connections.try_join_next().is_some() {}
    }
}

fn collector_yaml(directory: &Path, target: SocketAddr) -> String {
    format!(
        r#"
listen: {{ web: "127.0.0.1:0", agents: "127.0.0.1:0" }}
ledger: sqlite:{}/ledger.db
agents: [{{ agent: lab, token_sha256: {TOKEN_SHA256} }}]
policies:
  - policy: usual
    availability: {{ objective: 99.9, outage: {{ for: 2s }} }}
    latency: [{{ objective: page, mean: 3s }}]
  - policy: perfect
    availability: {{ objective: 100, outage: {{ for: 2s }} }}
agreements:
  - agreement: acme
    customer: Acme
    zone: UTC
    policy: usual
    services:
      - service: shop
        checks:
          - {{ check: login, http: "http://{target}/", every: 1s, timeout: 500ms, objective: page }}
          - {{ check: port, tcp: "{target}", every: 1s, timeout: 500ms }}
  - agreement: strict
    customer: Strict
    zone: UTC
    policy: perfect
    services:
      - service: broken
        checks:
          - {{ check: port, tcp: "127.0.0.1:1", every: 1s, timeout: 500ms }}
"#,
        directory.display()
    )
}

fn agent_yaml(collector: SocketAddr, reference: SocketAddr) -> String {
    format!(
        r#"
agent: lab
collector: "http://{collector}"
token_file: token
spool: {{ dir: spool, at_most: 16MiB }}
references: ["tcp:{reference}"]
listen: "127.0.0.1:0"
checks: from_collector
"#
    )
}
