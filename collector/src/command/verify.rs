//! `verify`: whether a statement is what was issued, and whether its figures follow from evidence.
//!
//! It tells in sentences what it checked and what it did not; it never changes anything and never asks
//! the network.

mod given;
mod predecessor;
mod recompute;
mod record;

use super::output::print;
use super::{Failure, configuration, ledger};
use crate::closing::seal::{self, Sealed};
use crate::digest::hex;
use crate::ledger::books::PublishedKey;
use crate::render::json::read::{Origin, origin};
use crate::signing::published;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The longest file that is read: a statement of a thousand services is a tenth of it.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Check a statement's hash and signature, and recompute its figures from evidence
///
/// Works offline: it needs the file alone. It tells in plain sentences what was checked. Exit code 0:
/// everything that was checked is right; 1: something is not.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector verify acme-2026-10.json --keys nines-keys.json --evidence results.ndjson"
)]
pub struct Verify {
    /// The statement: the signed JSON, or the PDF that it is embedded in
    #[arg(value_name = "STATEMENT")]
    statement: PathBuf,
    /// Trust only the keys in this file, as `keys export` and /.well-known/nines-keys.json give them
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    keys: Option<PathBuf>,
    /// Trust only the keys that are published in the ledger of this collector's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Recompute every figure from the results in this file or directory: lines of JSON or Parquet, as
    /// exported, in a bundle, or as an archive has them
    #[arg(long, value_name = "FILE|DIR")]
    evidence: Option<PathBuf>,
    /// Check that the agreement's record, as a bundle's record.ndjson has it, goes as far as the statement
    /// heard it
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Check what an amended statement says of the version before it, which is this one
    #[arg(long, value_name = "STATEMENT.json")]
    before: Option<PathBuf>,
}

impl Verify {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let given = given::given(&self.statement)?;
        let wrong = |why: &dyn Error| Failure::No(format!("{}: {why}", given.name));
        let sealed = seal::open(&given.json).map_err(|why| wrong(&why))?;
        let origin = origin(&sealed.text).map_err(|why| {
            let sealed = format!("every byte of it is as it was signed by key {}", sealed.key);
            Failure::No(format!("{}: {sealed}, but what it says can't be read: {why}", given.name))
        })?;
        print(introduction(&given.name, &sealed, &origin).as_bytes())?;
        print(self.trusted(&sealed, &origin).await?.as_bytes())?;
        if let Some(before) = &self.before {
            print(predecessor::check(before, &sealed, &origin)?.as_bytes())?;
        }
        if let Some(record) = &self.record {
            print(record::check(record, &sealed, &origin)?.as_bytes())?;
        }
        match &self.evidence {
            Some(evidence) => recompute::check(evidence, &given, &sealed, &origin).await,
            None => {
                print(b"Its figures were not reckoned again: give the results with --evidence.\n")?;
                print(given.unread_pages(&sealed.text).unwrap_or_default().as_bytes())
            }
        }
    }

    /// What is known of the key, as a sentence; an error if it must not be trusted.
    async fn trusted(&self, sealed: &Sealed, origin: &Origin) -> Result<String, Failure> {
        let (keys, place) = match (&self.keys, &self.config) {
            (Some(path), _) => (keys_of(path)?, path.display().to_string()),
            (None, Some(path)) => {
                let ledger = ledger::open(&configuration(path)?).await?;
                let keys = ledger.keys().await.map_err(|error| Failure::run("read the published keys", error))?;
                (keys, "the ledger".to_owned())
            }
            (None, None) => {
                return Ok(format!(
                    "Whose key {} is was not checked: compare it with the keys that the provider publishes, or give them with --keys.\n",
                    sealed.key
                ));
            }
        };
        judge_key(sealed, origin, &keys, &place)
    }
}

fn judge_key(sealed: &Sealed, origin: &Origin, keys: &[PublishedKey], place: &str) -> Result<String, Failure> {
    let Some(key) = keys.iter().find(|key| key.public == sealed.public) else {
        let no = format!("key {} is none of the {} in {place}: the signature proves nothing", sealed.key, keys.len());
        return Err(Failure::No(no));
    };
    let issued_at = origin.issue.as_ref().map(|issue| issue.issued_at);
    match (key.retired_at, issued_at) {
        (Some(retired), Some(issued)) if retired <= issued => Err(Failure::No(format!(
            "key {} was retired at {retired}, and the statement says that it was signed with it at {issued}",
            sealed.key
        ))),
        (Some(_), None) => Err(Failure::No(format!(
            "key {} was retired, and the statement does not say when it was signed with it",
            sealed.key
        ))),
        _ => Ok(format!("Key {} is published in {place}, since {}.\n", sealed.key, key.published_at)),
    }
}

fn introduction(name: &str, sealed: &Sealed, origin: &Origin) -> String {
    let agreement = &origin.terms.agreement;
    let mut told = String::new();
    let _ = write!(told, "{name}: version {} of {}'s statement for {}", origin.version, agreement.id, origin.month);
    if let Some(issue) = &origin.issue {
        let _ = write!(told, ", issued at {}", issue.issued_at);
    }
    let _ = writeln!(told, ".");
    let _ = writeln!(told, "Its text has SHA-256 {}, as its seal says.", hex(&sealed.sha256));
    let _ = writeln!(told, "Every byte of it is as it was signed by key {}.", sealed.key);
    told
}

fn keys_of(path: &Path) -> Result<Vec<PublishedKey>, Failure> {
    let bytes = read(path)?;
    let failed = || format!("read keys from {}", path.display());
    let text = String::from_utf8(bytes).map_err(|error| Failure::run(failed(), error))?;
    published::read(&text).map_err(|error| Failure::run(failed(), error))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::run(format!("read {}", path.display()), error);
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if FILE_BYTES_MAX < bytes.len() as u64 {
        return Err(Failure::No(format!("{} is longer than {FILE_BYTES_MAX} bytes: no statement is", path.display())));
    }
    Ok(bytes)
}
