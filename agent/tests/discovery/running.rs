//! An agent that runs until it is stopped, and what it shows.

use agent::program::{self, StartError, Started, Surroundings};
use daemon::clock::Clock;
use daemon::reload::FileWatch;
use daemon::shutdown::Hangup;
use reqwest::Client;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long something may take to be seen on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A directory with a configuration, which names a spool beside it.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As an editor does it: no reader ever sees half of it.
        fs::write(path.with_extension("new"), text).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    }

    /// Writes the configuration; `rest` is what follows the keys that every test has.
    pub(crate) fn configure(&self, rest: &str) {
        let spool = self.path("spool");
        self.write("agent.yaml", &format!("agent: a\nlisten: 127.0.0.1:0\nspool: {{ dir: {spool:?} }}\n{rest}"));
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_at(Clock::system()).await
    }

    pub(crate) async fn start_at(&self, clock: Clock) -> Running {
        let file = self.path("agent.yaml");
        let watch = FileWatch::new(&file, Hangup::never(), clock.clone());
        let loaded = config::agent::load(&file).unwrap_or_else(|error| panic!("{error}"));
        let (started, start) = oneshot::channel();
        let surroundings = Surroundings { clock, config_file: Some(watch), blackbox: None, started: Some(started) };
        let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(program::run(loaded.value, surroundings, cancel.clone()));
        let Started { listen, .. } = start.await.expect("the agent starts");
        // No authorities: there is no TLS, and reading them takes longer than asking.
        let client = Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
        Running { listen: listen.unwrap(), client, cancel, tasks }
    }
}

pub(crate) struct Running {
    listen: SocketAddr,
    client: Client,
    cancel: CancellationToken,
    tasks: JoinSet<Result<(), StartError>>,
}

impl Running {
    pub(crate) async fn ask(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("http://{}{path}", self.listen)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The value of the series `name`, if the page has it.
    pub(crate) async fn value(&self, name: &str) -> Option<f64> {
        let (_, page) = self.ask("/metrics").await;
        page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until the series `name` shows `value`.
    pub(crate) async fn shows(&self, name: &str, value: f64) {
        let until = async {
            while self.value(name).await != Some(value) {
                tokio::task::yield_now().await;
            }
        };
        if timeout(PATIENCE, until).await.is_err() {
            panic!("{name} is {:?}, not {value}", self.value(name).await);
        }
    }

    /// The checks that stand, by name.
    pub(crate) async fn checks(&self) -> BTreeSet<String> {
        let (_, page) = self.ask("/metrics").await;
        let of = |line: &str| {
            let labels = line.strip_prefix("nines_probe_results_total{")?.strip_suffix(|c: char| c.is_ascii_digit());
            let (_, rest) = labels?.split_once("check=\"")?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        page.lines().filter_map(of).collect()
    }

    /// Waits until exactly `names` stand.
    pub(crate) async fn stands(&self, names: &[&str]) {
        let expected: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let until = async {
            while self.checks().await != expected {
                tokio::task::yield_now().await;
            }
        };
        if timeout(PATIENCE, until).await.is_err() {
            panic!("{:?} stand, not {expected:?}", self.checks().await);
        }
    }

    pub(crate) async fn is_ready(&self) {
        while self.ask("/readyz").await.0 != 200 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stop(mut self) {
        self.cancel.cancel();
        self.tasks.join_next().await.unwrap().unwrap().unwrap();
    }
}

/// A test that fails leaves no agent behind.
impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// A port that accepts connections until it is dropped.
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    _accepting: JoinSet<()>,
}

pub(crate) async fn port() -> Port {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut accepting = JoinSet::new();
    accepting.spawn(async move { while listener.accept().await.is_ok() {} });
    Port { address, _accepting: accepting }
}
