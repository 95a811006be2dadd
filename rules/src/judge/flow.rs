//! What can be wrong with the steps of a `flow` check.

use super::{Complaint, http};
use crate::check::{Expectation, FlowTarget, Step, Tolerance};
use crate::evidence::{FlowFacts, Found, Said, Shortfall, StepEnd, StepFacts};
use crate::outcome::Cause;
use alloc::format;
use alloc::string::ToString;

impl Expectation {
    /// What of it an answer with this status breaks, once each content rule's thing was looked for.
    pub fn shortfall(&self, status: u16, found: &[Found]) -> Option<Shortfall> {
        if !http::is_expected(&self.valid_status_codes, status) {
            return Some(Shortfall::Status(status));
        }
        let mut rules = self.content.iter().zip(found);
        rules.position(|(rule, found)| http::fails(rule, *found)).map(Shortfall::Content)
    }
}

/// The first thing that is wrong, if anything is: that of the first step that failed and may not.
pub(super) fn complaint<'a>(target: &'a FlowTarget, facts: &'a FlowFacts) -> Option<Complaint<'a>> {
    let steps = target.steps.iter().zip(&facts.steps);
    steps.filter(|(step, _)| step.tolerance == Tolerance::None).find_map(|(step, facts)| about_step(step, facts))
}

fn about_step<'a>(step: &'a Step, facts: &'a StepFacts) -> Option<Complaint<'a>> {
    let shortfall = match &facts.end {
        StepEnd::Failed(shortfall) => shortfall,
        StepEnd::NotBegun | StepEnd::Needless(_) | StepEnd::CutOff | StepEnd::Done => return None,
    };
    let unmet = |cause, why: &str| {
        let why = Said::new(&format!("step `{}`: {why}", step.name));
        Some(Complaint::Unmet { cause, why })
    };
    match shortfall {
        Shortfall::Broken(failure) => Some(Complaint::Broken(failure)),
        Shortfall::Status(status) => unmet(Cause::Status, &Complaint::Status(*status).to_string()),
        Shortfall::Content(number) => match step.expect.content.get(*number) {
            Some(rule) => unmet(Cause::Content, &Complaint::Content(rule).to_string()),
            None => unmet(Cause::Content, "the content is not as expected"),
        },
        Shortfall::Capture(name) => unmet(Cause::Content, &format!("the answer has nothing to keep as `{name}`")),
        Shortfall::Request(why) => unmet(Cause::Content, why.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Circumstances, Pause, References, judge};
    use super::*;
    use crate::check::HttpOptions;
    use crate::check::{ContentRule, FailsIf, Look, Pattern, Runs, StepRequest, Target, Template, Timed};
    use crate::evidence::{Evidence, Facts, Failure, Fault, Phase};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use alloc::collections::BTreeMap;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::time::Duration;

    const HERE: Circumstances = Circumstances { references: References::There, pause: Pause::Absent };
    const AWAY: Circumstances = Circumstances { references: References::Away, ..HERE };
    const PAUSED: Circumstances = Circumstances { pause: Pause::Present, ..HERE };

    fn step(name: &str) -> Step {
        let rule = ContentRule { look: Look::Body(Pattern::new("ready").unwrap()), fails: FailsIf::Missing };
        Step {
            name: name.parse().unwrap(),
            request: StepRequest {
                method: "GET".into(),
                url: Template::parse("http://a/").unwrap(),
                headers: Vec::new(),
                body: None,
            },
            expect: Expectation { valid_status_codes: vec![200..=204], content: vec![rule] },
            until: None,
            captures: Vec::new(),
            timeout: None,
            runs: Runs::InTurn,
            timed: Timed::Yes,
            tolerance: Tolerance::None,
        }
    }

    fn flow(steps: Vec<Step>) -> FlowTarget {
        FlowTarget {
            name: "flows/x.yaml".into(),
            variables: BTreeMap::new(),
            secrets: BTreeMap::new(),
            reserve: None,
            steps,
            options: HttpOptions::default(),
        }
    }

    fn outcome(target: &FlowTarget, ends: Vec<StepEnd>, circumstances: Circumstances) -> Outcome {
        let facts = |(step, end): (&Step, StepEnd)| StepFacts {
            name: step.name.clone(),
            began: Duration::ZERO,
            elapsed: Duration::ZERO,
            requests: 1,
            status: None,
            end,
        };
        let steps = target.steps.iter().zip(ends).map(facts).collect();
        let evidence = Evidence { facts: Some(Facts::Flow(Box::new(FlowFacts { steps }))), ..Evidence::default() };
        judge(&evidence, &Target::Flow(target.clone()), Duration::from_secs(10), circumstances)
    }

    fn broken(fault: Fault) -> StepEnd {
        let failure = Failure { fault, phase: Some(Phase::FirstByte), detail: Said::new("it broke") };
        StepEnd::Failed(Shortfall::Broken(failure))
    }

    #[test]
    fn a_flow_s_cause_is_that_of_the_step_that_failed() {
        let target = flow(vec![step("a"), step("b")]);
        let check = |end: StepEnd, here, away, paused| {
            for (circumstances, expected) in [(HERE, here), (AWAY, away), (PAUSED, paused)] {
                let ends = vec![StepEnd::Done, end.clone()];
                assert_eq!(outcome(&target, ends, circumstances), expected, "{end:?} {circumstances:?}");
            }
        };
        let same = |end, outcome| check(end, outcome, outcome, outcome);
        same(StepEnd::Done, Outcome::Up);
        same(StepEnd::Failed(Shortfall::Status(500)), Outcome::Down(Cause::Status));
        same(StepEnd::Failed(Shortfall::Content(0)), Outcome::Down(Cause::Content));
        same(StepEnd::Failed(Shortfall::Capture("id".into())), Outcome::Down(Cause::Content));
        same(StepEnd::Failed(Shortfall::Request(Said::new("no URL"))), Outcome::Down(Cause::Content));
        same(broken(Fault::Exhausted), Outcome::Void(Cause::Resources));
        let (offline, paused) = (Outcome::Void(Cause::AgentOffline), Outcome::Void(Cause::Paused));
        check(broken(Fault::Refused), Outcome::Down(Cause::Refused), offline, Outcome::Down(Cause::Refused));
        check(broken(Fault::Deadline), Outcome::Down(Cause::Timeout), offline, paused);
    }

    #[test]
    fn the_first_failure_speaks_and_a_clean_up_s_only_if_there_was_none_before() {
        let clean_up = Step { runs: Runs::Always, ..step("delete") };
        let target = flow(vec![step("create"), clean_up]);
        let failed = StepEnd::Failed(Shortfall::Status(500));
        assert_eq!(outcome(&target, vec![broken(Fault::Reset), failed.clone()], HERE), Outcome::Down(Cause::Reset));
        assert_eq!(outcome(&target, vec![StepEnd::Done, failed], HERE), Outcome::Down(Cause::Status));
        let needless = StepEnd::Needless("id".into());
        assert_eq!(outcome(&target, vec![StepEnd::Done, needless], HERE), Outcome::Up);
    }

    #[test]
    fn a_step_that_may_fail_does_not_decide() {
        let target = flow(vec![step("create"), Step { tolerance: Tolerance::MayFail, ..step("delete") }]);
        let ends = vec![StepEnd::Done, StepEnd::Failed(Shortfall::Status(500))];
        assert_eq!(outcome(&target, ends, HERE), Outcome::Up);
    }

    #[test]
    fn an_answer_falls_short_by_its_status_first_and_then_by_its_content() {
        let expect = step("a").expect;
        assert_eq!(expect.shortfall(200, &[Found::Yes]), None);
        assert_eq!(expect.shortfall(200, &[Found::No]), Some(Shortfall::Content(0)));
        assert_eq!(expect.shortfall(205, &[Found::No]), Some(Shortfall::Status(205)));
        assert_eq!(Expectation::default().shortfall(299, &[]), None);
        assert_eq!(Expectation::default().shortfall(302, &[]), Some(Shortfall::Status(302)));
    }

    #[test]
    fn a_complaint_names_the_step() {
        let target = flow(vec![step("create project")]);
        let facts = FlowFacts {
            steps: vec![StepFacts {
                name: "create project".parse().unwrap(),
                began: Duration::ZERO,
                elapsed: Duration::ZERO,
                requests: 1,
                status: Some(200),
                end: StepEnd::Failed(Shortfall::Content(0)),
            }],
        };
        let complaint = complaint(&target, &facts).unwrap();
        assert_eq!(complaint.to_string(), "step `create project`: the body doesn't match `ready`");
    }
}
