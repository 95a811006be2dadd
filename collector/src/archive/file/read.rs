//! From a file to rows. A file of another program is refused, not guessed at.

use super::{FORMAT, KEY_AGREEMENT, KEY_FORMAT, KEY_SEAL, Label, schema};
use crate::archive::rows::{Row, SeriesRows};
use bytes::Bytes;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use rules::id::NotAName;
use rules::note::Note;
use rules::outcome::{Cause, Outcome, OutcomeKind};
use rules::result::{Pace, ProbeResult, SeriesKey, Weight};
use rules::time::Timestamp;
use std::str::FromStr;
use std::time::Duration;

/// The most rows that a file may claim: a hundred times what a seal writes.
const ROWS_MAX: usize = 1 << 26;

/// Why a file is none of the archive's.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is no Parquet.
    #[error("it is not readable as Parquet")]
    Parquet(#[from] ParquetError),
    /// It is Parquet of something else.
    #[error("it is not a file of format {FORMAT}: {0}")]
    Foreign(&'static str),
    /// A name in it is none.
    #[error("it has a bad name")]
    Name(#[from] NotAName),
    /// A value in it can't be one.
    #[error("its column `{column}` has {what}")]
    Value {
        /// Which column.
        column: &'static str,
        /// What is there.
        what: &'static str,
    },
}

/// What the file says of itself, and the results in it.
pub(crate) fn read(bytes: Bytes) -> Result<(Label, Vec<SeriesRows>), FileError> {
    let file = SerializedFileReader::new(bytes)?;
    if file.metadata().file_metadata().schema_descr().root_schema() != &*schema() {
        return Err(FileError::Foreign("its columns are others"));
    }
    let label = label(&file)?;
    let mut series: Vec<SeriesRows> = Vec::new();
    for group in 0..file.num_row_groups() {
        read_group(&*file.get_row_group(group)?, &mut series)?;
    }
    Ok((label, series))
}

fn label(file: &SerializedFileReader<Bytes>) -> Result<Label, FileError> {
    let told = file.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| told?.iter().find(|pair| pair.key == key)?.value.clone();
    if value(KEY_FORMAT).as_deref() != Some(FORMAT) {
        return Err(FileError::Foreign("its metadata has no `nines.format` of this version"));
    }
    let seal = value(KEY_SEAL).and_then(|number| number.parse().ok());
    let seal = seal.ok_or(FileError::Foreign("its metadata has no `nines.seal`"))?;
    let agreement = value(KEY_AGREEMENT).map(|name| name.parse()).transpose()?;
    Ok(Label { seal, agreement })
}

fn read_group(group: &dyn RowGroupReader, series: &mut Vec<SeriesRows>) -> Result<(), FileError> {
    let rows = usize::try_from(group.metadata().num_rows()).ok().filter(|rows| *rows <= ROWS_MAX);
    let rows = rows.ok_or(FileError::Value { column: "agent", what: "more rows than any seal writes" })?;
    let mut columns = Columns { group, next: 0, rows };
    let (agent, service, check) = (columns.texts("agent")?, columns.texts("service")?, columns.texts("check")?);
    let at = columns.required::<Int64Type>("at")?;
    let (outcome, cause) = (columns.texts("outcome")?, columns.optional::<ByteArrayType>("cause")?);
    let elapsed = columns.optional::<Int64Type>("elapsed_us")?;
    let extra = columns.required::<BoolType>("extra")?;
    let note = columns.optional::<ByteArrayType>("note")?;
    let (every, timeout) = (columns.required::<Int64Type>("every_us")?, columns.required::<Int64Type>("timeout_us")?);
    let incarnation = columns.required::<Int64Type>("incarnation")?;
    let seq = columns.required::<Int64Type>("seq")?;
    for row in 0..rows {
        let same = |of: &SeriesRows| {
            of.series.agent.as_str().as_bytes() == agent[row].data()
                && of.series.check.as_str().as_bytes() == check[row].data()
                && of.series.service.as_str().as_bytes() == service[row].data()
        };
        if !series.last().is_some_and(same) {
            let (agent, service, check) =
                (name("agent", &agent[row])?, name("service", &service[row])?, name("check", &check[row])?);
            series.push(SeriesRows { series: SeriesKey { agent, service, check }, rows: Vec::new() });
        }
        let Some(of) = series.last_mut() else { continue };
        of.rows.push(Row {
            result: ProbeResult {
                at: instant(at[row])?,
                outcome: judged(&outcome[row], cause[row].as_ref())?,
                elapsed: elapsed[row].map_or(Duration::ZERO, micros),
                weight: if extra[row] { Weight::Extra } else { Weight::Slot },
            },
            pace: Pace { every: micros(every[row]), timeout: micros(timeout[row]) },
            note: note[row].as_ref().map(|note| text("note", note)).transpose()?.and_then(Note::new),
            incarnation: incarnation[row].cast_unsigned(),
            seq: seq[row].cast_unsigned(),
        });
    }
    Ok(())
}

fn judged(kind: &ByteArray, cause: Option<&ByteArray>) -> Result<Outcome, FileError> {
    let kind = OutcomeKind::from_word(text("outcome", kind)?);
    let kind = kind.ok_or(FileError::Value { column: "outcome", what: "a word that is no outcome" })?;
    let cause = cause.map(|word| text("cause", word)).transpose()?.map(Cause::from_word);
    match (kind, cause) {
        (OutcomeKind::Up, Some(_)) => Err(FileError::Value { column: "cause", what: "a cause beside `up`" }),
        (kind, cause) => Ok(Outcome::new(kind, cause)),
    }
}

fn instant(millis: i64) -> Result<Timestamp, FileError> {
    let inside = (0..=Timestamp::MAX.as_millis()).contains(&millis);
    let at = inside.then(|| Timestamp::from_millis(millis));
    at.ok_or(FileError::Value { column: "at", what: "an instant outside the calendar" })
}

fn micros(length: i64) -> Duration {
    Duration::from_micros(length.cast_unsigned())
}

fn text<'a>(column: &'static str, bytes: &'a ByteArray) -> Result<&'a str, FileError> {
    bytes.as_utf8().map_err(|_| FileError::Value { column, what: "bytes that are no UTF-8" })
}

fn name<T: FromStr<Err = NotAName>>(column: &'static str, bytes: &ByteArray) -> Result<T, FileError> {
    Ok(text(column, bytes)?.parse()?)
}

/// The columns of a group, in order.
struct Columns<'a> {
    group: &'a dyn RowGroupReader,
    next: usize,
    rows: usize,
}

impl Columns<'_> {
    fn texts(&mut self, column: &'static str) -> Result<Vec<ByteArray>, FileError> {
        self.required::<ByteArrayType>(column)
    }

    fn required<T: DataType>(&mut self, column: &'static str) -> Result<Vec<T::T>, FileError> {
        let (values, _) = self.column::<T>(column)?;
        match values.len() == self.rows {
            true => Ok(values),
            false => Err(FileError::Value { column, what: "fewer values than rows" }),
        }
    }

    fn optional<T: DataType>(&mut self, column: &'static str) -> Result<Vec<Option<T::T>>, FileError> {
        let (values, there) = self.column::<T>(column)?;
        let mut values = values.into_iter();
        Ok(there.into_iter().map(|level| if level == 1 { values.next() } else { None }).collect())
    }

    fn column<T: DataType>(&mut self, column: &'static str) -> Result<(Vec<T::T>, Vec<i16>), FileError> {
        let mut reader = get_typed_column_reader::<T>(self.group.get_column_reader(self.next)?);
        self.next += 1;
        let (mut values, mut there) = (Vec::new(), Vec::new());
        let mut read = 0;
        while read < self.rows {
            let (records, _, _) = reader.read_records(self.rows - read, Some(&mut there), None, &mut values)?;
            if records == 0 {
                return Err(FileError::Value { column, what: "fewer values than rows" });
            }
            read += records;
        }
        Ok((values, there))
    }
}
