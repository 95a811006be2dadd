//! The threads that targets and links live on: not the test's own, which may be busy reading a database.

use std::sync::LazyLock;
use tokio::runtime::{Builder, Handle, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// Where to spawn what must go on whatever the test does.
pub(crate) fn handle() -> &'static Handle {
    RUNTIME.handle()
}
