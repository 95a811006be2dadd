//! Where a test's ledger lies, so that it can be opened twice and tampered with.

use super::server;
use crate::ledger::{self, Ledger, LedgerError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A place for one ledger. A failed test leaves its database behind, for a person to look at.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres { url: String, database: String },
}

impl Place {
    pub(crate) fn sqlite() -> Place {
        Place::Sqlite(TempDir::new().unwrap())
    }

    pub(crate) async fn postgres() -> Place {
        let database = format!("nines_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        server::execute(server::url(), &format!("CREATE DATABASE {database}")).await;
        Place::Postgres { url: server::database_url(&database), database }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Place::Sqlite(directory) => format!("sqlite:{}/made/ledger.db", directory.path().display()),
            Place::Postgres { url, .. } => url.clone(),
        }
    }

    pub(crate) async fn open(&self) -> Arc<dyn Ledger> {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Arc<dyn Ledger>, LedgerError> {
        ledger::open(&self.url()).await
    }

    /// Runs `sql` behind the ledger's back.
    pub(crate) async fn tamper(&self, sql: &str) {
        match self {
            Place::Sqlite(directory) => {
                let file = directory.path().join("made/ledger.db");
                rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
            }
            Place::Postgres { url, .. } => server::execute(url, sql).await,
        }
    }

    pub(crate) async fn remove(self) {
        if let Place::Postgres { database, .. } = self {
            server::execute(server::url(), &format!("DROP DATABASE {database} WITH (FORCE)")).await;
        }
    }
}
