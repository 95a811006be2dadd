//! A collector or two, agents, and the way between them, from configurations of which a test says only what it is about.
//!
//! Times are scaled: a test's policy says `for: 4s` where an agreement says five minutes. All agents reach all collectors
//! through one link, so that collectors may die, move and multiply behind it.

mod account;

use crate::console::Console;
use crate::link::Link;
use crate::patience::eventually;
use crate::program::{Program, address};
use crate::{exposition, postgres};
use daemon::clock::Clock;
use rules::block::Block;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The only agreement of a test's world.
pub const AGREEMENT: &str = "acme";

/// Where the ledger lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Store {
    /// In a file.
    Sqlite,
    /// On a server.
    Postgres,
}

/// What a world is made of.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Who may send.
    pub agents: &'a [&'a str],
    /// The outage rule, as YAML.
    pub outage: &'a str,
    /// The services, as items of a YAML list.
    pub services: &'a str,
}

/// A collector that was started.
#[derive(Debug)]
pub struct Collector {
    /// The process.
    pub program: Program,
    /// Its web side.
    pub console: Console,
    /// Where it takes in results.
    pub agents: SocketAddr,
}

/// An agent that was started.
#[derive(Debug)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// The process.
    pub program: Program,
    config: PathBuf,
    dir: PathBuf,
}

/// Everything that runs in one test.
#[derive(Debug)]
pub struct World {
    /// The collectors, all on one ledger.
    pub collectors: Vec<Collector>,
    /// The agents.
    pub agents: Vec<Agent>,
    /// The way from agents to collectors.
    pub link: Link,
    ledger: String,
    /// What was in spools that are no more, by agent.
    wiped: BTreeMap<String, Vec<Block>>,
    dir: TempDir,
}

/// An agent's token.
pub fn token(agent: &str) -> String {
    format!("the token of {agent}")
}

impl World {
    /// A world with one collector that is ready, and no agent yet.
    pub async fn new(store: Store, plan: &Plan<'_>) -> World {
        let mut world = World::dormant(store, plan).await;
        world.start_collector().await;
        world
    }

    /// A world in which nothing runs yet.
    pub async fn dormant(store: Store, plan: &Plan<'_>) -> World {
        let dir = TempDir::new().unwrap();
        let ledger = match store {
            Store::Sqlite => format!("sqlite:{}", dir.path().join("ledger.db").display()),
            Store::Postgres => postgres::database().await,
        };
        let link = Link::start(Vec::new(), 1);
        let world = World { collectors: Vec::new(), agents: Vec::new(), link, ledger, wiped: BTreeMap::new(), dir };
        world.configure(plan);
        world
    }

    /// Writes the collectors' configuration; those that run read it again.
    pub fn configure(&self, plan: &Plan<'_>) {
        let agents = plan.agents.iter().fold(String::new(), |mut list, agent| {
            let hash = Sha256::digest(token(agent)).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let _ = write!(list, "\n  - {{ agent: {agent}, token_sha256: {hash} }}");
            list
        });
        let agents = if plan.agents.is_empty() { " []".to_owned() } else { agents };
        let text = format!(
            "listen: {{ web: '127.0.0.1:0', agents: '127.0.0.1:0' }}
ledger: '{ledger}'
agents:{agents}
policies:
  - {{ policy: scaled, availability: {{ objective: 99.9, outage: {outage} }} }}
agreements:
  - agreement: {AGREEMENT}
    zone: UTC
    policy: scaled
    services:
{services}
",
            ledger = self.ledger,
            outage = plan.outage,
            services = plan.services.trim_matches('\n'),
        );
        replace(&self.collector_config(), &text);
    }

    /// The collectors' configuration.
    pub fn collector_config(&self) -> PathBuf {
        self.dir.path().join("collector.yaml")
    }

    /// A place for a file of the test's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts one more collector and leads the link to all of them.
    pub async fn start_collector(&mut self) -> usize {
        let collector = self.collector().await;
        self.collectors.push(collector);
        self.lead();
        self.collectors.len() - 1
    }

    /// Kills a collector and starts another in its place.
    pub async fn replace_collector(&mut self, index: usize) {
        self.collectors[index].program.kill();
        self.collectors[index] = self.collector().await;
        self.lead();
    }

    /// Kills a collector for good.
    pub fn kill_collector(&mut self, index: usize) {
        self.collectors[index].program.kill();
        self.collectors.remove(index);
        self.lead();
    }

    /// Ends every connection to the database, as a failing server does.
    pub async fn drop_database_connections(&self) {
        postgres::drop_connections(&self.ledger).await;
    }

    /// The first collector's web side.
    pub fn console(&self) -> &Console {
        &self.collectors[0].console
    }

    /// Starts an agent. `more` are lines of its configuration, such as its checks; without any it does what the collector
    /// says.
    pub fn start_agent(&mut self, name: &str, more: &str) -> usize {
        let (config, dir) = (self.file(&format!("{name}.yaml")), self.file(&format!("spool of {name}")));
        let text = format!(
            "agent: {name}
collector: 'http://{link}'
token_file: '{token_file}'
spool: {{ dir: '{dir}' }}
listen: '127.0.0.1:0'
{more}
",
            link = self.link.address(),
            token_file = self.token_file(name).display(),
            dir = dir.display(),
        );
        replace(&config, &text);
        let program = start_agent(name, &config);
        self.agents.push(Agent { name: name.to_owned(), program, config, dir });
        self.agents.len() - 1
    }

    /// The month that it is, in the agreement's zone.
    pub fn period(&self) -> String {
        Clock::system().wall().to_string()[..7].to_owned()
    }

    fn token_file(&self, agent: &str) -> PathBuf {
        let path = self.file(&format!("token of {agent}"));
        std::fs::write(&path, token(agent)).unwrap();
        path
    }

    async fn collector(&self) -> Collector {
        let config = self.collector_config();
        let arguments: [&OsStr; 4] = ["collector".as_ref(), "serve".as_ref(), "--config".as_ref(), config.as_ref()];
        let mut program = Program::start("the collector", &arguments);
        let ready = program.logged("Collector is ready").await;
        Collector { program, console: Console::at(address(&ready, "web")), agents: address(&ready, "agents") }
    }

    /// Connections that lead to who is no more are ended, as their death did already.
    fn lead(&self) {
        self.link.lead_to(self.collectors.iter().map(|collector| collector.agents).collect());
    }
}

impl Agent {
    /// Kills it and starts it again on the same spool.
    pub fn restart(&mut self) {
        self.program.kill();
        self.program = start_agent(&self.name, &self.config);
    }

    /// Where its spool is.
    pub fn spool(&self) -> &Path {
        &self.dir
    }

    /// Replaces its configuration by `edit` of it; it reads it again.
    pub fn reconfigure(&self, edit: impl FnOnce(String) -> String) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        replace(&self.config, &edit(text));
    }

    /// Its page of metrics.
    pub async fn metrics(&mut self) -> String {
        let started = self.program.logged("Agent started").await;
        Console::at(address(&started, "listen")).page("/metrics").await
    }

    /// Waits until a metric of it has this value.
    pub async fn has(&mut self, series: &str, value: f64) {
        let started = self.program.logged("Agent started").await;
        let console = Console::at(address(&started, "listen"));
        eventually(&format!("{} has {series} {value}", self.name), async || {
            let (_, page) = console.ask("/metrics").await?;
            match exposition::sample(&page, series) {
                Some(found) if found.to_bits() == value.to_bits() => Ok(()),
                found => Err(format!("{series} is {found:?}")),
            }
        })
        .await;
    }
}

fn start_agent(name: &str, config: &Path) -> Program {
    let arguments: [&OsStr; 4] = ["agent".as_ref(), "run".as_ref(), "--config".as_ref(), config.as_ref()];
    Program::start(name, &arguments)
}

/// Replaces a file whole, so that no program reads half of it.
fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(fresh, path).unwrap();
}
