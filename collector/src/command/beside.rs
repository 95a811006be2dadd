//! The records, opened beside a collector that may be running: for commands that add to them.

use super::{Failure, agreement_id, configuration, ledger};
use crate::record::Record;
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use rules::agreement::Agreement;
use std::path::PathBuf;

/// Whose record.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The agreement; needed if there are several
    #[arg(long)]
    agreement: Option<String>,
}

/// What a command works with.
pub(crate) struct Beside {
    pub(crate) config: CollectorConfig,
    pub(crate) record: Record,
    pub(crate) clock: Clock,
    named: Option<String>,
}

impl Beside {
    /// Opens the ledger of `place` and reads its records.
    pub(crate) async fn of(place: Place) -> Result<Beside, Failure> {
        let config = configuration(&place.config)?;
        let clock = Clock::system();
        let record = Record::load(ledger::open(&config).await?, clock.clone()).await;
        let record = record.map_err(|error| Failure::run("read the records", error))?;
        Ok(Beside { config, record, clock, named: place.agreement })
    }

    /// The version in force of the agreement that was named, or of the only one.
    pub(crate) fn agreement(&self) -> Result<&Agreement, Failure> {
        let named = agreement_id(&self.config, self.named.as_deref())?;
        let mut in_force = self.config.in_force(self.clock.wall());
        let version = in_force.find(|version| version.id == *named);
        version.ok_or_else(|| Failure::NotThere(format!("no version of `{named}` is in force now")))
    }
}
