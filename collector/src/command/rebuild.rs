//! `rebuild`: everything derived, made anew from the blocks.

use super::{Failure, configuration, ledger};
use crate::archive::deepened;
use crate::rebuild::rebuild;
use std::path::PathBuf;

/// Make everything derived anew from the blocks, and tell what differed
///
/// Exit code 1 if anything differed: blocks are the truth, so something derived was wrong. It has
/// been put right.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nines-collector rebuild --config collector.yaml")]
pub struct Rebuild {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Read the blocks that left the ledger from this store (a directory, s3://…) instead of the one
    /// that the configuration names
    #[arg(long, value_name = "STORE")]
    evidence: Option<String>,
}

impl Rebuild {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let store = self.evidence.as_deref().map(ledger::store_url);
        let (ledger, archive) = ledger::open_both(&config, store).await?;
        let ledger = deepened(ledger, archive.as_ref());
        let rebuilt = rebuild(&*ledger).await.map_err(|error| Failure::run("rebuild the ledger", error))?;
        let mut differences = 0;
        for agent in &rebuilt {
            eprintln!("{}: {} blocks folded, {} differences", agent.agent, agent.blocks, agent.differences);
            for described in &agent.described {
                eprintln!("  {described}");
            }
            differences += agent.differences;
        }
        match differences {
            0 => Ok(()),
            _ => Err(Failure::No(format!("{differences} derived entries differed from the blocks and were put right"))),
        }
    }
}
