//! `serve`: the daemon.

use super::{Failure, configuration_with_doubts};
use crate::serve::Collector;
use crate::web;
use daemon::clock::Clock;
use daemon::logging::{self, LogFormat};
use daemon::reload::FileWatch;
use daemon::shutdown::Shutdown;
use std::path::PathBuf;

/// Run the collector until SIGTERM or SIGINT
///
/// The configuration is read again on SIGHUP and when its file changes; a bad one leaves the old in
/// force.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nines-collector serve --config collector.yaml")]
pub struct Serve {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Log as JSON, one object a line
    #[arg(long)]
    log_json: bool,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let format = if self.log_json { LogFormat::Json } else { LogFormat::Human };
        logging::start(format).map_err(|error| Failure::run("start", error))?;
        let shutdown = Shutdown::listen().map_err(|error| Failure::run("start", error))?;
        let clock = Clock::system();
        let watch = FileWatch::new(&self.config, shutdown.hangup(), clock.clone());
        let config = configuration_with_doubts(&self.config)?;
        let started = Collector::start(config, clock).await;
        let collector = started.map_err(|error| Failure::run("start the collector", error))?;
        let ended = web::serve(collector, Some(watch), shutdown.token()).await;
        ended.map_err(|error| Failure::run("run the collector", error))
    }
}
