//! How `nines check` shows flow facts: a waterfall of steps.

use super::Row;
use crate::check::text::{bar, milliseconds};
use rules::evidence::{FlowFacts, Shortfall, StepEnd, StepFacts};
use serde_json::{Value, json};
use std::time::Duration;

/// How many columns the whole flow takes: what the steps' names and times leave of a terminal.
const BAR_COLUMNS: u128 = 30;

pub(super) fn rows(facts: &FlowFacts) -> Vec<Row> {
    let whole = facts.steps.iter().map(|step| step.began + step.elapsed).max().unwrap_or_default();
    let width = facts.steps.iter().map(|step| step.name.as_str().chars().count()).max().unwrap_or(0);
    facts.steps.iter().map(|step| ("step", row(step, width, whole))).collect()
}

fn row(step: &StepFacts, width: usize, whole: Duration) -> String {
    let name = step.name.as_str();
    let end = match &step.end {
        StepEnd::NotBegun => return format!("{name:<width$}  not begun"),
        StepEnd::Needless(missing) => return format!("{name:<width$}  not needed: there is no `{missing}`"),
        StepEnd::CutOff => "  x the time was over".to_owned(),
        StepEnd::Done => String::new(),
        StepEnd::Failed(shortfall) => format!("  x {}", told(shortfall)),
    };
    let status = step.status.map_or_else(String::new, |status| format!("  {status}"));
    let requests = if step.requests < 2 { String::new() } else { format!("  {} requests", step.requests) };
    let elapsed = milliseconds(step.elapsed);
    let bar = bar(step.began, step.elapsed, whole, BAR_COLUMNS);
    format!("{name:<width$} {elapsed:>14}  {bar}{status}{requests}{end}")
}

fn told(shortfall: &Shortfall) -> String {
    match shortfall {
        Shortfall::Broken(failure) => failure.fault.to_string(),
        Shortfall::Status(_) => "status".to_owned(),
        Shortfall::Content(_) => "content".to_owned(),
        Shortfall::Capture(name) => format!("nothing to keep as `{name}`"),
        Shortfall::Request(_) => "request".to_owned(),
    }
}

pub(super) fn json(facts: &FlowFacts) -> Value {
    json!({ "steps": facts.steps.iter().map(step).collect::<Vec<_>>() })
}

fn step(step: &StepFacts) -> Value {
    let (end, why) = match &step.end {
        StepEnd::NotBegun => ("not_begun", None),
        StepEnd::Needless(missing) => ("not_needed", Some(format!("there is no `{missing}`"))),
        StepEnd::CutOff => ("cut_off", None),
        StepEnd::Done => ("done", None),
        StepEnd::Failed(shortfall) => ("failed", Some(told(shortfall))),
    };
    json!({
        "step": step.name.as_str(),
        "began_us": micros(step.began),
        "elapsed_us": micros(step.elapsed),
        "requests": step.requests,
        "status": step.status,
        "end": end,
        "why": why,
    })
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn step(name: &str, began: u32, elapsed: u32, end: StepEnd) -> StepFacts {
        let (began, elapsed) = (began * MS, elapsed * MS);
        StepFacts { name: name.parse().unwrap(), began, elapsed, requests: 1, status: Some(200), end }
    }

    #[test]
    fn the_steps_of_a_flow_make_a_staircase() {
        let facts = FlowFacts {
            steps: vec![
                step("log in", 0, 10, StepEnd::Done),
                StepFacts { requests: 3, ..step("ready", 10, 20, StepEnd::Failed(Shortfall::Content(0))) },
                step("use", 30, 0, StepEnd::NotBegun),
                step("delete", 30, 0, StepEnd::Needless("id".to_owned())),
            ],
        };
        let texts: Vec<String> = rows(&facts).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            [
                "log in      10.000 ms  ██████████  200",
                "ready       20.000 ms            ███████████████████  200  3 requests  x content",
                "use     not begun",
                "delete  not needed: there is no `id`",
            ]
        );
        assert_eq!(json(&facts)["steps"][1]["end"], "failed");
        assert_eq!(json(&facts)["steps"][0]["elapsed_us"], 10_000);
    }
}
