//! Why a service's figure is what it is: every down stretch of a month in plain sentences.
//!
//! It says what `rules` decided and from what; it decides nothing itself.

mod instant;

use super::evidence::{Evidence, Remark, Seen};
use super::{counting, reckon};
use crate::render::figures::{Local, length};
use rules::agreement::{Agreement, Language, Service};
use rules::interval::{Interval, IntervalSet};
use rules::outage::{Stretch, Verdict};
use rules::outcome::{Cause, OutcomeKind};
use rules::period::Month;
use rules::policy::{Counting, OutageExclusions, OutageRule};
use rules::run::Run;
use rules::statement::Reckoning;
use rules::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// How many runs of one series are told within one stretch; the rest is counted.
const RUNS_TOLD: usize = 8;

/// How many notes are told of one stretch; the rest is counted.
const REMARKS_TOLD: usize = 12;

/// Explains `service`'s `month`; with `at`, only what was the case at that instant.
pub async fn explain<E: Evidence>(
    evidence: &E,
    agreement: &Agreement,
    service: &Service,
    month: Month,
    as_of: Option<Timestamp>,
    at: Option<Timestamp>,
) -> Result<String, E::Error> {
    let calendar = month.interval(&agreement.zone);
    let seen = evidence.series(service, calendar).await?;
    let local = Local::new(&agreement.zone, calendar);
    let Some(reckoning) = reckon(agreement, service, month, as_of, &seen) else {
        return Ok(format!("{} had no time in {month}, or none yet.\n", service.id));
    };
    let mut remarks = Vec::new();
    for (stretch, _) in &reckoning.stretches {
        let is_told = at.is_none_or(|at| stretch.interval.contains(at));
        if is_told {
            remarks.extend(evidence.remarks(service, stretch.interval).await?);
        }
    }
    let teller = Teller { agreement, service, seen: &seen, remarks: &remarks, reckoning: &reckoning, local };
    Ok(match at {
        Some(at) => teller.instant(at),
        None => teller.month(month),
    })
}

struct Teller<'a> {
    agreement: &'a Agreement,
    service: &'a Service,
    seen: &'a [Seen],
    /// What is kept of the evidence of the stretches that are told.
    remarks: &'a [Remark],
    reckoning: &'a Reckoning<'a>,
    local: Local<'a>,
}

impl Teller<'_> {
    fn rule(&self) -> &OutageRule {
        &self.agreement.policy.availability.outage
    }

    fn month(&self, month: Month) -> String {
        let mut out = String::new();
        let of = self.reckoning;
        let nominal = of.availability.nominal;
        let objective = self.agreement.policy.availability.objective;
        let met = if of.met(&self.agreement.policy) { "keeps" } else { "misses" };
        let downtime = said(Duration::from_millis(nominal.downtime_ms));
        let total = said(Duration::from_millis(nominal.total_ms));
        let _ = writeln!(
            out,
            "{} in {month} ({}): {nominal} %, which {met} the objective of {objective} %.",
            self.service.id,
            self.agreement.zone.name()
        );
        let _ = writeln!(out, "Downtime is {downtime} of {total}: the sum of what each outage below counts.");
        let undetermined = of.partition.undetermined.length();
        let _ = writeln!(
            out,
            "{} are undetermined; counted up the figure is {} %, counted down {} %.",
            said(undetermined),
            of.availability.best,
            of.availability.worst
        );
        if of.stretches.is_empty() {
            let _ = writeln!(out, "There was no down stretch.");
        }
        for (index, (stretch, counted)) in of.stretches.iter().enumerate() {
            let _ = write!(out, "\n{}. {}", index + 1, self.stretch(stretch, *counted));
        }
        out
    }

    fn stretch(&self, stretch: &Stretch, counted: Duration) -> String {
        let mut out = String::new();
        let interval = stretch.interval;
        let word = match stretch.verdict {
            Verdict::Outage => "outage",
            Verdict::NearMiss => "near miss",
            Verdict::Short => "short downtime",
        };
        let (from, until) = (self.local.instant(interval.from()), self.local.instant(interval.until()));
        let so_far = if stretch.ongoing { ", so far" } else { "" };
        let _ = writeln!(out, "{from} – {until}{so_far}, {}: {word}.", said(interval.length()));
        let _ = writeln!(out, "   {}", self.verdict(stretch));
        let _ = writeln!(out, "   {}", self.counting(stretch, counted));
        let causes: Vec<&str> = stretch.causes.iter().map(Cause::as_str).collect();
        if !causes.is_empty() {
            let _ = writeln!(out, "   Attempts failed by: {}.", causes.join(", "));
        }
        let _ = writeln!(out, "   {}", self.bracket(stretch));
        for seen in self.seen {
            let _ = writeln!(out, "   {}", self.saw(seen, interval));
        }
        let within: Vec<&Remark> = self.remarks.iter().filter(|remark| interval.contains(remark.at)).collect();
        for remark in within.iter().take(REMARKS_TOLD) {
            let Remark { at, agent, check, note } = remark;
            let _ = writeln!(out, "   {agent} noted of {check} at {}: {note}", self.local.instant(*at));
        }
        if REMARKS_TOLD < within.len() {
            let _ = writeln!(out, "   And {} more notes.", within.len() - REMARKS_TOLD);
        }
        out
    }

    fn verdict(&self, stretch: &Stretch) -> String {
        let (whole, at_least) = (said(stretch.interval.length()), said(self.rule().at_least));
        let judged = match self.rule().exclusions {
            OutageExclusions::WholeRun => format!("Its whole length, {whole},"),
            OutageExclusions::Remainder => "Its longest piece outside exclusions".to_owned(),
        };
        match stretch.verdict {
            Verdict::Outage => format!("{judged} is at least {at_least} (`for`), so it is an outage."),
            Verdict::NearMiss => {
                format!("{judged} is less than {at_least} (`for`), but at least 80 % of it: listed, not counted.")
            }
            Verdict::Short => format!("{judged} is less than {at_least} (`for`): listed, not counted."),
        }
    }

    fn counting(&self, stretch: &Stretch, counted: Duration) -> String {
        if stretch.verdict != Verdict::Outage {
            return "Nothing of it counts.".to_owned();
        }
        let from = match self.rule().count {
            Counting::Whole => "from its first failed attempt",
            Counting::AfterThreshold => "what lies beyond `for`",
        };
        let whole = IntervalSet::from(stretch.interval);
        let outside = whole.difference(&IntervalSet::from(self.reckoning.period)).length();
        let excluded = whole.intersection(&self.reckoning.partition.excluded).length();
        let mut told = format!("{} of it count ({from})", said(counted));
        if !outside.is_zero() {
            let _ = write!(told, "; {} lie outside the period", said(outside));
        }
        if !excluded.is_zero() {
            let _ = write!(told, "; {} are excluded", said(excluded));
        }
        told.push('.');
        told
    }

    fn bracket(&self, stretch: &Stretch) -> String {
        let shortest = said(stretch.shortest());
        let ended = self.local.instant(stretch.bracket.down_before_end);
        match (stretch.bracket.up_before, stretch.longest()) {
            (Some(up), Some(longest)) => {
                let (up, longest) = (self.local.instant(up), said(longest));
                format!(
                    "The last attempt that was up before began at {up}, the last that still failed at {ended}: it was between {shortest} and {longest} long."
                )
            }
            _ => format!(
                "No attempt before it is known to have been up; the last that still failed began at {ended}: it was at least {shortest} long."
            ),
        }
    }

    /// What one series saw within `interval`.
    fn saw(&self, seen: &Seen, interval: Interval) -> String {
        let takes_part = counting(self.service, std::slice::from_ref(seen)).len() == 1;
        let note = if takes_part { "" } else { " (does not count)" };
        let touching: Vec<&Run> = seen
            .runs
            .iter()
            .filter(|run| run.interval().is_some_and(|of| of.intersection(interval).is_some()))
            .collect();
        let told: Vec<String> = touching.iter().take(RUNS_TOLD).map(|run| self.run(run)).collect();
        let more = touching.len().saturating_sub(RUNS_TOLD);
        let more = if 0 < more { format!("; and {more} more") } else { String::new() };
        let told = if told.is_empty() { "nothing".to_owned() } else { told.join("; ") };
        format!("{} saw of {}{note}: {told}{more}.", seen.agent, seen.check)
    }

    fn run(&self, run: &Run) -> String {
        let causes: Vec<&str> = run.causes.iter().map(Cause::as_str).collect();
        let causes = if causes.is_empty() { String::new() } else { format!(" by {}", causes.join(", ")) };
        let word = match run.kind {
            OutcomeKind::Up => "up",
            OutcomeKind::Down => "down",
            OutcomeKind::Void => "void (judges nothing)",
        };
        let (first, until) = (self.local.instant(run.first_at), self.local.instant(run.until));
        format!("{word}{causes} from {first} until {until}, {} results", run.results)
    }
}

/// A length in words; explanations are in English.
fn said(of: Duration) -> String {
    length(of, Language::English)
}
