//! Probes a `grpc` target.

use super::Means;
use super::trace::{Break, Trace};
use rules::check::GrpcTarget;
use rules::evidence::Fault;
use std::time::Duration;

/// A target, ready to be probed.
#[derive(Debug)]
pub(crate) struct Grpc {}

impl Grpc {
    pub(crate) fn prepare(_target: &GrpcTarget, _means: &Means) -> Result<Grpc, Break> {
        Err(Break::new(Fault::Instruction, "this kind is not built yet"))
    }

    pub(crate) async fn look(&self, _means: &Means, _budget: Duration, _trace: &mut Trace) -> Result<(), Break> {
        Ok(())
    }
}
