//! Probes an `exec` target.

use super::Means;
use super::trace::{Break, Trace};
use rules::check::ExecTarget;
use rules::evidence::Fault;
use std::time::Duration;

/// A target, ready to be probed.
#[derive(Debug)]
pub(crate) struct Exec {}

impl Exec {
    pub(crate) fn prepare(_target: &ExecTarget, _means: &Means) -> Result<Exec, Break> {
        Err(Break::new(Fault::Instruction, "this kind is not built yet"))
    }

    pub(crate) async fn look(&self, _means: &Means, _budget: Duration, _trace: &mut Trace) -> Result<(), Break> {
        Ok(())
    }
}
