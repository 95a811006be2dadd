//! Why a single instant is what it is: who said what, what the rule makes of it, what it counts as.

use super::{Teller, said};
use crate::closing::counting;
use crate::closing::evidence::Seen;
use rules::exclusion::Judged;
use rules::policy::Need;
use rules::run::Run;
use rules::service::{Moment, Sight, State, moment};
use rules::time::Timestamp;
use std::fmt::Write as _;

impl Teller<'_> {
    /// Explains one instant.
    pub(super) fn instant(&self, at: Timestamp) -> String {
        let mut out = String::new();
        let timeline = &self.reckoning.timeline;
        let state = match (timeline.down.contains(at), timeline.up.contains(at)) {
            (true, _) => "down",
            (false, true) => "up",
            (false, false) => "unknown",
        };
        let (instant, service) = (self.local.instant(at), &self.service.id);
        let _ = writeln!(out, "At {instant} {service} was {state}; the instant {}.", self.part(at));
        let counting = counting(self.service, self.seen);
        let moment = moment(&counting, self.rule(), at);
        let _ = writeln!(out, "   {}", self.decided(&moment));
        if moment.state == State::Unknown && timeline.down.contains(at) {
            let _ = writeln!(out, "   {}", self.bridge(at));
        }
        for (agent, sight) in &moment.views {
            let view = match sight {
                Some(Sight::Down) => "down: each of its series that spoke was down",
                Some(Sight::Up) => "up: at least one of its series that spoke was up",
                None => "none: no series of it spoke",
            };
            let _ = writeln!(out, "   View of {agent}: {view}.");
        }
        for seen in self.seen {
            let _ = writeln!(out, "   {}", self.spoke(seen, at));
        }
        for judged in self.reckoning.exclusions.iter().filter(|judged| judged.exclusion.interval.contains(at)) {
            let _ = writeln!(out, "   {}", self.exclusion(judged, at));
        }
        let within = self.reckoning.stretches.iter().find(|(stretch, _)| stretch.interval.contains(at));
        if let Some((stretch, counted)) = within {
            let _ = write!(out, "It lies in this stretch: {}", self.stretch(stretch, *counted));
        }
        out
    }

    /// Which part of the month the instant belongs to.
    fn part(&self, at: Timestamp) -> String {
        let (period, partition) = (self.reckoning.period, &self.reckoning.partition);
        if !period.contains(at) {
            let (from, until) = (self.local.instant(period.from()), self.local.instant(period.until()));
            return format!("lies outside what is reckoned, {from} – {until}");
        }
        let parts = [
            ("counts as downtime", &partition.counted),
            ("is excluded", &partition.excluded),
            ("is short downtime, which does not count", &partition.short),
            ("is undetermined", &partition.undetermined),
        ];
        let found = parts.iter().find(|(_, set)| set.contains(at));
        found.map_or("counts as up", |(word, _)| *word).to_owned()
    }

    /// What the rule makes of the views.
    fn decided(&self, moment: &Moment<'_>) -> String {
        let rule = self.rule();
        let views = moment.views.iter().filter(|(_, sight)| sight.is_some()).count();
        let downs = moment.views.iter().filter(|(_, sight)| *sight == Some(Sight::Down)).count();
        let need = match rule.need {
            Need::All => "all of them (`agents: all`)".to_owned(),
            Need::Majority => "more than half of them (`agents: majority`)".to_owned(),
            Need::Count(count) => format!("{count} (`agents: {count}`)"),
        };
        let state = match moment.state {
            State::Down => "so it was down",
            State::Up => "so it was up",
            State::Unknown if views == 0 => return "Nobody had a view, so nobody can say.".to_owned(),
            State::Unknown if views < rule.min_agents as usize => {
                let least = rule.min_agents;
                return format!(
                    "{downs} of {views} views were down, but it takes {least} views (`min_agents`) before anything is said to be down: nobody can say."
                );
            }
            State::Unknown => "which there were not: nobody can say",
        };
        format!("{downs} of {views} views were down; for the service to be down the policy needs {need}, {state}.")
    }

    /// Why an instant without enough views is down all the same.
    fn bridge(&self, at: Timestamp) -> String {
        let bridge = said(self.rule().bridge);
        format!(
            "By these views it was unknown at {}; but this unknown stretch is at most {bridge} long (`bridge`) with down directly before and after it, so it is down.",
            self.local.instant(at)
        )
    }

    /// What one series said at `at`, or since when it was silent.
    fn spoke(&self, seen: &Seen, at: Timestamp) -> String {
        let takes_part = counting(self.service, std::slice::from_ref(seen)).len() == 1;
        let note = if takes_part { "" } else { " (does not count)" };
        let of = |run: &&Run| run.interval().is_some_and(|interval| interval.contains(at));
        let told = match seen.runs.iter().find(of) {
            Some(run) => self.run(run),
            None => self.silence(seen, at),
        };
        format!("{} saw of {}{note}: {told}.", seen.agent, seen.check)
    }

    fn silence(&self, seen: &Seen, at: Timestamp) -> String {
        let before = seen.runs.iter().rev().find(|run| run.until <= at);
        let after = seen.runs.iter().find(|run| at < run.first_at);
        let told = |run: &Run| self.local.instant(run.last_at);
        match (before, after) {
            (Some(before), after) => {
                let next = after.map_or_else(
                    || "none came after it".to_owned(),
                    |after| format!("the next came at {}", self.local.instant(after.first_at)),
                );
                let spoke = self.local.instant(before.until);
                format!("nothing, a gap: its last result before, at {}, spoke until {spoke}; {next}", told(before))
            }
            (None, Some(after)) => {
                format!("nothing: its first result came later, at {}", self.local.instant(after.first_at))
            }
            (None, None) => "nothing at all in this month".to_owned(),
        }
    }

    fn exclusion(&self, judged: &Judged<'_>, at: Timestamp) -> String {
        let (from, until) = (judged.exclusion.interval.from(), judged.exclusion.interval.until());
        let (from, until) = (self.local.instant(from), self.local.instant(until));
        let entry = judged.exclusion.entry.map(|entry| format!(", entry {entry}")).unwrap_or_default();
        let what = format!("An exclusion covers it: {} from {from} until {until}{entry}", judged.exclusion.class);
        match (judged.effective.contains(at), judged.refusal) {
            (true, _) => format!("{what}. It has effect here."),
            (false, Some(refusal)) => format!("{what}. It has no effect here: {refusal}."),
            (false, None) => format!("{what}. It has no effect here."),
        }
    }
}
