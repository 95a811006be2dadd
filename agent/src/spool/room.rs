//! What goes when the spool is full, least valuable first: acknowledged blocks, then latency,
//! then the oldest results, which a tombstone stands for.

use super::store::{ROW_BYTES, Tally, signed, unsigned};
use rules::block::Block;
use rules::outcome::Cause;
use rusqlite::{OptionalExtension, Transaction, params};

/// Above this share of the limit blocks lose their latency: there is still time to see the alarm.
const BARE_FROM_PERCENT: u64 = 80;

/// The most blocks that one commit rewrites: it must not take seconds. An agent adds one block a
/// commit, so this catches up with any backlog.
const REWRITTEN_MAX: u32 = 64;

/// Makes room until the spool is below its marks or nothing more can go in this step.
pub(super) fn make(step: &Transaction<'_>, tally: &mut Tally, at_most: u64) -> Result<(), rusqlite::Error> {
    let bare_from = at_most / 100 * BARE_FROM_PERCENT;
    for _ in 0..REWRITTEN_MAX {
        if tally.bytes <= bare_from || tally.held.unacknowledged <= tally.held.oldest {
            break;
        }
        let below = tally.held.oldest + 1;
        forget(step, tally, below)?;
    }
    for _ in 0..REWRITTEN_MAX {
        if tally.bytes <= bare_from || !strip(step, tally)? {
            break;
        }
    }
    for _ in 0..REWRITTEN_MAX {
        if tally.bytes <= at_most || !bury(step, tally)? {
            break;
        }
    }
    Ok(())
}

/// Deletes the blocks before `below`.
pub(super) fn forget(step: &Transaction<'_>, tally: &mut Tally, below: u64) -> Result<(), rusqlite::Error> {
    let sql = "SELECT coalesce(sum(length(bytes) + ?1), 0) FROM blocks WHERE seq < ?2";
    let bytes = step.prepare_cached(sql)?.query_row([ROW_BYTES, below].map(signed), |row| row.get(0))?;
    step.prepare_cached("DELETE FROM blocks WHERE seq < ?1")?.execute([signed(below)])?;
    tally.bytes -= unsigned(bytes);
    tally.held.oldest = below;
    Ok(())
}

/// Takes the latency out of the oldest block that may still have one; false: there is none.
fn strip(step: &Transaction<'_>, tally: &mut Tally) -> Result<bool, rusqlite::Error> {
    let seq = 1 + tally.bare_through.max(tally.offered_through).max(tally.held.unacknowledged - 1);
    let mut query = step.prepare_cached("SELECT bytes FROM blocks WHERE seq = ?1")?;
    let Some(bytes) = query.query_row([signed(seq)], |row| row.get::<_, Vec<u8>>(0)).optional()? else {
        return Ok(false);
    };
    tally.bare_through = seq;
    // What does not decode goes to the collector as it is: its quarantine is where it is looked at.
    let Ok(block) = Block::decode(&bytes) else { return Ok(true) };
    let bare = block.without_latency().encode();
    step.prepare_cached("UPDATE blocks SET bytes = ?2 WHERE seq = ?1")?.execute(params![signed(seq), bare])?;
    tally.bytes = tally.bytes - bytes.len() as u64 + bare.len() as u64;
    Ok(true)
}

/// Puts a tombstone in the place of the oldest block that never left; false: there is none.
fn bury(step: &Transaction<'_>, tally: &mut Tally) -> Result<bool, rusqlite::Error> {
    let seq = 1 + tally.buried_through.max(tally.offered_through).max(tally.held.unacknowledged - 1);
    let mut query = step.prepare_cached("SELECT bytes FROM blocks WHERE seq = ?1")?;
    let Some(bytes) = query.query_row([signed(seq)], |row| row.get::<_, Vec<u8>>(0)).optional()? else {
        return Ok(false);
    };
    tally.buried_through = seq;
    let Ok(block) = Block::decode(&bytes) else { return Ok(true) };
    let buried = block.buried(Cause::SpoolFull).encode();
    let sql = "UPDATE blocks SET results = 0, bytes = ?2 WHERE seq = ?1";
    step.prepare_cached(sql)?.execute(params![signed(seq), buried])?;
    tally.bytes = tally.bytes - bytes.len() as u64 + buried.len() as u64;
    tally.results -= block.len() as u64;
    tally.results_buried += block.len() as u64;
    Ok(true)
}
