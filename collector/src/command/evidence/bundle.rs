//! `evidence bundle`: everything of one customer in one file, to be handed over.

use super::belongings;
use crate::archive::bundle::bundle;
use crate::archive::{Promised, Sealed, deepened, export};
use crate::command::{Failure, configuration, ledger};
use crate::record::{Draft, Record, RecordError};
use daemon::clock::Clock;
use rules::interval::Interval;
use rules::record::{BY_NINES, Disposal, Fact, Ground};
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// Put everything of one agreement into one file, to be handed over
///
/// A ZIP file with the results as Parquet, the issued statements, the record, the public keys, and a
/// README that says how to verify all of it. That it was made goes on the agreement's record.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector evidence bundle --config collector.yaml --agreement acme-apm -o acme-apm.zip"
)]
pub(super) struct Bundle {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Whose evidence
    #[arg(long)]
    agreement: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Bundle {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let own = belongings(&config, &self.agreement)?;
        let (ledger, archive) = ledger::open_both(&config, None).await?;
        let (deep, clock) = (deepened(ledger, archive.as_ref()), Clock::system());
        let now = clock.wall();
        if let Some(archive) = &archive {
            let promised = Promised::by(&config.agreements);
            let seal = |error| Failure::run("seal evidence", error);
            while let Sealed::Seal(_) | Sealed::Forestalled = archive.seal(&promised, now).await.map_err(seal)? {}
            archive.verify(now).await.map_err(seal)?;
        }
        let first = export::begins(&*deep).await.map_err(|error| Failure::run("read evidence", error))?;
        let interval = first.and_then(|first| Interval::new(first, now.plus(Duration::from_hours(24))));
        let place = self.output.display();
        let file = File::create(&self.output).map_err(|error| Failure::run(format!("write {place}"), error))?;
        let made = bundle(&*deep, archive.as_deref(), &own, interval, file).await;
        let (held, file) = made.map_err(|error| Failure::run(format!("write {place}"), error))?;
        file.sync_all().map_err(|error| Failure::run(format!("write {place}"), error))?;
        let returned = Disposal { ground: Ground::Returned, until: now, files: held.files, results: held.results };
        let record = async {
            let record = Record::load(deep, clock).await?;
            let draft =
                |_: crate::record::Before<'_>| Ok::<_, RecordError>(Draft::fact(Fact::Disposal(returned.clone())));
            record.append(&own.agreement, BY_NINES, draft).await
        };
        record.await.map_err(|error| Failure::run("record that the bundle was made", error))?;
        eprintln!(
            "{place}: {} results in {} files, {} statements, {} entries of the record",
            held.results, held.files, held.statements, held.entries
        );
        Ok(())
    }
}
