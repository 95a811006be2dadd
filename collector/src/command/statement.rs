//! `statement`: an agreement's month from the ledger.

use super::output::Output;
use super::{Failure, agreement, configuration, ledger};
use crate::closing::{self, terms::Terms};
use daemon::clock::Clock;
use rules::period::Month;
use std::path::PathBuf;

/// Draw up an agreement's month from the ledger
///
/// A running collector need not be stopped. While the month runs the statement is provisional.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector statement --config collector.yaml --agreement acme-apm --period 2026-10 --format html --lang ko -o acme.html"
)]
pub struct Statement {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The month, such as 2026-10
    #[arg(long)]
    period: Month,
    /// The agreement; needed if there are several
    #[arg(long)]
    agreement: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Statement {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let terms = Terms::new(agreement(&config, self.agreement.as_deref())?.clone());
        let clock = Clock::system();
        let evidence = ledger::evidence(&config, &clock).await?;
        let drawn_up = closing::draw_up(&evidence, &terms, self.period, Some(clock.wall())).await;
        self.output.write(&drawn_up.map_err(|error| Failure::run("draw up the statement", error))?)
    }
}
