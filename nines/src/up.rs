//! `nines up`: a collector and an agent in one process, from nothing but targets.
//!
//! Both are the programs that run apart elsewhere, joined over loopback: the same spool, the same
//! delivery, the same ledger. It adds nothing to what they do and decides nothing.

mod setup;
mod told;

use agent::program::{StartError, Surroundings};
use clap::Args;
use collector::serve::{Collector, ServeError};
use config::collector::WEB_DEFAULT;
use config::reading::ConfigError;
use daemon::clock::Clock;
use daemon::logging::{self, LogFormat, LoggingError};
use daemon::shutdown::{Shutdown, SignalsUnavailable};
use setup::Setup;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What is logged unless `NINES_LOG` says more: what happens to targets is told on stdout.
const LOG_DEFAULT: &str = "warn";

/// The collector's configuration within the data directory, for its other commands.
const CONFIG_FILE: &str = "collector.yaml";

/// The status of targets that can't be probed, as of any wrong configuration.
const EXIT_CONFIG: u8 = 78;

/// What to probe, how often, and where to keep it.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  nines up https://shop.example/login tcp:db.example:5432 --every 10s")]
pub struct UpArgs {
    /// What to probe: URLs, or tcp:host:port; none: the console's own page
    targets: Vec<String>,
    /// Where the ledger and the spool are kept
    #[arg(long, default_value = "nines-data", value_name = "DIR")]
    data: PathBuf,
    /// How often each target is probed
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = config::scalar::parse_duration)]
    every: Duration,
    /// Where the console, the API and /metrics are; port 0: any free one
    #[arg(long, default_value = "127.0.0.1:9600", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// Why `nines up` can't start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// Logging can't begin.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// Signals can't be heard.
    #[error(transparent)]
    Signals(#[from] SignalsUnavailable),
    /// The data directory can't be made or written to.
    #[error("failed to write to the data directory {}; name another with --data", dir.display())]
    Data {
        /// Which.
        dir: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The collector's part.
    #[error(transparent)]
    Collector(#[from] ServeError),
    /// The agent's part.
    #[error(transparent)]
    Agent(#[from] StartError),
}

/// Runs until it is told to stop; whatever goes wrong is told on stderr.
pub async fn run(args: UpArgs) -> ExitCode {
    match start(args).await {
        Ok(status) => status,
        Err(error) => {
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            let told: Vec<String> = causes.map(ToString::to_string).collect();
            eprintln!("nines up: {}", told.join(": "));
            if let UpError::Collector(ServeError::Bind(_)) = error {
                eprintln!("name another address with --listen, such as --listen 127.0.0.1:9700");
            }
            ExitCode::FAILURE
        }
    }
}

async fn start(args: UpArgs) -> Result<ExitCode, UpError> {
    logging::start_at(LogFormat::Human, LOG_DEFAULT)?;
    let UpArgs { targets, data, every, listen } = args;
    let clock = Clock::system();
    let setup = Setup {
        targets,
        every,
        listen,
        token: format!("{:032x}", rand::random::<u128>()),
        promised: setup::promised(&data.join(CONFIG_FILE)),
        now: clock.wall(),
        data,
    };
    // Port 0 becomes a real one when it is bound; until then the console's page is only assumed.
    let assumed = if listen.port() == 0 { WEB_DEFAULT } else { listen };
    let config = match setup.collector(assumed) {
        Ok(loaded) => loaded,
        Err(error) => return Ok(refused(&error)),
    };
    for warning in &config.warnings {
        tracing::warn!(%warning, "Targets are probed, but");
    }
    let unusable = |source| UpError::Data { dir: setup.data.clone(), source };
    std::fs::create_dir_all(&setup.data).map_err(unusable)?;
    let shutdown = Shutdown::listen()?;
    let collector = Collector::start(config.value, clock.clone()).await?;
    let console = collector.web_address();
    if let Ok(with_port) = setup.collector(console) {
        collector.configure().send_replace(Arc::new(with_port.value));
    }
    let file = setup.data.join(CONFIG_FILE);
    std::fs::write(&file, setup.document(console)).map_err(unusable)?;
    println!("Console   http://{console}\nMetrics   http://{console}/metrics\nConfig    {}", file.display());
    println!("Statement nines collector statement --config {} --period YYYY-MM", file.display());
    let agent = setup.agent(collector.agents_address());
    together(collector, agent, clock, shutdown.token()).await
}

/// Runs both until `stop`: then the agent ends first, so that what it still has is taken in.
async fn together(
    collector: Collector,
    agent: config::agent::AgentConfig,
    clock: Clock,
    stop: CancellationToken,
) -> Result<ExitCode, UpError> {
    let (outages, collector_end) = (collector.facts().outages, CancellationToken::new());
    let surroundings = Surroundings { clock, config_file: None, blackbox: None, started: None };
    let (mut collecting, mut probing, mut telling) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    telling.spawn(told::tell(outages, collector_end.clone()));
    let end = collector_end.clone();
    collecting.spawn(async move { collector::web::serve(collector, None, end).await });
    let end = stop.clone();
    probing.spawn(async move { agent::program::run(agent, surroundings, end).await });

    let mut collected = None;
    let probed = tokio::select! {
        ended = probing.join_next() => ended,
        ended = collecting.join_next() => {
            collected = ended;
            stop.cancel();
            probing.join_next().await
        }
    };
    collector_end.cancel();
    let collected = match collected {
        Some(ended) => Some(ended),
        None => collecting.join_next().await,
    };
    telling.join_all().await;
    probed.transpose().map_err(ServeError::Ended)?.transpose()?;
    collected.transpose().map_err(ServeError::Ended)?.transpose()?;
    Ok(ExitCode::SUCCESS)
}

fn refused(error: &ConfigError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(EXIT_CONFIG)
}
