//! `statement`: an agreement's month, as it was issued or from the ledger as it is.

use super::output::Output;
use super::{Failure, agreement, configuration, ledger};
use crate::closing::issued::Opened;
use crate::closing::{self, terms::Terms};
use crate::ledger::Ledger;
use crate::ledger::books::Issued;
use daemon::clock::Clock;
use rules::id::AgreementId;
use rules::period::Month;
use std::path::PathBuf;

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
        let config = configuration(&self.config)?;
        let agreement = agreement(&config, self.agreement.as_deref(), self.period)?;
        if !self.draw_up {
            let ledger = ledger::open(&config).await?;
            let issued = self.issued(&*ledger, &agreement.id).await?;
            if !issued.is_empty() {
                return self.give(&*ledger, &issued).await;
            }
        }
        let clock = Clock::system();
        let evidence = ledger::evidence(&config, &clock).await?;
        let record = ledger::record(evidence.shared_ledger(), &clock).await?;
        let terms = Terms::of(&config, &record.entries(&agreement.id), &agreement.id, self.period);
        let terms = terms.ok_or_else(|| {
            Failure::NotThere(format!("no version of {} is in force in {}", agreement.id, self.period))
        })?;
        let drawn_up = closing::draw_up(&evidence, &terms, self.period, Some(clock.wall())).await;
        self.output.write(&drawn_up.map_err(|error| Failure::run("draw up the statement", error))?)
    }

    async fn issued(&self, ledger: &dyn Ledger, agreement: &AgreementId) -> Result<Vec<Issued>, Failure> {
        let issued = ledger.issued(agreement, Some(self.period)).await;
        let issued = issued.map_err(|error| Failure::run("read issued statements", error))?;
        if let Some(version) = self.version
            && issued.iter().all(|issued| issued.version != version)
        {
            let none = format!("{agreement} {} has no version {version}; {} were issued", self.period, issued.len());
            return Err(Failure::NotThere(none));
        }
        Ok(issued)
    }

    async fn give(&self, ledger: &dyn Ledger, issued: &[Issued]) -> Result<(), Failure> {
        let wanted = self.version.or(issued.last().map(|newest| newest.version));
        let place = issued.iter().position(|issued| Some(issued.version) == wanted).unwrap_or_default();
        let version = &issued[place];
        if self.output.is_json() {
            return self.output.write_bytes(&version.bytes);
        }
        let failed = |error| Failure::run(format!("draw up version {} again", version.version), error);
        let before = place.checked_sub(1).map(|before| &issued[before]);
        let opened = Opened::new(version, before).map_err(failed)?;
        self.output.write(&opened.statement(ledger).await.map_err(failed)?)
    }
}
