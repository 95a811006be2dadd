//! The whole of it: real agents, collectors and ledgers on loopback, held against what targets remember and spools hold.
//! Time never decides a test: each waits for what it wants to see, and compares with the truth by the probes that came.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod busy;
mod certificates;
mod copies;
mod delivery;
mod history;
mod ingest;
mod kinds;
mod outages;
mod reload;
mod up;

use std::time::Duration;
use tests::world::Store;

/// The `every` of a check whose outcome matters: long enough for a target to answer in time on a loaded machine.
const EVERY: Duration = Duration::from_secs(1);

/// Runs a test on either ledger, at the same time.
async fn on_each_ledger(test: impl AsyncFn(Store)) {
    tokio::join!(test(Store::Sqlite), test(Store::Postgres));
}

/// The services of a world with one service, `shop`, that has one check, `page`, of this target.
fn shop(target: &str) -> String {
    format!("      - {{ service: shop, checks: [{{ check: page, http: '{target}', every: 1s, timeout: 1s }}] }}")
}
