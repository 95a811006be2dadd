//! What the two parts are told, made from what was typed.
//!
//! The collector's part is written as the configuration file that it would stand in, and read like
//! any other, so targets are checked where all targets are.

use config::agent::{AgentConfig, Checks, Programs, Reports, Spool, Uplink, UplinkTls};
use config::collector::CollectorConfig;
use config::reading::{ConfigError, Loaded};
use config::scalar::duration_text;
use config::secret::Secret;
use rules::id::{NAME_BYTES_MAX, ServiceId};
use rules::reach::Reach;
use rules::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The agent's name: there is only one.
const AGENT: &str = "local";
/// The agreement that all targets stand in.
const AGREEMENT: &str = "local";
/// Room for a number behind a name that is taken.
const NAME_BYTES: usize = NAME_BYTES_MAX - 8;

/// What was typed.
pub(super) struct Setup {
    pub(super) targets: Vec<String>,
    pub(super) data: PathBuf,
    pub(super) every: Duration,
    pub(super) listen: SocketAddr,
    /// Both parts are one process: the token keeps other processes out.
    pub(super) token: String,
    /// From when a service is promised that an earlier start already promised.
    pub(super) promised: BTreeMap<String, Timestamp>,
    /// From when the others are.
    pub(super) now: Timestamp,
}

/// From when the services of the configuration in `file` are promised; a file that is not there or
/// not ours promises nothing.
pub(super) fn promised(file: &Path) -> BTreeMap<String, Timestamp> {
    let Ok(before) = config::collector::load(file) else { return BTreeMap::new() };
    let services = before.value.agreements.iter().flat_map(|agreement| &agreement.services);
    services.filter_map(|service| Some((service.id.to_string(), service.from?))).collect()
}

impl Setup {
    /// The collector's part, its console being at `console`.
    pub(super) fn collector(&self, console: SocketAddr) -> Result<Loaded<CollectorConfig>, ConfigError> {
        config::collector::parse(&self.document(console), "nines up", &self.data)
    }

    /// The collector's part as the file that every collector's command reads.
    pub(super) fn document(&self, console: SocketAddr) -> String {
        // JSON is YAML, and quotes whatever was typed.
        let document = json!({
            "listen": { "web": self.listen.to_string(), "agents": "127.0.0.1:0" },
            "ledger": "sqlite:ledger.db",
            "agents": [{ "agent": AGENT, "token_sha256": hex(&Sha256::digest(&self.token)) }],
            "policies": [{
                "policy": "five-minutes",
                "availability": { "objective": "99.9", "outage": { "for": "5m" } },
            }],
            "agreements": [{
                "agreement": AGREEMENT,
                "customer": "nines up",
                "zone": "UTC",
                "policy": "five-minutes",
                "services": self.services(console),
            }],
        });
        serde_json::to_string_pretty(&document).expect("a JSON value is always text")
    }

    /// The agent's part, its collector taking results in at `collector`.
    pub(super) fn agent(&self, collector: SocketAddr) -> AgentConfig {
        AgentConfig {
            agent: AGENT.parse().expect("it is a name"),
            collector: Some(Uplink {
                url: format!("http://{collector}"),
                token: Some(Secret::new(self.token.as_str())),
                tls: UplinkTls::default(),
            }),
            spool: Spool { dir: self.data.join("spool"), bytes_max: config::agent::SPOOL_BYTES_DEFAULT },
            references: Vec::new(),
            reach: Reach::default(),
            listen: None,
            programs: Programs::default(),
            reports: Reports::default(),
            checks: Checks { from_collector: true, list: Vec::new() },
            discovery: Vec::new(),
        }
    }

    fn services(&self, console: SocketAddr) -> Vec<Value> {
        let own_page = [format!("http://{console}/")];
        let targets = if self.targets.is_empty() { &own_page[..] } else { &self.targets[..] };
        let mut taken = BTreeSet::new();
        let service = |target: &String| {
            let (kind, address) = match target.strip_prefix("tcp:") {
                Some(address) => ("tcp", address),
                None => ("http", target.as_str()),
            };
            let every = duration_text(self.every);
            let name = name(target, &mut taken);
            let from = self.promised.get(&name).unwrap_or(&self.now).to_string();
            json!({ "service": name, "from": from, "checks": [{ "check": kind, kind: address, "every": every }] })
        };
        targets.iter().map(service).collect()
    }
}

/// A service's name after its target: the address without its scheme, unlike any other.
fn name(target: &str, taken: &mut BTreeSet<String>) -> String {
    let scheme_end = target.find("://").map_or(0, |at| at + "://".len());
    let address = target.get(scheme_end..).unwrap_or_default().trim_start_matches("tcp:");
    let parts = address.split('/').map(|part| part.trim_matches('-')).filter(|part| !part.is_empty());
    let plain = parts.collect::<Vec<_>>().join("-");
    let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= NAME_BYTES;
    let mut name: String = plain.char_indices().take_while(fits).map(|(_, c)| c).collect();
    if name.parse::<ServiceId>().is_err() {
        name = "target".to_owned();
    }
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.expect("some number is free");
    taken.insert(free.clone());
    free
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(targets: &[&str]) -> Setup {
        Setup {
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            data: PathBuf::from("data"),
            every: Duration::from_secs(10),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: "secret".to_owned(),
            promised: BTreeMap::new(),
            now: Timestamp::from_millis(1_000),
        }
    }

    fn services(targets: &[&str]) -> Result<Vec<String>, String> {
        let console = SocketAddr::from(([127, 0, 0, 1], 9600));
        let loaded = setup(targets).collector(console).map_err(|error| error.to_string())?;
        assert_eq!(loaded.warnings.len(), 0, "{:?}", loaded.warnings);
        let services = &loaded.value.agreements[0].services;
        Ok(services.iter().map(|service| format!("{} {}", service.id, service.checks[0].target.address())).collect())
    }

    #[test]
    fn each_target_is_a_service_with_a_name_of_its_own() {
        let made = services(&["https://a.example/login/", "tcp:db.example:5432", "http://a.example//-/login"]);
        let expected = [
            "a.example-login https://a.example/login/",
            "db.example:5432 db.example:5432",
            "a.example-login-2 http://a.example//-/login",
        ];
        assert_eq!(made.unwrap(), expected);
    }

    #[test]
    fn a_restart_keeps_from_when_a_service_was_promised() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("collector.yaml");
        let console = SocketAddr::from(([127, 0, 0, 1], 9600));
        std::fs::write(&file, setup(&["tcp:a.example:1"]).document(console)).unwrap();
        let later = Setup {
            promised: promised(&file),
            now: Timestamp::from_millis(9_000),
            ..setup(&["tcp:a.example:1", "tcp:b.example:2"])
        };
        let loaded = later.collector(console).unwrap();
        let from = loaded.value.agreements[0].services.iter().map(|service| service.from.unwrap().as_millis());
        assert_eq!(from.collect::<Vec<_>>(), [1_000, 9_000]);
    }

    #[test]
    fn without_a_target_the_console_is_one() {
        assert_eq!(services(&[]).unwrap(), ["127.0.0.1:9600 http://127.0.0.1:9600/"]);
    }

    #[test]
    fn what_is_no_target_is_refused_with_what_would_be_right() {
        let refusal = services(&["htps://a.example"]).unwrap_err();
        assert!(refusal.contains("htps"), "{refusal}");
    }
}
