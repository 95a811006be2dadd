//! The spool's database: what is in it, and the steps that change it. Every call may block.
//!
//! After any error the store is to be dropped and opened again: a handle that failed to sync has
//! forgotten what it failed to write, and the counts kept here may be ahead of the disk.

use super::{Settings, SpoolError, database, room};
use rules::block::Block;
use rules::delivery::sender::Held;
use rules::delivery::{Incarnation, SEQ_FIRST, body_bytes};
use rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::time::Duration;

/// The layout drawn in [`super`]; a spool with a higher one is refused.
const LAYOUT: i64 = 1;

/// How long acknowledged blocks stay while there is room.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// Acknowledgements within this time share a row: a day has at most 1 440 rows.
const ACK_EVERY: Duration = Duration::from_secs(60);

/// Blocks are marked as offered this far ahead, so that a spool without a backlog, whose blocks
/// leave at once, needs no second commit to say so.
const OFFERED_AHEAD: u64 = 64;

/// What a row takes beside its bytes.
pub(super) const ROW_BYTES: u64 = 48;

const SCHEMA: &str = "
    CREATE TABLE spool (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        agent TEXT NOT NULL,
        incarnation INTEGER,
        next_seq INTEGER NOT NULL,
        offered_through INTEGER NOT NULL,
        bare_through INTEGER NOT NULL,
        buried_through INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE blocks (
        seq INTEGER PRIMARY KEY,
        made_at INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        results INTEGER NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE acks (below INTEGER PRIMARY KEY, acknowledged_at INTEGER NOT NULL) STRICT;
";

/// What the one row of `spool` and the sums over `blocks` say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tally {
    pub(super) held: Held,
    pub(super) offered_through: u64,
    pub(super) bare_through: u64,
    pub(super) buried_through: u64,
    /// Results in blocks that are not acknowledged.
    pub(super) results: u64,
    /// Bytes of all rows.
    pub(super) bytes: u64,
    /// Results that tombstones have taken the place of since the store was opened.
    pub(super) results_buried: u64,
}

#[derive(Debug)]
pub(super) struct Store {
    db: Connection,
    at_most: u64,
    incarnation: Option<Incarnation>,
    tally: Tally,
}

impl Store {
    pub(super) fn open(settings: &Settings) -> Result<Store, SpoolError> {
        let dir = || settings.dir.clone();
        let refuse = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy) => SpoolError::InUse { dir: dir() },
            Some(_) | None => SpoolError::Database { dir: dir(), source },
        };
        let mut db = connect(settings).map_err(refuse)?;
        let found = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refuse)?;
        match found {
            0 => create(&mut db, settings).map_err(refuse)?,
            LAYOUT => {}
            found => return Err(SpoolError::Layout { dir: dir(), found, known: LAYOUT }),
        }
        let owner: String = db.query_row("SELECT agent FROM spool", [], |row| row.get(0)).map_err(refuse)?;
        if owner != settings.agent.as_str() {
            return Err(SpoolError::OtherAgent { dir: dir(), owner, agent: settings.agent.clone() });
        }
        let (incarnation, tally) = load(&db).map_err(refuse)?;
        Ok(Store { db, at_most: settings.at_most, incarnation, tally })
    }

    pub(super) fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The first instant of the oldest block that is not acknowledged.
    pub(super) fn oldest_at(&self) -> Result<Option<Timestamp>, rusqlite::Error> {
        let mut query = self.db.prepare_cached("SELECT first_at FROM blocks WHERE seq = ?1")?;
        let oldest = query.query_row([signed(self.tally.held.unacknowledged)], |row| row.get(0)).optional()?;
        Ok(oldest.map(Timestamp::from_millis))
    }

    /// Whether even tombstones no longer fit: everything that could go has gone.
    pub(super) fn is_full(&self) -> bool {
        self.at_most + self.at_most / 8 < self.tally.bytes
    }

    /// Makes `block` durable, whose `seq` is the next one, and makes room if there is too little.
    pub(super) fn append(&mut self, block: &Block, now: Timestamp) -> Result<(), rusqlite::Error> {
        assert_eq!(block.seq, self.tally.held.next, "blocks are numbered without a gap");
        let mut tally = self.tally;
        let bytes = block.encode();
        let (first, last) = block.span().unwrap_or((now, now));
        let results = block.len() as u64;
        let step = self.db.transaction()?;
        step.prepare_cached("INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
            signed(block.seq),
            now.as_millis(),
            first.as_millis(),
            last.as_millis(),
            signed(results),
            bytes
        ])?;
        tally.held.next += 1;
        tally.results += results;
        tally.bytes += bytes.len() as u64 + ROW_BYTES;
        if tally.held.next - tally.held.unacknowledged <= OFFERED_AHEAD {
            tally.offered_through = tally.offered_through.max(block.seq);
        }
        room::make(&step, &mut tally, self.at_most)?;
        save(&step, &tally)?;
        step.commit()?;
        self.tally = tally;
        Ok(())
    }

    /// The bytes of the blocks from `from` on that fit a body of `bytes_at_most`, but at least one.
    pub(super) fn read(&mut self, from: u64, bytes_at_most: usize) -> Result<Vec<Vec<u8>>, rusqlite::Error> {
        let (mut blocks, mut room) = (Vec::new(), bytes_at_most);
        {
            let mut query = self.db.prepare_cached("SELECT bytes FROM blocks WHERE ?1 <= seq ORDER BY seq")?;
            let mut rows = query.query([signed(from)])?;
            while let Some(row) = rows.next()? {
                let bytes: Vec<u8> = row.get(0)?;
                match room.checked_sub(body_bytes(bytes.len())) {
                    Some(left) => room = left,
                    None if blocks.is_empty() => room = 0,
                    None => break,
                }
                blocks.push(bytes);
            }
        }
        let last = from + blocks.len() as u64 - 1;
        if !blocks.is_empty() && self.tally.offered_through < last {
            let mut tally = self.tally;
            tally.offered_through = (last + OFFERED_AHEAD).min(tally.held.next - 1);
            self.change(tally)?;
        }
        Ok(blocks)
    }

    /// Every block before `below` is safe elsewhere.
    pub(super) fn acknowledge(&mut self, below: u64, now: Timestamp) -> Result<(), rusqlite::Error> {
        let mut tally = self.tally;
        let below = below.min(tally.held.next);
        if below <= tally.held.unacknowledged {
            return Ok(());
        }
        tally.results -= results_between(&self.db, tally.held.unacknowledged, below)?;
        tally.held.unacknowledged = below;
        self.db.pragma_update(None, "synchronous", "NORMAL")?;
        let step = self.db.transaction()?;
        let since = now.minus(ACK_EVERY).as_millis();
        let recent = step
            .prepare_cached(
                "UPDATE acks SET below = ?1 WHERE below = (SELECT max(below) FROM acks) AND ?2 <= acknowledged_at",
            )?
            .execute([signed(below), since])?;
        if recent == 0 {
            step.prepare_cached("INSERT INTO acks VALUES (?1, ?2)")?.execute([signed(below), now.as_millis()])?;
        }
        step.commit()?;
        self.db.pragma_update(None, "synchronous", "FULL")?;
        self.tally = tally;
        Ok(())
    }

    /// The collector's next block is `to`: from there on nothing is acknowledged or offered.
    pub(super) fn rewind(&mut self, to: u64) -> Result<(), rusqlite::Error> {
        let mut tally = self.tally;
        let to = to.clamp(tally.held.oldest, tally.held.unacknowledged);
        tally.results += results_between(&self.db, to, tally.held.unacknowledged)?;
        tally.held.unacknowledged = to;
        tally.offered_through = tally.offered_through.min(to - 1);
        let step = self.db.transaction()?;
        step.execute(
            "INSERT OR IGNORE INTO acks SELECT ?1, acknowledged_at FROM acks WHERE ?1 < below ORDER BY below LIMIT 1",
            [signed(to)],
        )?;
        step.execute("DELETE FROM acks WHERE ?1 < below", [signed(to)])?;
        save(&step, &tally)?;
        step.commit()?;
        self.tally = tally;
        Ok(())
    }

    /// Keeps the collector's grant; in the new lane nothing has been offered yet.
    pub(super) fn keep(&mut self, incarnation: Incarnation) -> Result<(), rusqlite::Error> {
        let mut tally = self.tally;
        tally.offered_through = tally.held.unacknowledged - 1;
        let step = self.db.transaction()?;
        step.execute("UPDATE spool SET incarnation = ?1", [signed(incarnation.0)])?;
        save(&step, &tally)?;
        step.commit()?;
        (self.incarnation, self.tally) = (Some(incarnation), tally);
        Ok(())
    }

    /// Lets go of what was acknowledged more than 24 h ago.
    pub(super) fn expire(&mut self, now: Timestamp) -> Result<(), rusqlite::Error> {
        let limit = now.minus(KEPT_FOR).as_millis();
        let mut query = self.db.prepare_cached("SELECT max(below) FROM acks WHERE acknowledged_at < ?1")?;
        let below: Option<i64> = query.query_row([limit], |row| row.get(0))?;
        drop(query);
        let Some(below) = below.map(unsigned).filter(|below| self.tally.held.oldest < *below) else { return Ok(()) };
        let mut tally = self.tally;
        let step = self.db.transaction()?;
        room::forget(&step, &mut tally, below)?;
        step.execute("DELETE FROM acks WHERE below < ?1", [signed(below)])?;
        save(&step, &tally)?;
        step.commit()?;
        self.tally = tally;
        Ok(())
    }

    fn change(&mut self, tally: Tally) -> Result<(), rusqlite::Error> {
        let step = self.db.transaction()?;
        save(&step, &tally)?;
        step.commit()?;
        self.tally = tally;
        Ok(())
    }

    /// Makes every further write fail until the store is opened again.
    #[cfg(test)]
    pub(super) fn break_the_disk(&self) {
        self.db.pragma_update(None, "query_only", true).unwrap();
    }
}

fn connect(settings: &Settings) -> Result<Connection, rusqlite::Error> {
    let db = Connection::open(database(&settings.dir))?;
    db.busy_timeout(Duration::ZERO)?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    Ok(db)
}

fn create(db: &mut Connection, settings: &Settings) -> Result<(), rusqlite::Error> {
    let step = db.transaction()?;
    step.execute_batch(SCHEMA)?;
    step.execute(
        "INSERT INTO spool VALUES (1, ?1, NULL, ?2, ?3, ?3, ?3)",
        params![settings.agent.as_str(), signed(SEQ_FIRST), signed(SEQ_FIRST - 1)],
    )?;
    step.pragma_update(None, "user_version", LAYOUT)?;
    step.commit()
}

fn load(db: &Connection) -> Result<(Option<Incarnation>, Tally), rusqlite::Error> {
    let (incarnation, next, offered_through, bare_through, buried_through) = db.query_row(
        "SELECT incarnation, next_seq, offered_through, bare_through, buried_through FROM spool",
        [],
        |row| Ok((row.get::<_, Option<i64>>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )?;
    let next = unsigned(next);
    let (oldest, bytes): (Option<i64>, i64) = db.query_row(
        "SELECT min(seq), coalesce(sum(length(bytes) + ?1), 0) FROM blocks",
        [signed(ROW_BYTES)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let oldest = oldest.map_or(next, unsigned);
    let acknowledged: Option<i64> = db.query_row("SELECT max(below) FROM acks", [], |row| row.get(0))?;
    let unacknowledged = acknowledged.map_or(oldest, unsigned).clamp(oldest, next);
    let tally = Tally {
        held: Held { oldest, unacknowledged, next },
        offered_through: unsigned(offered_through),
        bare_through: unsigned(bare_through),
        buried_through: unsigned(buried_through),
        results: results_between(db, unacknowledged, next)?,
        bytes: unsigned(bytes),
        results_buried: 0,
    };
    Ok((incarnation.map(|incarnation| Incarnation(unsigned(incarnation))), tally))
}

fn save(step: &Transaction<'_>, tally: &Tally) -> Result<(), rusqlite::Error> {
    let sql = "UPDATE spool SET next_seq = ?1, offered_through = ?2, bare_through = ?3, buried_through = ?4";
    step.prepare_cached(sql)?
        .execute([tally.held.next, tally.offered_through, tally.bare_through, tally.buried_through].map(signed))?;
    Ok(())
}

fn results_between(db: &Connection, from: u64, until: u64) -> Result<u64, rusqlite::Error> {
    let sql = "SELECT coalesce(sum(results), 0) FROM blocks WHERE ?1 <= seq AND seq < ?2";
    db.prepare_cached(sql)?.query_row([from, until].map(signed), |row| row.get(0)).map(unsigned)
}

/// SQLite's integers have a sign; no count of ours reaches it.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The reverse of [`signed`].
pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
