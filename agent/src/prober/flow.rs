//! Probes a flow: its steps in turn, then those that always run, with one jar of cookies and with what
//! each step captured for those after it.
//!
//! A part of the timeout is kept for the steps that always run, so that they run also when time was
//! what the others lacked. Nothing that an answer said is ever expanded, and no secret leaves a probe:
//! what is told of an answer has its secrets blotted out.

mod capture;
mod run;
mod secrecy;
mod values;

use super::Means;
use super::http::fetch::Client;
use super::http::intake::Keep;
use super::http::look::Looks;
use super::trace::{Break, Trace, just_before};
use bytes::Bytes;
use capture::Place;
use http::HeaderMap;
use rules::check::{Expectation, FlowTarget, Runs, Step};
use rules::evidence::{Facts, FlowFacts, StepEnd, StepFacts};
use run::{Run, Went};
use std::time::Duration;
use values::URL_BYTES_MAX;

/// How much of the timeout is kept for the steps that always run, when a flow doesn't say.
const RESERVE_SHARE: u32 = 10;
/// The most that is kept when a flow doesn't say: a clean-up is a request or two.
const RESERVE_MAX: Duration = Duration::from_secs(30);

/// A flow, ready to be probed.
#[derive(Debug)]
pub(crate) struct Flow {
    target: FlowTarget,
    client: Client,
    means: Vec<StepMeans>,
}

/// What a step looks with.
#[derive(Debug)]
struct StepMeans {
    expect: Looks,
    until: Option<Looks>,
    places: Vec<Place>,
    keep: Keep,
}

impl StepMeans {
    fn prepare(step: &Step) -> Result<StepMeans, Break> {
        let looks = |expectation: &Expectation| Looks::prepare(&expectation.content);
        let expect = looks(&step.expect)?;
        let until = step.until.as_ref().map(|polling| looks(&polling.until)).transpose()?;
        let places = step.captures.iter().map(Place::prepare).collect::<Result<Vec<Place>, Break>>()?;
        let at_body =
            expect.at_body() || until.as_ref().is_some_and(Looks::at_body) || places.iter().any(Place::is_in_body);
        Ok(StepMeans { expect, until, places, keep: if at_body { Keep::Body } else { Keep::Nothing } })
    }
}

impl Flow {
    pub(crate) fn prepare(target: &FlowTarget, means: &Means) -> Result<Flow, Break> {
        let client = Client::prepare(&target.options)?;
        let known = |name: &str| target.variables.get(name).map(String::as_str);
        for step in &target.steps {
            // Says now what no probe could do, of a URL that needs nothing but constants.
            if let Ok(url) = step.request.url.expand(known, URL_BYTES_MAX) {
                client.request(means, (&step.request.method, &url), HeaderMap::new(), Bytes::new())?;
            }
        }
        let steps = target.steps.iter().map(StepMeans::prepare).collect::<Result<Vec<StepMeans>, Break>>()?;
        Ok(Flow { client, means: steps, target: target.clone() })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let mut notes = Notes { facts: self.nothing_yet(), trace };
        let mut run = Run::begin(self, means).await?;
        let end = just_before(budget);
        let work = end.saturating_sub(self.reserve(end));
        let mut went = Went::Well;
        for (index, step) in self.target.steps.iter().enumerate() {
            went = match (step.runs, went) {
                (Runs::InTurn, Went::Well) => run.step(index, work, &mut notes).await,
                (Runs::InTurn, Went::Wrong) => Went::Wrong,
                (Runs::Always, _) => run.step(index, end, &mut notes).await,
            };
        }
        Ok(())
    }

    /// The facts before the first step.
    fn nothing_yet(&self) -> FlowFacts {
        let step = |step: &Step| StepFacts {
            name: step.name.clone(),
            began: Duration::ZERO,
            elapsed: Duration::ZERO,
            requests: 0,
            status: None,
            end: StepEnd::NotBegun,
        };
        FlowFacts { steps: self.target.steps.iter().map(step).collect() }
    }

    /// How much of `whole` is kept for the steps that always run: never more than half of it.
    fn reserve(&self, whole: Duration) -> Duration {
        let is_any = self.target.steps.iter().any(|step| step.runs == Runs::Always);
        let share = (whole / RESERVE_SHARE).min(RESERVE_MAX);
        if is_any { self.target.reserve.unwrap_or(share).min(whole / 2) } else { Duration::ZERO }
    }
}

/// What is found out, written down whatever ends the probe.
struct Notes<'a> {
    facts: FlowFacts,
    trace: &'a mut Trace,
}

impl Drop for Notes<'_> {
    fn drop(&mut self) {
        // Nobody else is to quote it: it may repeat a secret.
        self.trace.body_start = Bytes::new();
        self.trace.evidence.facts = Some(Facts::Flow(Box::new(std::mem::take(&mut self.facts))));
    }
}
