//! What answers `/probe`: Debian's `prometheus-blackbox-exporter`, and an agent in its place, asked as Prometheus would.

use super::machine;
use daemon::clock::Clock;
use reqwest::Client;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tests::patience::eventually;
use tokio::task::JoinSet;

/// How often a handful of probes is asked for, and how many: 400 a second, as the agent does.
const ASK_EVERY: Duration = Duration::from_millis(10);
const ASKED_AT_ONCE: usize = 4;

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// Debian's blackbox_exporter.
    Peer,
    /// An agent that reads the same file.
    Agent,
}

/// A program that answers `/probe`.
#[derive(Debug)]
pub(crate) struct Blackbox {
    child: Child,
    client: Client,
    address: SocketAddr,
    _dir: TempDir,
}

impl Blackbox {
    /// Starts it; nothing if it is not installed. It believes certificates of this authority.
    pub(crate) async fn start(who: Who, authority: &Path) -> Option<Blackbox> {
        let (dir, address) = (TempDir::new().unwrap(), free_address());
        let config = dir.path().join("blackbox.yml");
        let text = format!(
            "modules:
  http: {{ prober: http, timeout: 10s, http: {{ preferred_ip_protocol: ip4 }} }}
  https:
    prober: http
    timeout: 10s
    http: {{ preferred_ip_protocol: ip4, tls_config: {{ ca_file: '{}' }} }}
  tcp: {{ prober: tcp, timeout: 10s, tcp: {{ preferred_ip_protocol: ip4 }} }}
",
            authority.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = match who {
            Who::Peer => {
                let mut command = Command::new("prometheus-blackbox-exporter");
                command.arg(format!("--config.file={}", config.display()));
                command.arg(format!("--web.listen-address={address}"));
                command
            }
            Who::Agent => {
                let mut command = tests::program::command(&["agent".as_ref(), "run".as_ref()]);
                command.arg("--blackbox-config").arg(&config).arg("--listen").arg(address.to_string());
                command
            }
        };
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let client = Client::builder().no_proxy().build().unwrap();
        let blackbox = Blackbox { child, client, address, _dir: dir };
        eventually("`/probe` answers", async || {
            let asked = blackbox.client.get(format!("http://{address}/-/healthy")).send().await;
            asked.map(drop).map_err(|error| error.to_string())
        })
        .await;
        Some(blackbox)
    }

    /// Its memory while it does nothing.
    pub(crate) fn resident_mb(&self) -> f64 {
        machine::resident_mb(self.child.id())
    }

    /// Its CPU time for one probe of `target` by `module`, in microseconds, over about `length`.
    pub(crate) async fn micros_a_probe(&self, module: &str, target: &str, length: Duration) -> f64 {
        let url = format!("http://{}/probe?module={module}&target={target}", self.address);
        let (clock, cpu) = (Clock::system(), machine::cpu(self.child.id()));
        let (mut asked, mut count) = (JoinSet::new(), 0);
        let until = clock.boot() + length;
        while clock.boot() < until {
            for _ in 0..ASKED_AT_ONCE {
                let request = self.client.get(&url);
                asked.spawn(async move { request.send().await.unwrap().text().await.unwrap() });
            }
            clock.sleep(ASK_EVERY).await;
            while let Some(page) = asked.try_join_next() {
                count += 1;
                assert!(page.unwrap().contains("\nprobe_success 1"), "{target} is not seen");
            }
        }
        count += asked.join_all().await.len();
        machine::micros_each(machine::cpu(self.child.id()).saturating_sub(cpu), count as f64)
    }
}

impl Drop for Blackbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that is free now: peers do not say which port they took.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
