//! A file of results: Parquet that DuckDB, pandas and whoever else read without us.
//!
//! # Columns, format 1
//! | column | type | |
//! | --- | --- | --- |
//! | `agent`, `service`, `check` | text | the series |
//! | `at` | timestamp, milliseconds, UTC | when the attempt started |
//! | `outcome` | text | `up`, `down` or `void` |
//! | `cause` | text or null | why, unless it was up |
//! | `elapsed_us` | unsigned integer or null | how long it took; null: the spool could not keep it |
//! | `extra` | boolean | it came on top of what was due and has no weight in means |
//! | `note` | text or null | what is kept of its evidence; text from outside |
//! | `every_us`, `timeout_us` | unsigned integer | the check's pace at the time |
//! | `incarnation`, `seq` | unsigned integer | the lane and the number of its block |
//!
//! Rows are in order of service, check, agent and `at`. Instants and numbers of blocks rise by nearly
//! the same step, so their differences are kept, thousands against one least; the bytes of elapsed times are kept apart by
//! significance, because only the low ones are noise; names are kept once. Everything is compressed
//! with Zstandard. The file's metadata names format, seal and agreement.
//!
//! Reading believes nothing but what the format says; whether a file is the one that was sealed is
//! found out by its digest, before it is read.

mod read;
mod write;

pub(crate) use read::{FileError, read};
pub(crate) use write::write;

use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;
use rules::id::AgreementId;
use std::sync::Arc;

/// The version of the format.
const FORMAT: &str = "1";
/// The keys of the file's metadata.
const KEY_FORMAT: &str = "nines.format";
const KEY_SEAL: &str = "nines.seal";
const KEY_AGREEMENT: &str = "nines.agreement";

const SCHEMA: &str = "message result {
    required binary agent (UTF8);
    required binary service (UTF8);
    required binary check (UTF8);
    required int64 at (TIMESTAMP(MILLIS, true));
    required binary outcome (UTF8);
    optional binary cause (UTF8);
    optional int64 elapsed_us (INTEGER(64, false));
    required boolean extra;
    optional binary note (UTF8);
    required int64 every_us (INTEGER(64, false));
    required int64 timeout_us (INTEGER(64, false));
    required int64 incarnation (INTEGER(64, false));
    required int64 seq (INTEGER(64, false));
}";

/// What a file says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The number of the seal that made it.
    pub seal: u64,
    /// Whose results it holds; nothing: no agreement promised their services.
    pub agreement: Option<AgreementId>,
}

fn schema() -> TypePtr {
    Arc::new(parse_message_type(SCHEMA).expect("the schema is a constant that a test parses"))
}

#[cfg(test)]
pub(crate) mod tests;
