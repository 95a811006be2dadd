//! What drawing up a month asks for, and what it gets: the seam between figures and their source.
//!
//! Two sources stand behind it: results in memory (`replay`) and the ledger. A source hands over
//! what was seen; it never reckons.

use hdrhistogram::Histogram;
use rules::agreement::Service;
use rules::check::Check;
use rules::id::{AgentId, CheckId};
use rules::interval::{Interval, IntervalSet};
use rules::latency::Population;
use rules::note::Note;
use rules::run::Run;
use rules::time::Timestamp;
use std::future::Future;
use std::time::Duration;

/// The significant digits of histograms: what a statement marks its percentiles with.
pub const SIGNIFICANT_DIGITS: u8 = 2;

/// Remarks on one stretch: more than anybody reads at once.
pub const REMARKS_MAX: usize = 100;

/// How long before a month a down stretch that touches it is looked for.
pub const REACH: Duration = Duration::from_hours(28 * 24);

/// What was seen from [`REACH`] before `month` on, whatever a source knows of the time before: so that
/// every source gives the same.
pub(super) fn within_reach(mut seen: Vec<Seen>, month: Interval) -> Vec<Seen> {
    let since = month.from().minus(REACH);
    for Seen { runs, .. } in &mut seen {
        runs.retain(|run| since < run.until);
        for run in runs.iter_mut() {
            run.first_at = run.first_at.max(since);
            run.last_at = run.last_at.max(since);
        }
    }
    seen
}

/// A source of evidence.
pub trait Evidence: Sync {
    /// Why it could not be read.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Every series of `service` with all its runs that touch `month`, and beyond both ends as far
    /// as a down stretch that touches it can reach.
    fn series(&self, service: &Service, month: Interval)
    -> impl Future<Output = Result<Vec<Seen>, Self::Error>> + Send;

    /// What the results of `check` within `measured` took, over all agents.
    fn latency(
        &self,
        service: &Service,
        check: &Check,
        measured: &IntervalSet,
    ) -> impl Future<Output = Result<Latency, Self::Error>> + Send;

    /// What is kept of the evidence of `service`'s results within `interval`, in order of time; at
    /// most [`REMARKS_MAX`].
    fn remarks(
        &self,
        service: &Service,
        interval: Interval,
    ) -> impl Future<Output = Result<Vec<Remark>, Self::Error>> + Send;

    /// How far the evidence of each agent that looks at `service` is complete.
    fn watermarks(&self, service: &Service) -> impl Future<Output = Result<Vec<Watermark>, Self::Error>> + Send;
}

/// What one agent saw of one check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Who looked.
    pub agent: AgentId,
    /// At what.
    pub check: CheckId,
    /// The series' runs, in order of time.
    pub runs: Vec<Run>,
}

/// What is kept of one result's evidence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Remark {
    /// When the attempt started.
    pub at: Timestamp,
    /// Who looked.
    pub agent: AgentId,
    /// At what.
    pub check: CheckId,
    /// What is kept. Its text is from outside.
    pub note: Note,
}

/// How long one check's results took.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Latency {
    /// The exact sums.
    pub population: Population,
    /// From a histogram; nothing without a population.
    pub percentiles: Option<Percentiles>,
    /// The sums by UTC hour, in order of time, for charts.
    pub hours: Vec<(Timestamp, Population)>,
}

/// Elapsed times from a histogram with two significant digits, never exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percentiles {
    /// Half of the results took at most this.
    pub p50: Duration,
    /// Nine tenths did.
    pub p90: Duration,
    /// Nineteen twentieths did.
    pub p95: Duration,
    /// All but a hundredth did.
    pub p99: Duration,
    /// All did.
    pub max: Duration,
}

impl Percentiles {
    /// Reads them off a histogram of microseconds; nothing if it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Option<Percentiles> {
        let at = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
        (!histogram.is_empty()).then(|| Percentiles {
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: Duration::from_micros(histogram.max()),
        })
    }
}

/// How far an agent's evidence is complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watermark {
    /// Whose.
    pub agent: AgentId,
    /// Nothing before this instant is still to come.
    pub complete_until: Timestamp,
}
