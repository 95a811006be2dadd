//! From rows to a file, column by column.

use super::{FORMAT, KEY_AGREEMENT, KEY_FORMAT, KEY_SEAL, Label, schema};
use crate::archive::rows::{Row, SeriesRows};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{DeltaBinaryPackedEncoderOptions, EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;
use rules::result::Weight;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Level 6 takes the time of level 3 and a fiftieth fewer bytes; level 19 takes ten times as long for
/// another thirtieth.
const ZSTD_LEVEL: i32 = 6;
/// Differences of consecutive numbers are written as what they are above the least of so many. The
/// fewer leasts there are, the more the same slot looks the same everywhere, which is what Zstandard
/// then finds: with a least for every 256, an hour of late results takes a fifth more bytes.
const PACKED_TOGETHER: usize = 32_768;
/// Within those, groups of so many are as wide as their widest.
const PACKED_GROUP: usize = 128;
/// Rows of a group, which is what a reader has in memory at once.
const GROUP_ROWS: usize = 1 << 20;
/// A page for each column of a usual file: what is before it in the page is what Zstandard learns from.
const PAGE_BYTES: usize = 1 << 20;

/// The file with `series` in it.
pub(crate) fn write(label: &Label, series: &[SeriesRows]) -> Result<Vec<u8>, ParquetError> {
    let mut file = SerializedFileWriter::new(Vec::new(), schema(), Arc::new(properties(label)))?;
    let rows: Vec<(&SeriesRows, &Row)> =
        series.iter().flat_map(|series| series.rows.iter().map(move |row| (series, row))).collect();
    for rows in rows.chunks(GROUP_ROWS) {
        let mut group = file.next_row_group()?;
        write_group(&mut group, rows)?;
        group.close()?;
    }
    file.into_inner()
}

fn properties(label: &Label) -> WriterProperties {
    let mut told = vec![
        KeyValue::new(KEY_FORMAT.to_owned(), FORMAT.to_owned()),
        KeyValue::new(KEY_SEAL.to_owned(), label.seal.to_string()),
    ];
    told.extend(label.agreement.as_ref().map(|id| KeyValue::new(KEY_AGREEMENT.to_owned(), id.to_string())));
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("6 is a level of Zstandard");
    let packed = DeltaBinaryPackedEncoderOptions::try_new(PACKED_TOGETHER, PACKED_TOGETHER / PACKED_GROUP)
        .expect("the first is a multiple of 128, the second of 32");
    let mut properties = WriterProperties::builder()
        .set_created_by("nines".to_owned())
        .set_key_value_metadata(Some(told))
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_delta_binary_packed_encoder_options(packed)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(GROUP_ROWS)
        .set_dictionary_enabled(true);
    for (column, encoding) in [
        ("at", Encoding::DELTA_BINARY_PACKED),
        ("seq", Encoding::DELTA_BINARY_PACKED),
        ("elapsed_us", Encoding::BYTE_STREAM_SPLIT),
    ] {
        let path = ColumnPath::from(column);
        properties = properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
    }
    properties.build()
}

fn write_group(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[(&SeriesRows, &Row)],
) -> Result<(), ParquetError> {
    let mut names = Names::default();
    let mut name = |of: fn(&SeriesRows) -> &str| -> Vec<ByteArray> {
        rows.iter().map(|(series, _)| names.bytes(of(series))).collect()
    };
    required::<ByteArrayType>(group, &name(|of| of.series.agent.as_str()))?;
    required::<ByteArrayType>(group, &name(|of| of.series.service.as_str()))?;
    required::<ByteArrayType>(group, &name(|of| of.series.check.as_str()))?;
    required::<Int64Type>(group, &numbers(rows, |row| row.result.at.as_millis()))?;
    let kinds = rows.iter().map(|(_, row)| names.bytes(row.result.outcome.kind().as_str()));
    required::<ByteArrayType>(group, &kinds.collect::<Vec<_>>())?;
    let causes = rows.iter().map(|(_, row)| row.result.outcome.cause().map(|cause| names.bytes(cause.as_str())));
    optional::<ByteArrayType>(group, causes)?;
    optional::<Int64Type>(group, rows.iter().map(|(_, row)| row.result.latency().map(micros)))?;
    required::<BoolType>(group, &rows.iter().map(|(_, row)| row.result.weight == Weight::Extra).collect::<Vec<_>>())?;
    let notes = rows.iter().map(|(_, row)| row.note.as_ref().map(|note| ByteArray::from(note.as_str())));
    optional::<ByteArrayType>(group, notes)?;
    required::<Int64Type>(group, &numbers(rows, |row| micros(row.pace.every)))?;
    required::<Int64Type>(group, &numbers(rows, |row| micros(row.pace.timeout)))?;
    required::<Int64Type>(group, &numbers(rows, |row| row.incarnation.cast_signed()))?;
    required::<Int64Type>(group, &numbers(rows, |row| row.seq.cast_signed()))
}

fn numbers(rows: &[(&SeriesRows, &Row)], number: impl Fn(&Row) -> i64) -> Vec<i64> {
    rows.iter().map(|(_, row)| number(row)).collect()
}

/// Whole microseconds as the 64 bits of an unsigned integer: all that a block can say.
fn micros(length: Duration) -> i64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX).cast_signed()
}

fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    column::<T>(group, values, None)
}

fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut there, mut found) = (Vec::new(), Vec::new());
    for value in values {
        there.push(i16::from(value.is_some()));
        found.extend(value);
    }
    column::<T>(group, &found, Some(&there))
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    there: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("the schema has as many columns as are written");
    column.typed::<T>().write_batch(values, there, None)?;
    column.close()
}

/// Names as bytes, each held once.
#[derive(Default)]
struct Names(HashMap<String, ByteArray>);

impl Names {
    fn bytes(&mut self, name: &str) -> ByteArray {
        if let Some(bytes) = self.0.get(name) {
            return bytes.clone();
        }
        let bytes = ByteArray::from(name);
        self.0.insert(name.to_owned(), bytes.clone());
        bytes
    }
}
