//! `replay`: a statement from results in a file, without a ledger.

use super::output::Output;
use super::{Failure, agreement, configuration, source};
use crate::closing::{self, terms::Terms};
use rules::period::Month;
use rules::time::Timestamp;
use std::path::PathBuf;

/// Draw up a statement from results in a file, without a ledger
///
/// For audits, disputes and "what if the policy were …": the same results under another
/// configuration give another statement, and nothing is stored.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector replay --config collector.yaml --results results.ndjson --period 2026-10 --format text"
)]
pub struct Replay {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The results, one JSON object a line
    #[arg(long, value_name = "FILE")]
    results: PathBuf,
    /// The month, such as 2026-10
    #[arg(long)]
    period: Month,
    /// Hear evidence up to this instant only (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Timestamp>,
    /// The agreement; needed if there are several
    #[arg(long)]
    agreement: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Replay {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let terms = Terms::new(agreement(&config, self.agreement.as_deref())?.clone());
        let evidence = source::results(&self.results, &terms.agreement)?;
        let statement = closing::draw_up(&evidence, &terms, self.period, self.as_of).await;
        self.output.write(&statement.map_err(|error| Failure::run("draw up the statement", error))?)
    }
}
