//! `evidence erase`: an agreement's evidence, gone for good.

use super::belongings;
use crate::archive::erasure::Means;
use crate::archive::{Promised, deepened};
use crate::command::{Failure, configuration, ledger};
use daemon::clock::Clock;
use rules::record::Ground;
use std::path::PathBuf;
use std::sync::Arc;

/// Erase an agreement's evidence for good
///
/// Its files are deleted, its results leave the ledger with the blocks that hold them (other
/// agreements' are sealed first and read from the archive from then on), and what was derived from
/// them goes too. Issued statements and the record stay as accounts. A collector that runs need not
/// be stopped; results that come in afterwards are kept again, so end the agreement first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nines-collector evidence erase --config collector.yaml --agreement acme-apm --yes")]
pub(super) struct Erase {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Whose evidence
    #[arg(long)]
    agreement: String,
    /// It can't be undone, and you mean it
    #[arg(long)]
    yes: bool,
}

impl Erase {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let own = belongings(&config, &self.agreement)?;
        let (ledger, archive) = ledger::open_both(&config, None).await?;
        let Some(archive) = archive else {
            return Err(Failure::NotThere(
                "erasing needs an archive, because blocks hold many agreements' results; add `evidence:` to the configuration".into(),
            ));
        };
        if !self.yes {
            let name = &self.agreement;
            return Err(Failure::No(format!("the evidence of `{name}` can't be brought back; say --yes to erase it")));
        }
        let (clock, deep) = (Clock::system(), deepened(ledger, Some(&archive)));
        let record = ledger::record(Arc::clone(&deep), &clock).await?;
        let promised = Promised::by(&config.agreements);
        let means = Means { ledger: &deep, promised: &promised, record: &record, ground: Ground::Erasure };
        let erased = archive.erase(&own, &means, clock.wall()).await;
        let erased = erased.map_err(|error| Failure::run("erase evidence", error))?;
        eprintln!(
            "{} series, {} files with {} results and {} blocks of the ledger erased or moved",
            erased.series, erased.files, erased.results, erased.blocks
        );
        Ok(())
    }
}
