//! `statement`: an agreement's month, as it was issued or from the ledger as it is.

use super::output::Output;
use super::{Failure, agreement_id, configuration, ledger};
use crate::closing::copies::{Asked, Copies, CopyError};
use daemon::clock::Clock;
use rules::period::Month;
use std::path::PathBuf;
use std::sync::Arc;

/// Give an agreement's month, as it was issued or drawn up from the ledger
///
/// Of a period that was issued the newest version is given, byte for byte as it was signed; of any
/// other what the ledger knows now, as a provisional statement. A running collector need not be
/// stopped.
#[derive(Debug, clap::Args)]
#[command(
    disable_version_flag = true,
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
    /// This issued version instead of the newest
    #[arg(long, value_name = "N", conflicts_with = "draw_up")]
    version: Option<u32>,
    /// Draw it up anew, whatever was issued
    #[arg(long)]
    draw_up: bool,
    #[command(flatten)]
    output: Output,
}

impl Statement {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        self.output.fits()?;
        let config = configuration(&self.config)?;
        let agreement = agreement_id(&config, self.agreement.as_deref())?;
        let clock = Clock::system();
        let ledger = ledger::open(&config).await?;
        let record = ledger::record(Arc::clone(&ledger), &clock).await?;
        let copies = Copies { ledger: &*ledger, record: &record, config: &config };
        let original = copies.find(agreement, self.period, self.asked(), clock.wall()).await.map_err(failure)?;
        if let Some(issued) = original.issued().filter(|_| self.output.is_json()) {
            return self.output.write_bytes(&issued.bytes);
        }
        let evidence = ledger::loaded(ledger, &clock).await?;
        original.read(&evidence, |statement| self.output.write(statement)).await.map_err(failure)?
    }

    fn asked(&self) -> Asked {
        match self.version {
            Some(version) => Asked::Version(version),
            None if self.draw_up => Asked::Draft,
            None => Asked::Newest,
        }
    }
}

fn failure(error: CopyError) -> Failure {
    match error {
        CopyError::NoVersion { .. } | CopyError::NotInForce { .. } => Failure::NotThere(error.to_string()),
        CopyError::Ledger(_)
        | CopyError::Gone { .. }
        | CopyError::Again { .. }
        | CopyError::Amendment(_)
        | CopyError::Pages(_) => Failure::run("give the statement", error),
    }
}
