//! `standing`: what the customer is from an instant on, put on record.

use super::Failure;
use super::output::print;
use super::recording::InName;
use crate::closing::terms::joined;
use rules::interval::Interval;
use rules::record::Fact;
use rules::standing::{Access, Change, Granted, Standing, StandingRule, access, turns};
use rules::time::Timestamp;
use std::fmt::Write as _;

/// Put the customer's standing on record: on trial, paying, overdue, gone
///
/// Time on trial and time overdue don't count. Of two changes from one instant the last recorded
/// stands, also over the configuration's. What follows from it is told: a standing on record stops
/// screens and collection at once, and has data deleted for good.
#[derive(Debug, clap::Args)]
pub struct StandingCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Record that the standing is another from an instant on
    #[command(
        after_help = "Example:\n  nines-collector standing record --config collector.yaml --by kim --from 2026-10-25T00:00:00+09:00 --standing overdue"
    )]
    Record {
        #[command(flatten)]
        name: InName,
        /// From when (RFC 3339): the trial's beginning, the first day paid for, the day a bill was due, the end
        #[arg(long, value_name = "INSTANT")]
        from: Timestamp,
        /// What the customer is from then on
        #[arg(long, value_enum)]
        standing: Word,
    },
}

/// A standing by its word.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Word {
    /// Trying it without paying
    Trial,
    /// Paying
    Paid,
    /// A bill is due and not paid
    Overdue,
    /// The agreement has ended
    Terminated,
}

impl From<Word> for Standing {
    fn from(word: Word) -> Standing {
        match word {
            Word::Trial => Standing::Trial,
            Word::Paid => Standing::Paid,
            Word::Overdue => Standing::Overdue,
            Word::Terminated => Standing::Terminated,
        }
    }
}

/// The word for a standing.
pub(super) fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Trial => "trial",
        Standing::Paid => "paid",
        Standing::Overdue => "overdue",
        Standing::Terminated => "terminated",
    }
}

impl StandingCommand {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let What::Record { name, from, standing } = self.what;
        let fact = Fact::Standing(Change { from, standing: standing.into() });
        let opened = name.record(fact, |opened| Interval::new(from, opened.clock.wall())).await?;
        let now = opened.clock.wall();
        let Some(version) = opened.config.nearest(now).find(|version| version.id == opened.agreement) else {
            return Ok(());
        };
        let version = joined(version, &opened.record.entries(&opened.agreement));
        let mut told = consequences(&version.standing, &version.policy.standing, now);
        if opened.config.archive.is_none() && told.contains(DELETED) {
            told.push_str("nothing is deleted as long as the configuration has no `evidence`\n");
        }
        print(told.as_bytes())
    }
}

/// What a line about deletion says.
const DELETED: &str = "is to be deleted";

/// What follows from the standing now and from then on, in a line each.
fn consequences(changes: &[Change], rule: &StandingRule, now: Timestamp) -> String {
    let mut ahead: Vec<Timestamp> = turns(changes, rule).filter(|turn| now < *turn).collect();
    ahead.sort_unstable();
    let looked: Vec<(Timestamp, Access)> =
        [now].into_iter().chain(ahead).map(|at| (at, access(changes, rule, at))).collect();
    let mut told = String::new();
    let mut tell = |what: &str, [was, will]: [&str; 2], of: fn(&Access) -> Granted| {
        if let Some((at, Granted::Stopped(since))) =
            looked.iter().map(|(at, access)| (*at, of(access))).find(|(_, of)| *of != Granted::Yes)
        {
            let happens = if at == now { was } else { will };
            writeln!(told, "{what} {happens} {since}").expect("writing into a string can't fail");
        }
    };
    tell("screens", ["have been stopped since", "stop at"], |access| access.screens);
    tell("collection", ["has been stopped since", "stops at"], |access| access.collection);
    tell("data", ["is to be deleted since", "is to be deleted at"], |access| access.data);
    if told.is_empty() {
        told.push_str("screens, collection and data go on\n");
    } else if told.contains(DELETED) {
        told.push_str("it is deleted a day after this entry at the earliest; a correction until then stops it\n");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_follows_from_a_standing_is_told_with_its_instants() {
        let day = Duration::from_secs(86_400);
        let rule = StandingRule {
            trial: Some(15 * day),
            screens_stop: Some(day),
            collection_stops: Some(10 * day),
            data_deleted: Some(20 * day),
            terminated_deleted: None,
        };
        let check = |standing, now: &str, expected: &str| {
            let change = Change { from: "2026-10-01T00:00:00Z".parse().unwrap(), standing };
            assert_eq!(consequences(&[change], &rule, now.parse().unwrap()), expected, "{standing:?} at {now}");
        };
        let waits = "it is deleted a day after this entry at the earliest; a correction until then stops it\n";
        check(
            Standing::Overdue,
            "2026-10-05T00:00:00Z",
            &format!(
                "screens have been stopped since 2026-10-02T00:00:00Z\ncollection stops at 2026-10-11T00:00:00Z\ndata is to be deleted at 2026-10-21T00:00:00Z\n{waits}"
            ),
        );
        check(
            Standing::Terminated,
            "2026-09-05T00:00:00Z",
            "screens stop at 2026-10-01T00:00:00Z\ncollection stops at 2026-10-01T00:00:00Z\n",
        );
        check(Standing::Paid, "2026-10-05T00:00:00Z", "screens, collection and data go on\n");
    }
}
