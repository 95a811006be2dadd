//! `record`: an agreement's record as it lies in the ledger, and whether it is whole.

use super::output::print;
use super::{Failure, configuration, ledger};
use crate::closing::issued::noted;
use crate::digest::hex;
use crate::ledger::Ledger;
use crate::record::chain;
use rules::id::AgreementId;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Entries that are read at once.
const ENTRIES_AT_ONCE: usize = 1_000;

/// Show what is on record, or check that nobody changed it
#[derive(Debug, clap::Args)]
pub struct RecordCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print every entry as a line of JSON, as it lies in the ledger
    #[command(after_help = "Example:\n  nines-collector record list --config collector.yaml --agreement acme-apm")]
    List(Place),
    /// Check every entry's hash, and that the record goes as far as issued statements heard it
    #[command(after_help = "Example:\n  nines-collector record verify --config collector.yaml")]
    Verify(Place),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The agreement; all that have a record if not given
    #[arg(long)]
    agreement: Option<AgreementId>,
}

impl RecordCommand {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (What::List(place) | What::Verify(place)) = &self.what;
        let config = configuration(&place.config)?;
        let ledger = ledger::open(&config).await?;
        let records = ledger.records().await.map_err(|error| Failure::run("read the records", error))?;
        let mut agreements: BTreeSet<AgreementId> = records.into_iter().map(|(agreement, _)| agreement).collect();
        if let What::Verify(_) = self.what {
            // A record may be gone as a whole; statements still tell that there was one.
            agreements.extend(config.agreements.iter().map(|version| version.id.clone()));
        }
        if let Some(named) = &place.agreement {
            agreements.retain(|agreement| agreement == named);
            if agreements.is_empty() {
                return Err(Failure::NotThere(format!("nothing is on record about agreement `{named}`")));
            }
        }
        for agreement in &agreements {
            match self.what {
                What::List(_) => list(&*ledger, agreement).await?,
                What::Verify(_) => verify(&*ledger, agreement).await?,
            }
        }
        Ok(())
    }
}

async fn list(ledger: &dyn Ledger, agreement: &AgreementId) -> Result<(), Failure> {
    let mut next = 1;
    loop {
        let entries = ledger.entries_from(agreement, next, ENTRIES_AT_ONCE).await;
        let entries = entries.map_err(|error| Failure::run("read the record", error))?;
        let Some(last) = entries.last() else { return Ok(()) };
        next = last.number + 1;
        let mut lines = String::new();
        for entry in &entries {
            let fact = serde_json::from_str(&entry.body).unwrap_or_else(|_| serde_json::json!(entry.body));
            let line = serde_json::json!({
                "agreement": agreement.as_str(),
                "number": entry.number,
                "recorded_at": entry.recorded_at.to_string(),
                "recorded_by": entry.recorded_by,
                "fact": fact,
                "sha256": hex(&entry.hash),
            });
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        print(lines.as_bytes())?;
    }
}

async fn verify(ledger: &dyn Ledger, agreement: &AgreementId) -> Result<(), Failure> {
    let noted = noted(ledger, agreement).await.map_err(|error| Failure::run("read issued statements", error))?;
    let head = chain::verify(ledger, agreement, &noted).await.map_err(|error| Failure::No(error.to_string()))?;
    let statements = match noted.iter().max_by_key(|noted| noted.head.entries) {
        Some(last) => format!("{} issued statements heard it so, the last of them {}", noted.len(), last.by),
        None => "no issued statement says how far it went".to_owned(),
    };
    let (entries, hash) = (head.entries, hex(&head.hash));
    print(
        format!("{agreement}: {entries} entries, each follows its predecessor; the last is {hash}; {statements}\n")
            .as_bytes(),
    )
}
