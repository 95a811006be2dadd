//! Probes a `dns` target.

use super::Means;
use super::trace::{Break, Trace};
use rules::check::DnsTarget;
use rules::evidence::Fault;
use std::time::Duration;

/// A target, ready to be probed.
#[derive(Debug)]
pub(crate) struct Dns {}

impl Dns {
    pub(crate) fn prepare(_target: &DnsTarget, _means: &Means) -> Result<Dns, Break> {
        Err(Break::new(Fault::Instruction, "this kind is not built yet"))
    }

    pub(crate) async fn look(&self, _means: &Means, _budget: Duration, _trace: &mut Trace) -> Result<(), Break> {
        Ok(())
    }
}
