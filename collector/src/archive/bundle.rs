//! Everything of one customer in one ZIP file: to be handed over, and to be believed without us.
//!
//! Nothing in it is of another customer. The manifests name all agreements' files, so they don't go
//! along; what they say of this agreement's files does, with each manifest's digest.

pub mod entries;

use super::digest::Digest;
use super::export::{Export, parquet};
use super::index::{self, Listed};
use super::manifest::Manifest;
use super::{Archive, ArchiveError, Belongings};
use crate::ledger::{Ledger, LedgerError};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rules::interval::Interval;
use serde::Serialize;
use std::io::{Seek, Write};
use zip::CompressionMethod;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, ZipWriter};

/// How much is read from the books at once.
const AT_ONCE: usize = 64;

const README: &str = include_str!("bundle/README.txt");

/// Why a bundle could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The archive or the ledger failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The bundle could not be written.
    #[error("failed to write the bundle")]
    Zip(#[from] ZipError),
    /// The bundle could not be written.
    #[error("failed to write the bundle")]
    Write(#[from] std::io::Error),
}

impl From<LedgerError> for BundleError {
    fn from(error: LedgerError) -> BundleError {
        BundleError::Archive(ArchiveError::Ledger(error))
    }
}

/// What a bundle holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bundled {
    /// Files of results.
    pub files: u64,
    /// Results in them.
    pub results: u64,
    /// Issued statements.
    pub statements: u64,
    /// Entries of the record.
    pub entries: u64,
}

/// A key's line in `keys.ndjson`.
#[derive(Serialize)]
struct KeyLine<'a> {
    id: &'a str,
    ed25519_public_base64: String,
    published_at: String,
    retired_at: Option<String>,
}

/// Writes everything that belongs to one agreement to `out`: sealed files as they are if there is an archive, else
/// the ledger's results within `interval` in the same form.
pub async fn bundle<W: Write + Seek>(
    ledger: &dyn Ledger,
    archive: Option<&Archive>,
    own: &Belongings,
    interval: Option<Interval>,
    out: W,
) -> Result<(Bundled, W), BundleError> {
    let mut bundle = Bundle { zip: ZipWriter::new(out), held: Bundled::default() };
    bundle.add("README.txt", README.as_bytes())?;
    match (archive, interval) {
        (Some(archive), _) => bundle.sealed(archive, own).await?,
        (None, Some(interval)) => bundle.exported(ledger, own, interval).await?,
        (None, None) => {}
    }
    bundle.statements(ledger, own).await?;
    bundle.record(ledger, own).await?;
    bundle.keys(ledger).await?;
    Ok((bundle.held, bundle.zip.finish()?))
}

struct Bundle<W: Write + Seek> {
    zip: ZipWriter<W>,
    held: Bundled,
}

impl<W: Write + Seek> Bundle<W> {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.zip.start_file(name, options)?;
        Ok(self.zip.write_all(bytes)?)
    }

    /// The agreement's files as they were sealed.
    async fn sealed(&mut self, archive: &Archive, own: &Belongings) -> Result<(), BundleError> {
        let (mut files, mut next) = (Vec::new(), 1);
        loop {
            let seals = archive.ledger.seals_from(next, AT_ONCE).await?;
            for seal in &seals {
                next = seal.number + 1;
                let read = Manifest::from_json(&seal.manifest);
                let refused = |source| ArchiveError::Manifest { place: format!("of seal {}", seal.number), source };
                let manifest = read.map_err(refused)?;
                for (index, file) in manifest.files.iter().enumerate() {
                    if file.agreement.as_ref() != Some(&own.agreement) {
                        continue;
                    }
                    let Some(bytes) = archive.sealed_bytes(&manifest, index).await? else { continue };
                    self.add(&format!("evidence/{}", file.place), &bytes)?;
                    files.push(Listed::sealed(file, &manifest, &Digest(seal.sha256)));
                }
            }
            if seals.len() < AT_ONCE {
                break;
            }
        }
        self.list(&files)
    }

    /// Names the files that the bundle must have.
    fn list(&mut self, files: &[Listed]) -> Result<(), BundleError> {
        self.held.files = files.len() as u64;
        self.held.results = files.iter().map(|file| file.rows).sum();
        self.add(&format!("evidence/{}", index::NAME), index::write(files).as_bytes())
    }

    /// The agreement's results in files of a day.
    async fn exported(&mut self, ledger: &dyn Ledger, own: &Belongings, interval: Interval) -> Result<(), BundleError> {
        let (mut export, mut files) = (Export::new(Some(own), interval), Vec::new());
        while let Some(day) = export.next_day(ledger).await? {
            if let Some((file, bytes)) = parquet(Some(&own.agreement), &day)? {
                self.add(&format!("evidence/{}", file.place), &bytes)?;
                files.push(Listed::unsealed(&file));
            }
        }
        self.list(&files)
    }

    async fn statements(&mut self, ledger: &dyn Ledger, own: &Belongings) -> Result<(), BundleError> {
        for issued in ledger.issued(&own.agreement, None).await? {
            self.add(&format!("statements/{}-v{}.json", issued.month, issued.version), &issued.bytes)?;
            self.held.statements += 1;
        }
        Ok(())
    }

    async fn record(&mut self, ledger: &dyn Ledger, own: &Belongings) -> Result<(), BundleError> {
        let mut lines = String::new();
        loop {
            let stored = ledger.entries_from(&own.agreement, self.held.entries + 1, AT_ONCE).await?;
            lines.extend(stored.iter().map(entries::write));
            self.held.entries += stored.len() as u64;
            if stored.len() < AT_ONCE {
                return self.add("record.ndjson", lines.as_bytes());
            }
        }
    }

    async fn keys(&mut self, ledger: &dyn Ledger) -> Result<(), BundleError> {
        let keys = ledger.keys().await?;
        let lines = keys.iter().map(|key| {
            line(&KeyLine {
                id: &key.id,
                ed25519_public_base64: BASE64_STANDARD.encode(key.public),
                published_at: key.published_at.to_string(),
                retired_at: key.retired_at.map(|at| at.to_string()),
            })
        });
        let lines: String = lines.collect();
        self.add("keys.ndjson", lines.as_bytes())
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are always JSON") + "\n"
}
