//! A manifest's shape as JSON: keys in one order, no spaces, no floats; strict when read.

use super::{Cover, Disposed, Manifest, SealedFile, Stretch};
use rules::block::Tombstone;
use rules::outcome::Cause;
use rules::record::Ground;
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::str::FromStr;

/// The version of the format.
const FORMAT: u32 = 1;
/// The most blocks of one cover: far more than any seal takes, so that a forged number makes nobody
/// count for days.
const BLOCKS_MAX: u64 = 1 << 24;

/// A text that is no manifest of this version.
#[derive(Debug, thiserror::Error)]
pub enum NotAManifest {
    /// It is no JSON with a manifest's keys.
    #[error("it is not a manifest")]
    Shape(#[from] serde_json::Error),
    /// A later version wrote it.
    #[error("it has format {0}; this program reads format {FORMAT}")]
    Format(u32),
    /// A value can't be one.
    #[error("its `{key}` is `{value}`: {why}")]
    Value {
        /// Which one.
        key: &'static str,
        /// As it stands there.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// Its blocks don't add up.
    #[error("its lanes of agent `{0}` are not as many blocks as its positions")]
    Lanes(String),
    /// It says the same in other bytes.
    #[error("it is not written as a manifest is written")]
    NotCanonical,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    number: u64,
    sealed_at: String,
    predecessor: Option<String>,
    covers: Vec<WrittenCover>,
    files: Vec<WrittenFile>,
    disposed: Vec<WrittenDisposed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCover {
    agent: String,
    from: u64,
    until: u64,
    lanes: Vec<WrittenStretch>,
    tombstones: Vec<WrittenTombstone>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStretch {
    incarnation: u64,
    seq: u64,
    blocks: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTombstone {
    position: u64,
    from_ms: i64,
    until_ms: i64,
    results: u64,
    cause: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    place: String,
    agreement: Option<String>,
    services: Vec<String>,
    bytes: u64,
    rows: u64,
    sha256: String,
    first_at: String,
    last_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDisposed {
    seal: u64,
    file: u32,
    place: String,
    agreement: Option<String>,
    results: u64,
    until: String,
    ground: String,
}

pub(super) fn written(manifest: &Manifest) -> String {
    let written = Written {
        format: FORMAT,
        number: manifest.number,
        sealed_at: manifest.sealed_at.to_string(),
        predecessor: manifest.predecessor.as_ref().map(ToString::to_string),
        covers: manifest.covers.iter().map(WrittenCover::from).collect(),
        files: manifest.files.iter().map(WrittenFile::from).collect(),
        disposed: manifest.disposed.iter().map(WrittenDisposed::from).collect(),
    };
    serde_json::to_string(&written).expect("texts and numbers are always JSON")
}

pub(super) fn read(text: &str) -> Result<Manifest, NotAManifest> {
    let written: Written = serde_json::from_str(text)?;
    if written.format != FORMAT {
        return Err(NotAManifest::Format(written.format));
    }
    let manifest = Manifest {
        number: written.number,
        sealed_at: value("sealed_at", &written.sealed_at)?,
        predecessor: written.predecessor.map(|digest| value("predecessor", &digest)).transpose()?,
        covers: written.covers.into_iter().map(Cover::try_from).collect::<Result<_, _>>()?,
        files: written.files.into_iter().map(SealedFile::try_from).collect::<Result<_, _>>()?,
        disposed: written.disposed.into_iter().map(Disposed::try_from).collect::<Result<_, _>>()?,
    };
    if self::written(&manifest) == text { Ok(manifest) } else { Err(NotAManifest::NotCanonical) }
}

fn value<T: FromStr<Err: Display>>(key: &'static str, text: &str) -> Result<T, NotAManifest> {
    text.parse().map_err(|why: T::Err| wrong(key, text, why.to_string()))
}

fn wrong(key: &'static str, value: &str, why: impl Into<String>) -> NotAManifest {
    NotAManifest::Value { key, value: value.escape_debug().collect(), why: why.into() }
}

impl From<&Cover> for WrittenCover {
    fn from(cover: &Cover) -> WrittenCover {
        let stretch =
            |lane: &Stretch| WrittenStretch { incarnation: lane.incarnation, seq: lane.seq, blocks: lane.blocks };
        let tombstone = |(position, tombstone): &(u64, Tombstone)| WrittenTombstone {
            position: *position,
            from_ms: tombstone.from.as_millis(),
            until_ms: tombstone.until.as_millis(),
            results: tombstone.results,
            cause: tombstone.cause.to_string(),
        };
        WrittenCover {
            agent: cover.agent.to_string(),
            from: cover.from,
            until: cover.until,
            lanes: cover.lanes.iter().map(stretch).collect(),
            tombstones: cover.tombstones.iter().map(tombstone).collect(),
        }
    }
}

impl TryFrom<WrittenCover> for Cover {
    type Error = NotAManifest;

    fn try_from(written: WrittenCover) -> Result<Cover, NotAManifest> {
        let agent = value("agent", &written.agent)?;
        let blocks = written.lanes.iter().try_fold(0u64, |sum, lane| {
            lane.seq.checked_add(lane.blocks)?;
            sum.checked_add(lane.blocks)
        });
        if written.until.checked_sub(written.from) != blocks || blocks.is_none_or(|blocks| BLOCKS_MAX < blocks) {
            return Err(NotAManifest::Lanes(written.agent));
        }
        let stretch =
            |lane: WrittenStretch| Stretch { incarnation: lane.incarnation, seq: lane.seq, blocks: lane.blocks };
        let tombstone = |tombstone: WrittenTombstone| {
            let dropped = Tombstone {
                from: Timestamp::from_millis(tombstone.from_ms),
                until: Timestamp::from_millis(tombstone.until_ms),
                results: tombstone.results,
                cause: Cause::from_word(&tombstone.cause),
            };
            (tombstone.position, dropped)
        };
        Ok(Cover {
            agent,
            from: written.from,
            until: written.until,
            lanes: written.lanes.into_iter().map(stretch).collect(),
            tombstones: written.tombstones.into_iter().map(tombstone).collect(),
        })
    }
}

impl From<&SealedFile> for WrittenFile {
    fn from(file: &SealedFile) -> WrittenFile {
        WrittenFile {
            place: file.place.clone(),
            agreement: file.agreement.as_ref().map(ToString::to_string),
            services: file.services.iter().map(ToString::to_string).collect(),
            bytes: file.bytes,
            rows: file.rows,
            sha256: file.sha256.to_string(),
            first_at: file.first_at.to_string(),
            last_at: file.last_at.to_string(),
        }
    }
}

impl TryFrom<WrittenFile> for SealedFile {
    type Error = NotAManifest;

    fn try_from(written: WrittenFile) -> Result<SealedFile, NotAManifest> {
        Ok(SealedFile {
            place: written.place,
            agreement: written.agreement.map(|name| value("agreement", &name)).transpose()?,
            services: written.services.iter().map(|name| value("services", name)).collect::<Result<_, _>>()?,
            bytes: written.bytes,
            rows: written.rows,
            sha256: value("sha256", &written.sha256)?,
            first_at: value("first_at", &written.first_at)?,
            last_at: value("last_at", &written.last_at)?,
        })
    }
}

impl From<&Disposed> for WrittenDisposed {
    fn from(disposed: &Disposed) -> WrittenDisposed {
        WrittenDisposed {
            seal: disposed.seal,
            file: disposed.file,
            place: disposed.place.clone(),
            agreement: disposed.agreement.as_ref().map(ToString::to_string),
            results: disposed.results,
            until: disposed.until.to_string(),
            ground: word(disposed.ground).to_owned(),
        }
    }
}

impl TryFrom<WrittenDisposed> for Disposed {
    type Error = NotAManifest;

    fn try_from(written: WrittenDisposed) -> Result<Disposed, NotAManifest> {
        let grounds = [Ground::Returned, Ground::Retention, Ground::Erasure, Ground::Standing];
        let ground = grounds.into_iter().find(|ground| word(*ground) == written.ground);
        let ground =
            ground.ok_or_else(|| wrong("ground", &written.ground, "it is `retention`, `erasure` or `standing`"))?;
        Ok(Disposed {
            seal: written.seal,
            file: written.file,
            place: written.place,
            agreement: written.agreement.map(|name| value("agreement", &name)).transpose()?,
            results: written.results,
            until: value("until", &written.until)?,
            ground,
        })
    }
}

fn word(ground: Ground) -> &'static str {
    match ground {
        Ground::Returned => "returned",
        Ground::Retention => "retention",
        Ground::Erasure => "erasure",
        Ground::Standing => "standing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::digest::Digest;

    fn manifest() -> Manifest {
        let at = Timestamp::from_millis(1_790_812_800_000);
        let mut cover =
            Cover { agent: "서울 1".parse().unwrap(), from: 7, until: 7, lanes: Vec::new(), tombstones: Vec::new() };
        let dropped = Tombstone {
            from: at,
            until: at.plus(std::time::Duration::from_secs(1)),
            results: 3,
            cause: Cause::SpoolFull,
        };
        cover.push(2, 5, &[]);
        cover.push(2, 6, &[dropped]);
        cover.push(3, 1, &[]);
        let file = SealedFile {
            place: "agreement=a/date=2026-10-01/seal-0000000002-00.parquet".into(),
            agreement: Some("a\"b".parse().unwrap()),
            services: vec!["apm".parse().unwrap()],
            bytes: 10,
            rows: 2,
            sha256: Digest::of(b"x"),
            first_at: at,
            last_at: at,
        };
        let agreement = Some("a".parse().unwrap());
        let (place, ground) = ("p".into(), Ground::Retention);
        let disposed = Disposed { seal: 1, file: 0, place, agreement, results: 2, until: at, ground };
        Manifest {
            number: 2,
            sealed_at: at,
            predecessor: Some(Digest::of(b"1")),
            covers: vec![cover],
            files: vec![file],
            disposed: vec![disposed],
        }
    }

    #[test]
    fn a_manifest_survives_being_written_and_read() {
        let (manifest, text) = (manifest(), manifest().to_json());
        assert_eq!(Manifest::from_json(&text).unwrap(), manifest);
        let blocks: Vec<_> = manifest.covers[0].blocks().collect();
        assert_eq!(blocks, [(7, 2, 5), (8, 2, 6), (9, 3, 1)]);
    }

    #[test]
    fn whatever_a_manifest_is_not_is_refused() {
        let text = manifest().to_json();
        for (from, to, told) in [
            ("\"format\":1", "\"format\":2", "it has format 2; this program reads format 1"),
            ("\"until\":10", "\"until\":11", "its lanes of agent `서울 1` are not as many blocks as its positions"),
            ("\"number\":2", "\"number\": 2", "it is not written as a manifest is written"),
            ("\"retention\"", "\"boredom\"", "its `ground` is `boredom`: it is `retention`, `erasure` or `standing`"),
            ("\"number\":2,", "\"number\":2,\"n\":1,", "it is not a manifest"),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(Manifest::from_json(&text.replace(from, to)).unwrap_err().to_string(), told);
        }
    }
}
