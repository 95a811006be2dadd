//! What a query came to.

use super::Said;
use crate::number::Number;
use alloc::vec::Vec;

/// What a query came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PromqlFacts {
    /// The server answered with these series.
    Values(Vec<Sample>),
    /// The server answered with more series than are read.
    TooMany(usize),
    /// The server answered that it can't answer, or not as a Prometheus server does.
    Refused(Said),
}

/// The value of one series.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Its labels, as PromQL writes them; empty for a scalar.
    pub labels: Said,
    /// Its value; absent if it is not a number.
    pub value: Option<Number>,
}
