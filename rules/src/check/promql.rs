//! What a `promql` check asks, and which values are good.

use super::target::TargetError;
use super::{HttpOptions, HttpTarget};
use crate::number::Number;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// An instant query to a Prometheus server, and the bounds that its values are held against.
#[derive(Clone, PartialEq, Debug)]
pub struct PromqlTarget {
    /// The expression, as written.
    pub query: String,
    /// The server's URL, up to where `/api/v1/query` follows.
    pub server: String,
    /// What every value that counts must keep.
    pub bounds: Vec<Bound>,
    /// How several series are read.
    pub series: SeriesRule,
    /// What an answer without a value means.
    pub no_data: NoData,
    /// Whose failure a server is that can't be asked.
    pub server_failure: ServerFailure,
    /// How the server is asked.
    pub options: HttpOptions,
}

impl PromqlTarget {
    /// The query for a server at an absolute URL, held against nothing; everything else has its default.
    pub fn unbounded(server: &str, query: &str) -> Result<PromqlTarget, TargetError> {
        HttpTarget::parse(server).map(|HttpTarget { url, options, .. }| PromqlTarget {
            query: query.into(),
            server: url.trim_end_matches('/').into(),
            bounds: Vec::new(),
            series: SeriesRule::default(),
            no_data: NoData::default(),
            server_failure: ServerFailure::default(),
            options,
        })
    }
}

/// A bound on a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// On which side of the limit the value must be.
    pub relation: Relation,
    /// The limit, finite, as written.
    pub limit: Number,
}

impl Bound {
    /// Whether `value` keeps it.
    pub fn holds(&self, value: &Number) -> bool {
        match self.relation {
            Relation::AtLeast => self.limit <= *value,
            Relation::AtMost => *value <= self.limit,
            Relation::Above => self.limit < *value,
            Relation::Below => *value < self.limit,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.relation {
            Relation::AtLeast => "at least",
            Relation::AtMost => "at most",
            Relation::Above => "above",
            Relation::Below => "below",
        };
        write!(f, "{words} {}", self.limit)
    }
}

/// On which side of a limit a value must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// `at_least`: the limit or more.
    AtLeast,
    /// `at_most`: the limit or less.
    AtMost,
    /// `above`: more than the limit.
    Above,
    /// `below`: less than the limit.
    Below,
}

/// How several series are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SeriesRule {
    /// Each must keep the bounds.
    #[default]
    All,
    /// One that keeps them is enough.
    Any,
}

/// What an answer without a value means. A value that is not a number is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NoData {
    /// Nothing is known of the target.
    #[default]
    Void,
    /// The target is down.
    Down,
    /// The target is well, as with errors of which there are none.
    Up,
}

/// Whose failure a server is that can't be reached, refuses the query or answers with nonsense.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ServerFailure {
    /// The tool's: it is not what is looked at.
    #[default]
    Void,
    /// The target's, as where the server itself is what was promised.
    Down,
}
