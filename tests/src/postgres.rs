//! Databases for system tests, on the server that the ledger's own contract is tested against.

#[path = "../../collector/src/ledger/contract/server.rs"]
mod server;

use std::sync::atomic::{AtomicU32, Ordering};

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A fresh database's URL. It is left behind for a person to look at, and goes with its server.
pub async fn database() -> String {
    let database = format!("system_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
    server::execute(server::url(), &format!("CREATE DATABASE {database}")).await;
    server::database_url(&database)
}

/// Ends every connection to the database with this URL.
pub(crate) async fn drop_connections(url: &str) {
    let place = url.split('?').next().unwrap();
    let (_, database) = place.rsplit_once('/').unwrap();
    let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    server::execute(server::url(), &sql).await;
}
