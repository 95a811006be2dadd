//! `files.ndjson`: what a bundle's evidence consists of, a line a file, and a last line over all of them.
//!
//! ```text
//! {"place":"agreement=…/seal-….parquet","sha256":"…","bytes":30211,"rows":14400,"first_at":"…","last_at":"…",
//!  "seal":42,"sealed_at":"…","manifest_sha256":"…"}
//! {"files":1,"rows":14400,"sha256":"…"}
//! ```
//! The last line's digest is over the bytes of all lines before it, so a line can't be changed, dropped or
//! added unseen. `seal` and what follows it are null in a file that was exported and never sealed. Lines
//! are written in one way only, and read in no other.

use super::digest::Digest;
use super::manifest::{Manifest, SealedFile};
use serde::{Deserialize, Serialize};

/// Its name, beside the files that it names.
pub const NAME: &str = "files.ndjson";

/// A file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) place: String,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) first_at: String,
    pub(crate) last_at: String,
    pub(crate) seal: Option<u64>,
    pub(crate) sealed_at: Option<String>,
    pub(crate) manifest_sha256: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sum {
    files: u64,
    rows: u64,
    sha256: String,
}

/// An index that can't be relied on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAnIndex {
    /// A line is none.
    #[error("line {0} is not as an index is written: it was changed, or written by another version")]
    Line(usize),
    /// The last line is not that of the lines before it.
    #[error("its last line is not that of the lines before it: a line was changed, dropped or added")]
    Sum,
}

impl Listed {
    /// The line of a sealed file.
    pub(crate) fn sealed(file: &SealedFile, manifest: &Manifest, digest: &Digest) -> Listed {
        Listed {
            seal: Some(manifest.number),
            sealed_at: Some(manifest.sealed_at.to_string()),
            manifest_sha256: Some(digest.to_string()),
            ..Listed::unsealed(file)
        }
    }

    /// The line of a file that was exported.
    pub(crate) fn unsealed(file: &SealedFile) -> Listed {
        Listed {
            place: file.place.clone(),
            sha256: file.sha256.to_string(),
            bytes: file.bytes,
            rows: file.rows,
            first_at: file.first_at.to_string(),
            last_at: file.last_at.to_string(),
            seal: None,
            sealed_at: None,
            manifest_sha256: None,
        }
    }
}

/// The index of `files`.
pub(crate) fn write(files: &[Listed]) -> String {
    let lines: String = files.iter().map(line).collect();
    let rows = files.iter().map(|file| file.rows).sum();
    let sum = Sum { files: files.len() as u64, rows, sha256: Digest::of(lines.as_bytes()).to_string() };
    lines + &line(&sum)
}

/// Reads an index, and refuses whatever [`write()`] did not write.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Listed>, NotAnIndex> {
    let text = std::str::from_utf8(text).map_err(|_| NotAnIndex::Line(1))?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some((_, files)) = lines.split_last() else { return Err(NotAnIndex::Sum) };
    let read = |(index, text): (usize, &&str)| {
        let listed = serde_json::from_str::<Listed>(text).ok().filter(|listed| line(listed) == **text);
        listed.ok_or(NotAnIndex::Line(index + 1))
    };
    let listed: Vec<Listed> = files.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    if write(&listed) == text { Ok(listed) } else { Err(NotAnIndex::Sum) }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are always JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(place: &str) -> Listed {
        let at = "2026-10-01T00:00:00Z".parse().unwrap();
        Listed::unsealed(&SealedFile {
            place: place.into(),
            agreement: None,
            services: Vec::new(),
            bytes: 10,
            rows: 2,
            sha256: Digest::of(place.as_bytes()),
            first_at: at,
            last_at: at,
        })
    }

    #[test]
    fn an_index_survives_being_written_and_read() {
        for files in [Vec::new(), vec![listed("a \"b\".parquet"), listed("c.parquet")]] {
            assert_eq!(read(write(&files).as_bytes()), Ok(files));
        }
    }

    #[test]
    fn any_flipped_bit_and_any_line_that_is_missing_is_found() {
        let text = write(&[listed("a.parquet"), listed("b.parquet")]);
        for index in 0..text.len() {
            for bit in 0..8 {
                let mut changed = text.clone().into_bytes();
                changed[index] ^= 1 << bit;
                assert!(read(&changed).is_err(), "bit {bit} of byte {index}");
            }
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for left in 0..lines.len() {
            let without: String =
                lines.iter().enumerate().filter(|(line, _)| *line != left).map(|(_, text)| *text).collect();
            assert_eq!(read(without.as_bytes()), Err(NotAnIndex::Sum), "without line {left}");
        }
        assert!(read(b"").is_err());
    }
}
