//! One run of a flow: a step at a time, each request at most until the step's deadline.
//!
//! Deadlines and instants are lengths since the probe began.

use super::secrecy::Blotter;
use super::values::{Unfit, Values};
use super::{Flow, Notes, StepMeans};
use crate::prober::Means;
use crate::prober::http::fetch::{Fetched, Request};
use crate::prober::http::jar::Jar;
use crate::prober::trace::{Break, Trace};
use bytes::Bytes;
use rules::check::{Confidence, Runs, Step, Timed};
use rules::evidence::{Failure, Fault, Phase, Said, Shortfall, StepEnd};
use std::time::Duration;
use tokio::time::timeout;

/// How many connections are told: the last ones, for a step may poll for hours.
const ATTEMPTS_TOLD_MAX: usize = 64;

/// A run of a flow.
pub(super) struct Run<'a> {
    flow: &'a Flow,
    means: &'a Means,
    values: Values<'a>,
    blotter: Blotter,
    jar: Jar,
}

/// How a step went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Went {
    Well,
    Wrong,
}

impl<'a> Run<'a> {
    /// Reads the secrets.
    pub(super) async fn begin(flow: &'a Flow, means: &'a Means) -> Result<Run<'a>, Break> {
        let values = Values::begin(&flow.target).await?;
        let mut blotter = Blotter::default();
        values.secrets().for_each(|secret| blotter.learn(secret));
        Ok(Run { flow, means, values, blotter, jar: Jar::default() })
    }

    /// Carries out the step with number `index`, and writes down what it came to.
    pub(super) async fn step(&mut self, index: usize, deadline: Duration, notes: &mut Notes<'_>) -> Went {
        let flow = self.flow;
        let step = &flow.target.steps[index];
        let began = notes.trace.elapsed();
        notes.facts.steps[index].began = began;
        if let Some(missing) = self.values.missing(step).filter(|_| step.runs == Runs::Always) {
            notes.facts.steps[index].end = StepEnd::Needless(missing.to_owned());
            return Went::Well;
        }
        // Stands if something outside ends the probe.
        notes.facts.steps[index].end = StepEnd::CutOff;
        let deadline = step.timeout.map_or(deadline, |timeout| deadline.min(began + timeout));
        let end = self.perform(index, deadline, notes).await;
        let elapsed = notes.trace.elapsed().saturating_sub(began);
        if step.timed == Timed::No {
            notes.trace.leave_out(elapsed);
        }
        let facts = &mut notes.facts.steps[index];
        facts.elapsed = elapsed;
        match end {
            Ok(()) => {
                facts.end = StepEnd::Done;
                Went::Well
            }
            Err(shortfall) => {
                facts.end = StepEnd::Failed(shortfall);
                Went::Wrong
            }
        }
    }

    /// Asks until the answer is the one waited for, then keeps what is to be captured.
    async fn perform(&mut self, index: usize, deadline: Duration, notes: &mut Notes<'_>) -> Result<(), Shortfall> {
        let flow = self.flow;
        let (step, with) = (&flow.target.steps[index], &flow.means[index]);
        let request = self.request(step)?;
        loop {
            notes.facts.steps[index].requests += 1;
            let fetched = self.ask(step, with, &request, deadline, notes.trace).await?;
            notes.facts.steps[index].status = Some(fetched.status.as_u16());
            let status = fetched.status.as_u16();
            let found = with.expect.found(&fetched.headers, &fetched.body);
            if let Some(shortfall) = step.expect.shortfall(status, &found) {
                self.quote(notes.trace);
                return Err(shortfall);
            }
            let (Some(polling), Some(looks)) = (&step.until, &with.until) else {
                return self.capture(step, with, &fetched);
            };
            let found = looks.found(&fetched.headers, &fetched.body);
            if polling.until.shortfall(status, &found).is_none() {
                return self.capture(step, with, &fetched);
            }
            if deadline <= notes.trace.elapsed() + polling.every {
                self.quote(notes.trace);
                let requests = notes.facts.steps[index].requests;
                let why =
                    format!("step `{}`: what it waits for did not come in time; asked {requests} times", step.name);
                return Err(overdue(&why));
            }
            self.means.clock.sleep(polling.every).await;
        }
    }

    fn request(&self, step: &Step) -> Result<Request, Shortfall> {
        let parts = self.values.request(step).map_err(|unfit| match unfit {
            Unfit::ByCapture(why) => Shortfall::Request(self.blotter.blot(&why)),
            Unfit::ByCheck(why) => broken(step, Break::new(Fault::Instruction, &why), None, &self.blotter),
        })?;
        let made = self.flow.client.request(self.means, (&step.request.method, &parts.url), parts.headers, parts.body);
        made.map_err(|refused| broken(step, refused, None, &self.blotter))
    }

    /// One request and its answer.
    async fn ask(
        &mut self,
        step: &Step,
        with: &StepMeans,
        request: &Request,
        deadline: Duration,
        trace: &mut Trace,
    ) -> Result<Fetched, Shortfall> {
        trace.body_start = Bytes::new();
        trace.evidence.http = None;
        let left = deadline.saturating_sub(trace.elapsed());
        let fetch = self.flow.client.fetch(self.means, request, with.keep, &mut self.jar, deadline, trace);
        let end = match timeout(left, fetch).await {
            Ok(end) => end,
            Err(_) => Err(Break::new(Fault::Deadline, "no end within its time")),
        };
        let phase = trace.rest();
        let attempts = &mut trace.evidence.attempts;
        attempts.drain(..attempts.len().saturating_sub(ATTEMPTS_TOLD_MAX));
        end.map_err(|refused| {
            self.quote(trace);
            broken(step, refused, phase, &self.blotter)
        })
    }

    /// Keeps how the last answer's body began as evidence, without its secrets.
    fn quote(&self, trace: &mut Trace) {
        let start = self.blotter.blot(&String::from_utf8_lossy(&trace.body_start));
        if let Some(http) = &mut trace.evidence.http
            && !start.as_str().is_empty()
        {
            http.body_start = Some(start);
        }
    }

    fn capture(&mut self, step: &Step, with: &StepMeans, fetched: &Fetched) -> Result<(), Shortfall> {
        let mut json = None;
        for (capture, place) in step.captures.iter().zip(&with.places) {
            let Some(value) = place.find(fetched, &mut json) else {
                return Err(Shortfall::Capture(capture.name.clone()));
            };
            if capture.confidence == Confidence::Secret {
                self.blotter.learn(&value);
            }
            self.values.keep(&capture.name, value);
        }
        Ok(())
    }
}

fn broken(step: &Step, Break { fault, detail }: Break, phase: Option<Phase>, blotter: &Blotter) -> Shortfall {
    let detail = blotter.blot(&format!("step `{}`: {detail}", step.name));
    Shortfall::Broken(Failure { fault, phase, detail })
}

fn overdue(why: &str) -> Shortfall {
    Shortfall::Broken(Failure { fault: Fault::Deadline, phase: None, detail: Said::new(why) })
}
