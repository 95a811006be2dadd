//! `replay`: a statement from results in a file, without a ledger, and what another policy would
//! have said of them, or of what the ledger holds with the record that belongs to it.

use super::output::Output;
use super::{Failure, agreement, configuration, ledger, source};
use crate::closing::evidence::Evidence;
use crate::closing::{self, terms::Terms};
use crate::render::Format;
use crate::render::comparison::{self, compare};
use daemon::clock::Clock;
use rules::period::Month;
use rules::policy::Policy;
use rules::record::up_to;
use rules::time::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Draw up a statement from results in a file, without a ledger
///
/// For audits, disputes and "what if the policy were …": the same results under another
/// configuration give another statement, and nothing is stored. With --policy the month stands under
/// both policies side by side (text, or json with both statements whole).
/// A file of results comes without a record: exclusions, standings and fees are those of the
/// configuration. From the ledger the record is heard as well, in both columns.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector replay --config collector.yaml --results results.ndjson --period 2026-10 --format text\n  nines-collector replay --config collector.yaml --period 2026-10 --policy stricter.yaml --format text"
)]
pub struct Replay {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The results, lines of JSON or Parquet; without it, those of the ledger, for --policy
    #[arg(long, value_name = "FILE|DIR", required_unless_present = "policy")]
    results: Option<PathBuf>,
    /// The month, such as 2026-10
    #[arg(long)]
    period: Month,
    /// Another policy: a file with one, or the name of a preset
    #[arg(long, value_name = "FILE|PRESET")]
    policy: Option<String>,
    /// Hear evidence, and the ledger's record, up to this instant only (RFC 3339)
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
        self.output.fits()?;
        let config = configuration(&self.config)?;
        let version = agreement(&config, self.agreement.as_deref(), self.period)?;
        match &self.results {
            Some(results) => {
                let terms = Terms { grace: config.closing.grace, ..Terms::new(version.clone()) };
                self.draw_up(&source::results(results, version).await?, &terms, self.as_of).await
            }
            None => {
                let clock = Clock::system();
                let evidence = ledger::evidence(&config, &clock).await?;
                let entries = ledger::record(evidence.shared_ledger(), &clock).await?.entries(&version.id);
                let terms = Terms::of(&config, up_to(&entries, self.as_of), &version.id, self.period);
                let terms = terms.expect("the version that was found is in force in this month");
                self.draw_up(&evidence, &terms, Some(self.as_of.unwrap_or_else(|| clock.wall()))).await
            }
        }
    }

    async fn draw_up<E: Evidence>(&self, evidence: &E, terms: &Terms, as_of: Option<Timestamp>) -> Result<(), Failure> {
        let failed = |error: E::Error| Failure::run("draw up the statement", error);
        let own = closing::draw_up(evidence, terms, self.period, as_of).await.map_err(failed)?;
        let Some(named) = &self.policy else { return self.output.write(&own) };
        let under = terms.under(policy(named)?);
        let other = closing::draw_up(evidence, &under, self.period, as_of).await.map_err(failed)?;
        let compared = compare(&own, &other);
        let told = match self.output.format() {
            Format::Text => comparison::text(&compared),
            Format::Json => comparison::json(&compared, &own, &other),
            Format::Csv | Format::Html | Format::Pdf => {
                let message = "two policies side by side come as --format text or json; for one alone, change the agreement's policy";
                return Err(Failure::NotThere(message.to_owned()));
            }
        };
        self.output.write_bytes(told.as_bytes())
    }
}

/// A preset's name comes before a file's.
fn policy(named: &str) -> Result<Arc<Policy>, Failure> {
    let loaded = match config::lone_policy::preset(named) {
        Some(loaded) => loaded?,
        None => config::lone_policy::load(Path::new(named))?,
    };
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(loaded.value)
}
