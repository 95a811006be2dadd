//! `amend`: the next version of a period's statement, now.

use super::output::print;
use super::{Failure, agreement_id, configuration, ledger};
use crate::closing::closer::{Closed, close};
use crate::closing::issue::{Desk, Wait, Wish};
use crate::digest::hex;
use crate::render::json::FORMAT;
use daemon::clock::Clock;
use rules::period::Month;
use std::path::PathBuf;

/// Issue or amend a period's statement now
///
/// The collector does this by itself: it issues a period when all evidence is there or the grace is
/// over, and amends the last three once a day if a figure changed. This command does not wait for the
/// next day, takes any period, and takes an outage that still goes on as far as it is known. Without a
/// changed figure there is no amendment.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector amend --config collector.yaml --agreement acme-apm --period 2026-10"
)]
pub struct Amend {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The month, such as 2026-10
    #[arg(long)]
    period: Month,
    /// The agreement; needed if there are several
    #[arg(long)]
    agreement: Option<String>,
}

impl Amend {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let named = agreement_id(&config, self.agreement.as_deref())?;
        let clock = Clock::system();
        let evidence = ledger::evidence(&config, &clock).await?;
        let now = clock.wall();
        let record = ledger::record(evidence.shared_ledger(), &clock).await?;
        let desk = Desk { ledger: evidence.ledger(), evidence: &evidence, record: &record, config: &config };
        let closed = close(&desk, (named, self.period), now, Wish::Now).await;
        match closed.map_err(|error| Failure::run("issue the statement", error))? {
            Closed::Issued(issued) => {
                let told = format!(
                    "{named} {}: version {} issued, SHA-256 {}\n",
                    issued.month,
                    issued.version,
                    hex(&issued.sha256)
                );
                print(told.as_bytes())
            }
            Closed::Unchanged => {
                print(format!("{named} {}: no figure changed, nothing was issued\n", self.period).as_bytes())
            }
            Closed::NotYet(wait) => Err(Failure::No(format!("{named} {}: {}", self.period, waits(&wait)))),
            Closed::Outrun => Err(Failure::No("another collector writes the same record; try again".to_owned())),
        }
    }
}

fn waits(wait: &Wait) -> String {
    match wait {
        Wait::Agreement => "no version of the agreement is in force in it".to_owned(),
        Wait::PeriodEnd => "the period still runs; it can be issued when it is over".to_owned(),
        Wait::Evidence(agents) if agents.is_empty() => {
            "nobody has sent evidence; it can be issued when the grace is over".to_owned()
        }
        Wait::Evidence(agents) => {
            let agents: Vec<String> = agents.iter().map(ToString::to_string).collect();
            format!("evidence of {} is due; it can be issued when it is there or the grace is over", agents.join(", "))
        }
        Wait::OutageEnd => "an outage of it still goes on".to_owned(),
        Wait::Erased { version } => {
            format!(
                "evidence of it was erased, and what is left would give other figures; version {version} stays the last"
            )
        }
        Wait::Format { version, found } => {
            format!(
                "version {version} is written in format {found}, and this program writes format {FORMAT}; amend it with the version of nines that wrote it"
            )
        }
        Wait::Standstill => "evidence for it is coming in; try again".to_owned(),
    }
}
