//! `evidence scrub`: everything that is kept, read again and held against its checksum.

use crate::archive::scrub::Scrubbed;
use crate::command::{Failure, configuration, ledger};
use crate::render::outside::printable;
use std::path::PathBuf;

/// Read everything that is kept and hold it against its checksums
///
/// Evidence files, manifests and their chain, the ledger's blocks and the record's chain. One flipped
/// bit is found and named. Exit code 1 if anything is not as it was written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nines-collector evidence scrub --config collector.yaml")]
pub(super) struct Scrub {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Delete objects that no seal names: what a crash left
    #[arg(long)]
    sweep: bool,
}

impl Scrub {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let (ledger, archive) = ledger::open_both(&config, None).await?;
        let mut found = Scrubbed::default();
        found.blocks(&*ledger).await.map_err(|error| Failure::run("read the ledger's blocks", error))?;
        found.records(&*ledger).await.map_err(|error| Failure::run("read the records", error))?;
        if let Some(archive) = &archive {
            archive.scrub(&mut found).await.map_err(|error| Failure::run("read the archive", error))?;
        }
        for finding in &found.findings {
            eprintln!("{}", printable(finding));
        }
        let Scrubbed { seals, files, results, blocks, entries, orphans, findings } = &found;
        eprintln!(
            "{seals} seals, {files} files with {results} results, {blocks} blocks of the ledger and {entries} entries of records read; {} objects that no seal names",
            orphans.len()
        );
        if let (true, Some(archive)) = (self.sweep, &archive) {
            archive.sweep(orphans).await.map_err(|error| Failure::run("delete objects that no seal names", error))?;
        }
        match findings.len() {
            0 => Ok(()),
            count => Err(Failure::No(format!("{count} of what was read is not as it was written"))),
        }
    }
}
