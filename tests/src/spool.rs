//! What an agent's spool holds: the truth about what the agent saw and kept.

use collector::lines::{Line, write};
use rules::block::Block;
use rules::result::SeriesKey;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Every block in the spool at `dir`, in order, with its bytes. Acknowledged ones are there for a day.
pub fn blocks(dir: &Path) -> Vec<(Block, Vec<u8>)> {
    let spool = Connection::open_with_flags(dir.join("spool.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut query = spool.prepare("SELECT seq, bytes FROM blocks ORDER BY seq").unwrap();
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let decode = |row: rusqlite::Result<(i64, Vec<u8>)>| {
        let (seq, bytes) = row.unwrap();
        let block = Block::decode(&bytes).unwrap();
        assert_eq!(block.seq, seq.cast_unsigned(), "a block lies under its own number");
        (block, bytes)
    };
    rows.map(decode).collect()
}

/// The results of these blocks as lines for `replay`.
pub fn lines<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> String {
    let mut text = String::new();
    for block in blocks {
        for series in &block.series {
            let (service, check) = (series.service.clone(), series.check.clone());
            let key = SeriesKey { agent: block.agent.clone(), service, check };
            for (result, note) in series.noted() {
                text.push_str(&write(&Line { series: key.clone(), result: *result, note: note.cloned(), sent: None }));
                text.push('\n');
            }
        }
    }
    text
}
