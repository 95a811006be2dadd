//! `import`: history from elsewhere, into the ledger.

mod prometheus;

use super::{Failure, configuration, ledger};
use crate::import::{import_lines, paces};
use daemon::clock::Clock;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// Take history from elsewhere into the ledger
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// Results from a file, one JSON object a line; results that are there already change nothing
    #[command(after_help = "Example:\n  nines-collector import ndjson results.ndjson --config collector.yaml")]
    Ndjson {
        /// The results
        file: PathBuf,
        /// The collector's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    Prometheus(Box<prometheus::Prometheus>),
}

impl Import {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (file, config) = match self.from {
            From::Ndjson { file, config } => (file, config),
            From::Prometheus(command) => return command.run().await,
        };
        let config = configuration(&config)?;
        let name = file.display().to_string();
        let opened = File::open(&file).map_err(|error| Failure::run(format!("open {name}"), error))?;
        let into = ledger::open(&config).await?;
        let paces = paces(&config.agreements);
        let imported = import_lines(into, Clock::system(), &name, BufReader::new(opened), paces).await;
        let imported = imported.map_err(|error| Failure::run(format!("import {name}"), error))?;
        let (lines, results, blocks) = (imported.lines, imported.results, imported.blocks);
        eprintln!("{name}: {lines} lines read, {results} new results in {blocks} blocks");
        Ok(())
    }
}
