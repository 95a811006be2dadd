//! History from a Prometheus server: the samples of `probe_success` become results.
//!
//! Samples are asked for as they were scraped, by a range selector, never by `query_range`: that
//! repeats the last sample for up to five minutes, and a gap would look like uptime. What was not
//! scraped stays a gap. A sample's timestamp is that of its scrape's start, so it is the result's
//! `at`; the duration series' sample of the same timestamp is its elapsed time. Why a probe failed
//! is not on record there: its cause is `other`.
//!
//! The range is taken in window by window. Each window is durable before the next is asked for, and
//! noted in a file beside the configuration, so that an import goes on where it was cut off; doing a
//! window twice changes nothing.

mod api;
mod naming;
mod progress;

use super::{ImportError, Imported, Importer, Results};
use crate::ledger::Ledger;
pub use api::{Access, Api, ApiError};
use api::{Matrix, Samples};
use daemon::clock::Clock;
pub use naming::{Naming, NamingError, Part};
use progress::Progress;
pub use progress::ProgressError;
use rules::agreement::Agreement;
use rules::block::Builder;
use rules::interval::Interval;
use rules::outcome::{Cause, Outcome};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The first window: an hour of a thousand series, scraped every 15 s, is a quarter of a million
/// samples; the server's own limit is fifty million.
const WINDOW_FIRST: Duration = Duration::from_secs(6 * 3600);
/// No window is shorter: a server that can't answer for one minute can't answer.
const WINDOW_LEAST: Duration = Duration::from_secs(60);
/// The name of the metric that `probe_success` has beside it.
const DURATION_METRIC: &str = "probe_duration_seconds";
/// The name of the metric that is imported when nothing else is said.
const SUCCESS_METRIC: &str = "probe_success";

/// What to import.
#[derive(Clone, Debug)]
pub struct Request {
    /// A vector selector whose samples are 1 (up) or 0 (down).
    pub query: String,
    /// One whose samples are seconds; absent: `query` with `probe_duration_seconds` in the place of
    /// `probe_success`, if that is what it begins with.
    pub duration_query: Option<String>,
    /// From when until when.
    pub range: Interval,
    /// How the probes followed each other, if not as their checks say.
    pub every: Option<Duration>,
    /// Where the import's progress is kept.
    pub progress: PathBuf,
}

/// Why history could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// The server did not answer as it should.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A series can't be told apart, or belongs to no check.
    #[error(transparent)]
    Naming(#[from] NamingError),
    /// A sample is neither 1 nor 0.
    #[error(
        "a sample of {series} at {at} is {value}; results are 1 (up) or 0 (down): give a query such as `probe_success{{…}}`"
    )]
    NotAnOutcome {
        /// The series' labels.
        series: String,
        /// When.
        at: Timestamp,
        /// What it is.
        value: f64,
    },
    /// Probes were rarer than the check says, so each would seem to leave a gap behind it.
    #[error(
        "probes of check `{}` of service `{}` came every {} s, and the configuration says every {} s: give --every {}s",
        .series.check, .series.service, .found.as_secs(), .configured.as_secs(), .found.as_secs()
    )]
    Rarer {
        /// The series.
        series: SeriesKey,
        /// The distance that most of its samples have.
        found: Duration,
        /// The check's `every`.
        configured: Duration,
    },
    /// The progress could not be kept.
    #[error(transparent)]
    Progress(#[from] ProgressError),
    /// The ledger did not take it.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Where an import stands, told after each window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Everything before this instant is in the ledger.
    pub done_until: Timestamp,
    /// What came of it so far, in this process.
    pub imported: Imported,
}

/// Imports `request` into `ledger`, telling each step. Samples are counted as lines.
pub async fn import(
    ledger: Arc<dyn Ledger>,
    clock: Clock,
    api: &Api,
    naming: &Naming,
    (agreements, request): (&[Agreement], &Request),
    mut tell: impl FnMut(Step),
) -> Result<Imported, PrometheusError> {
    let progress = Progress::open(&request.progress, &fingerprint(api, naming, request))?;
    let mut importer = Importer::new(ledger, clock.clone());
    let mut imported = Imported::default();
    let mut from = progress.done_until().unwrap_or(request.range.from()).max(request.range.from());
    tell(Step { done_until: from, imported });
    let mut length = WINDOW_FIRST;
    while let Some(rest) = Interval::new(from, request.range.until()) {
        let until = rest.from().plus(length).min(rest.until());
        let window = Interval::new(from, until).unwrap_or(rest);
        let samples = match samples(api, &clock, request, window).await {
            Err(ApiError::TooMuch { .. }) if WINDOW_LEAST < length => {
                length = (length / 2).max(WINDOW_LEAST);
                continue;
            }
            other => other?,
        };
        let results = results(&samples, naming, agreements, request.every)?;
        let taken = importer.take_in(results, &BTreeMap::new()).await?;
        imported.lines += samples.count();
        imported.results += taken.results;
        imported.blocks += taken.blocks;
        from = window.until();
        progress.note(from)?;
        tell(Step { done_until: from, imported });
    }
    progress.end()?;
    Ok(imported)
}

/// What one import is told from another by: continuing with other settings would mix two.
fn fingerprint(api: &Api, naming: &Naming, request: &Request) -> String {
    let Request { query, duration_query, range, every, progress: _ } = request;
    format!("{}\n{query}\n{duration_query:?}\n{range:?}\n{every:?}\n{naming:?}", api.base())
}

/// One window's samples.
struct Window {
    successes: Matrix,
    durations: Matrix,
}

impl Window {
    fn count(&self) -> u64 {
        self.successes.iter().map(|series| series.values.len() as u64).sum()
    }
}

async fn samples(api: &Api, clock: &Clock, request: &Request, window: Interval) -> Result<Window, ApiError> {
    let durations = request.duration_query.clone().or_else(|| {
        let rest = request.query.trim_start().strip_prefix(SUCCESS_METRIC)?;
        (rest.is_empty() || rest.starts_with(['{', ' '])).then(|| format!("{DURATION_METRIC}{rest}"))
    });
    let successes = api.samples(clock, &request.query, window).await?;
    let durations = match durations {
        Some(query) => api.samples(clock, &query, window).await?,
        None => Matrix::new(),
    };
    Ok(Window { successes, durations })
}

fn results(
    window: &Window,
    naming: &Naming,
    agreements: &[Agreement],
    every: Option<Duration>,
) -> Result<Results, PrometheusError> {
    let durations: HashMap<_, _> = window.durations.iter().map(|series| (series.identity(), series)).collect();
    let mut results = Results::new();
    for series in &window.successes {
        let (key, check) = naming.name(&series.labels, agreements)?;
        let pace = Pace { every: every.unwrap_or(check.every), timeout: check.timeout };
        if every.is_none() {
            refuse_rarer(series, &key, pace.every)?;
        }
        let took = durations.get(&series.identity()).copied();
        let own = outcomes(series, took, &key, pace)?;
        if results.insert(key.clone(), own).is_some() {
            return Err(NamingError::Twice { series: key }.into());
        }
    }
    Ok(results)
}

fn outcomes(
    series: &Samples,
    took: Option<&Samples>,
    key: &SeriesKey,
    pace: Pace,
) -> Result<Vec<(ProbeResult, Pace)>, PrometheusError> {
    let took: HashMap<Timestamp, f64> = took.map(|took| took.values.iter().copied().collect()).unwrap_or_default();
    let result = |(at, value): &(Timestamp, f64)| {
        let outcome = match *value {
            1.0 => Outcome::Up,
            0.0 => Outcome::Down(Cause::Other),
            value => return Err(PrometheusError::NotAnOutcome { series: series.said(), at: *at, value }),
        };
        if !Builder::takes(*at) {
            return Err(ImportError::TooOld { series: key.clone(), at: *at }.into());
        }
        let seconds = took.get(at).copied().filter(|seconds| seconds.is_finite() && 0.0 <= *seconds);
        let elapsed = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default();
        let elapsed = Duration::from_micros(u64::try_from(elapsed.as_micros()).unwrap_or(0));
        Ok((ProbeResult::of_slot(*at, outcome, elapsed), pace))
    };
    series.values.iter().map(result).collect()
}

/// A result speaks for twice its `every`. If most probes came further apart than that, the
/// configuration's `every` was not the one they were made at.
fn refuse_rarer(series: &Samples, key: &SeriesKey, configured: Duration) -> Result<(), PrometheusError> {
    let mut distances: Vec<Duration> = series.values.windows(2).map(|pair| pair[1].0.since(pair[0].0)).collect();
    distances.sort_unstable();
    let Some(median) = distances.get(distances.len() / 2) else { return Ok(()) };
    let found = Duration::from_secs(median.as_secs_f64().round() as u64);
    match configured * 3 / 2 < *median {
        true => Err(PrometheusError::Rarer { series: key.clone(), found, configured }),
        false => Ok(()),
    }
}
