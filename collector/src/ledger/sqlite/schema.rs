//! The tables in SQLite, their version, and how a connection is set up.
//!
//! Blocks are appended under a rising row id, so that writing them costs the same however many
//! agents there are; what finds them is three narrow indexes. Runs, hours and lanes are small rows
//! stored in the order in which they are read.

use crate::ledger::LedgerError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// The version of the schema that this program writes.
const VERSION: i64 = STEPS.len() as i64;
/// How long a transaction waits for another process's before it gives up; a commit takes
/// milliseconds, a migration seconds.
const BUSY_TIME: Duration = Duration::from_secs(20);
/// Two blocks of a little over 4 KiB don't fit one page of 8 KiB and waste half of it; with smaller
/// pages such a block flows over into pages of its own, which it fills.
const PAGE_BYTES: i64 = 4096;
/// The write-ahead log is cut back to this after a checkpoint; a long read may let it grow beyond.
const LOG_BYTES_KEPT: i64 = 64 << 20;
/// Page cache of a connection, in KiB: the hot ends of all indexes of some thousand agents.
const CACHE_KIB: i64 = 16 << 10;
/// Statements a connection keeps prepared: all that there are.
const STATEMENTS_MAX: usize = 80;

/// From each version to the next: a new ledger takes all steps, an older one those that it lacks.
const STEPS: [&str; 4] = [TABLES, EXTRAS, BOOKS, TURNS];

/// Version 2 counts an hour's results without weight.
const EXTRAS: &str = "ALTER TABLE hours ADD COLUMN extras INTEGER NOT NULL DEFAULT 0";

/// Version 4 tells of an incident in order.
const TURNS: &str = "
ALTER TABLE messages ADD COLUMN incident INTEGER;
ALTER TABLE messages ADD COLUMN entry INTEGER;
CREATE INDEX messages_by_turn ON messages (state, channel, agreement, incident, entry);
";

/// Version 3: the books, and what of an agent's blocks was forgotten.
const BOOKS: &str = "
CREATE TABLE records (
    agreement TEXT PRIMARY KEY,
    entries   INTEGER NOT NULL                 -- how many: the next one's number is one more
) STRICT;
CREATE TABLE entries (
    agreement   TEXT NOT NULL,
    number      INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    body        TEXT NOT NULL,
    hash        BLOB NOT NULL,
    PRIMARY KEY (agreement, number)
) STRICT;
CREATE TABLE messages (
    message   TEXT PRIMARY KEY,
    agreement TEXT NOT NULL,
    channel   TEXT NOT NULL,
    body      TEXT NOT NULL,
    due_at    INTEGER NOT NULL,                -- of the next attempt; once settled, when that was
    attempts  INTEGER NOT NULL,
    state     INTEGER NOT NULL,                -- 0 waits, 1 delivered, 2 given up
    error     TEXT
) STRICT;
CREATE INDEX messages_by_due ON messages (state, due_at);
CREATE TABLE statements (
    agreement TEXT NOT NULL,
    month     TEXT NOT NULL,
    version   INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    sha256    BLOB NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (agreement, month, version)
) STRICT;
CREATE TABLE seals (
    number      INTEGER PRIMARY KEY,
    sealed_at   INTEGER NOT NULL,
    manifest    TEXT NOT NULL,
    sha256      BLOB NOT NULL,
    verified_at INTEGER
) STRICT;
CREATE TABLE signing_keys (
    key_id       TEXT PRIMARY KEY,
    public       BLOB NOT NULL,
    published_at INTEGER NOT NULL,
    retired_at   INTEGER
) STRICT;
CREATE TABLE forgotten (
    agent_id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,                 -- the blocks before it are gone
    until_at INTEGER NOT NULL                  -- all their results were earlier
) STRICT;
";

/// The tables of version 1; never changed, for ledgers of that version are about.
const TABLES: &str = "
CREATE TABLE agents (
    agent_id         INTEGER PRIMARY KEY,
    agent            TEXT NOT NULL UNIQUE,
    position         INTEGER NOT NULL,
    incarnation_last INTEGER NOT NULL,
    span_ms_max      INTEGER NOT NULL          -- no block of the agent is longer
) STRICT;
CREATE TABLE lanes (
    agent_id    INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    next_seq    INTEGER NOT NULL,
    granted_at  INTEGER,                       -- none: the lane of imported history
    PRIMARY KEY (agent_id, incarnation)
) STRICT, WITHOUT ROWID;
CREATE TABLE blocks (
    block_id    INTEGER PRIMARY KEY,
    agent_id    INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    first_at    INTEGER,
    last_at     INTEGER,
    results     INTEGER NOT NULL,
    bytes       BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX blocks_by_position ON blocks (agent_id, position);
CREATE UNIQUE INDEX blocks_by_lane ON blocks (agent_id, incarnation, seq);
CREATE INDEX blocks_by_end ON blocks (agent_id, last_at) WHERE last_at IS NOT NULL;
CREATE TABLE series (
    series_id  INTEGER PRIMARY KEY,
    agent_id   INTEGER NOT NULL,
    service    TEXT NOT NULL,
    check_name TEXT NOT NULL,
    UNIQUE (agent_id, service, check_name)
) STRICT;
CREATE TABLE runs (
    agent_id  INTEGER NOT NULL,
    series_id INTEGER NOT NULL,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    until_at  INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    results   INTEGER NOT NULL,
    causes    BLOB NOT NULL,                   -- one byte a cause
    PRIMARY KEY (agent_id, series_id, first_at)
) STRICT, WITHOUT ROWID;
CREATE TABLE hours (
    agent_id    INTEGER NOT NULL,
    hour        INTEGER NOT NULL,
    series_id   INTEGER NOT NULL,
    ups         INTEGER NOT NULL,
    timeouts    INTEGER NOT NULL,
    other_downs INTEGER NOT NULL,
    voids       INTEGER NOT NULL,
    untimed     INTEGER NOT NULL,
    sum_us      TEXT NOT NULL,
    histogram   BLOB NOT NULL,
    PRIMARY KEY (agent_id, hour, series_id)    -- an hour's rows are written side by side
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
    agent_id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    bytes    BLOB NOT NULL
) STRICT;
CREATE TABLE quarantine (
    quarantine_id INTEGER PRIMARY KEY,
    agent         TEXT NOT NULL,
    incarnation   INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    reason        TEXT NOT NULL,
    bytes         BLOB NOT NULL
) STRICT;
";

/// A connection that may write; makes the file if it is not there.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIME)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    settle(&connection)?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIME)?;
    settle(&connection)?;
    Ok(connection)
}

/// A ledger that ends with its connection.
pub(crate) fn connect_in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    settle(&connection)?;
    Ok(connection)
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

/// Makes the tables, or checks that they are of a version that this program knows. Two processes
/// may do so at once: the second finds the work done.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let refuse = |source| LedgerError::Sqlite { doing: "make the tables", source };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refuse)?;
    let found = (|| {
        transaction.execute_batch("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)")?;
        transaction.execute("INSERT INTO meta VALUES ('schema', 0) ON CONFLICT DO NOTHING", [])?;
        transaction.query_row("SELECT value FROM meta WHERE name = 'schema'", [], |row| row.get::<_, i64>(0))
    })()
    .map_err(refuse)?;
    let steps = usize::try_from(found).ok().and_then(|found| STEPS.get(found..));
    let Some(steps) = steps else { return Err(LedgerError::Newer { found, known: VERSION }) };
    if steps.is_empty() {
        return Ok(());
    }
    for step in steps {
        transaction.execute_batch(step).map_err(refuse)?;
    }
    transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'schema'", [VERSION]).map_err(refuse)?;
    transaction.commit().map_err(refuse)
}
