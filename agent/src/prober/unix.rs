//! Probes an `unix` target.

use super::Means;
use super::trace::{Break, Trace};
use rules::check::UnixTarget;
use rules::evidence::Fault;
use std::time::Duration;

/// A target, ready to be probed.
#[derive(Debug)]
pub(crate) struct Unix {}

impl Unix {
    pub(crate) fn prepare(_target: &UnixTarget, _means: &Means) -> Result<Unix, Break> {
        Err(Break::new(Fault::Instruction, "this kind is not built yet"))
    }

    pub(crate) async fn look(&self, _means: &Means, _budget: Duration, _trace: &mut Trace) -> Result<(), Break> {
        Ok(())
    }
}
