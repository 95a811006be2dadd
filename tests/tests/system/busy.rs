//! A service that is probed so often that any instant is a bad one to die.

use std::ffi::OsStr;
use tests::patience::{eventually, holds};
use tests::program;
use tests::target::Target;
use tests::world::World;

/// Eight checks of one target, ten times a second each.
pub(crate) fn busy_shop(target: &Target) -> String {
    let check =
        |number| format!("{{ check: port-{number}, tcp: '{}', every: 100ms, timeout: 100ms }}", target.address());
    let checks: Vec<String> = (0..8).map(check).collect();
    format!("      - {{ service: shop, checks: [{}] }}", checks.join(", "))
}

/// Waits until `count` more probes came to the target.
pub(crate) async fn probed(target: &Target, count: usize) {
    let goal = target.count() + count;
    eventually(&format!("{count} more probes"), async || {
        holds(goal <= target.count(), || format!("{} of {goal}", target.count()))
    })
    .await;
}

/// Everything derived, made anew from the blocks, must be what was there.
pub(crate) fn assert_rebuild_finds_nothing(world: &World) {
    let config = world.collector_config();
    let arguments: [&OsStr; 4] = ["collector".as_ref(), "rebuild".as_ref(), "--config".as_ref(), config.as_ref()];
    program::answer(&arguments);
}
