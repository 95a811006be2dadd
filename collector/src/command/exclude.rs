//! `exclude`: time that is not to count, put on record.

use super::Failure;
use super::output::print;
use super::recording::{InName, Opened, Whose};
use crate::render::outside::printable;
use config::reading::words::nearest;
use rules::exclusion::{Bar, Class, Exclusion};
use rules::id::ServiceId;
use rules::interval::Interval;
use rules::record::Fact;
use rules::record::exclusions::exclusions;
use rules::time::Timestamp;
use std::fmt::Write as _;

/// Put time that is not to count on record, or decide about it
///
/// Maintenance recorded before it begins is announced and has effect at once, as far as the policy's
/// notice and cap let it. Everything else is claimed, and has effect once a second person approves it.
/// Nothing is ever changed: a correction takes its predecessor's place. A running collector need not be
/// stopped.
#[derive(Debug, clap::Args)]
pub struct Exclude {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Record an exclusion
    #[command(
        after_help = "Example:\n  nines-collector exclude add --config collector.yaml --by kim --class announced_maintenance --from 2026-10-05T02:00:00+09:00 --until 2026-10-05T04:00:00+09:00 --told-at 2026-10-01T10:00:00+09:00 --reason \"database upgrade\""
    )]
    Add {
        #[command(flatten)]
        name: InName,
        #[command(flatten)]
        said: Said,
    },
    /// Record an exclusion in the place of another
    #[command(
        after_help = "Example:\n  nines-collector exclude correct 7 --config collector.yaml --by kim --class force_majeure --from 2026-10-05T02:00:00+09:00 --until 2026-10-05T03:10:00+09:00 --reason \"power cut, as the grid reported it\""
    )]
    Correct {
        /// The entry to correct
        entry: u64,
        #[command(flatten)]
        name: InName,
        #[command(flatten)]
        said: Said,
    },
    /// Take an exclusion back
    #[command(
        after_help = "Example:\n  nines-collector exclude withdraw 7 --config collector.yaml --by kim --reason \"moved to November\""
    )]
    Withdraw(Against),
    /// Agree, as a second person, to an exclusion that was claimed
    #[command(after_help = "Example:\n  nines-collector exclude approve 7 --config collector.yaml --by lee")]
    Approve {
        /// The exclusion's entry
        entry: u64,
        #[command(flatten)]
        name: InName,
    },
    /// Disagree, as a second person, with an exclusion that was claimed
    #[command(
        after_help = "Example:\n  nines-collector exclude refuse 7 --config collector.yaml --by lee --reason \"the grid reported no cut\""
    )]
    Refuse(Against),
    /// List the exclusions on record and what became of them
    #[command(after_help = "Example:\n  nines-collector exclude list --config collector.yaml")]
    List {
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, clap::Args)]
struct Said {
    /// When it begins (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    from: Timestamp,
    /// When it is over (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    until: Timestamp,
    /// Its ground
    #[arg(long, value_parser = class)]
    class: Class,
    /// Why, in a sentence; the customer reads it
    #[arg(long)]
    reason: String,
    /// A service; may be given several times; all of the agreement if not given
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<ServiceId>,
    /// When the customer was told, for maintenance (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    told_at: Option<Timestamp>,
}

#[derive(Debug, clap::Args)]
struct Against {
    /// The exclusion's entry
    entry: u64,
    #[command(flatten)]
    name: InName,
    /// Why, in a sentence
    #[arg(long)]
    reason: String,
}

/// Reads a class, or says which was meant.
fn class(word: &str) -> Result<Class, String> {
    let words = || Class::ALL.iter().map(|class| class.as_str());
    Class::from_word(word).ok_or_else(|| match nearest(word, words()) {
        Some(near) => format!("no such class; did you mean `{near}`?"),
        None => format!("no such class; write one of {}", words().collect::<Vec<_>>().join(", ")),
    })
}

impl Exclude {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.what {
            What::Add { name, said } => said.record(&name, None).await,
            What::Correct { entry, name, said } => said.record(&name, Some(entry)).await,
            What::Withdraw(Against { entry, name, reason }) => {
                name.record(Fact::Withdrawal { entry, reason }, |opened| touched(opened, &[entry])).await.map(drop)
            }
            What::Approve { entry, name } => {
                name.record(Fact::Approval { entry }, |opened| touched(opened, &[entry])).await.map(drop)
            }
            What::Refuse(Against { entry, name, reason }) => {
                name.record(Fact::Refusal { entry, reason }, |opened| touched(opened, &[entry])).await.map(drop)
            }
            What::List { whose } => list(&whose.open().await?),
        }
    }
}

impl Said {
    async fn record(self, name: &InName, supersedes: Option<u64>) -> Result<(), Failure> {
        let backwards =
            || Failure::No("the exclusion ends no later than it begins; give an --until after its --from".to_owned());
        let interval = Interval::new(self.from, self.until).ok_or_else(backwards)?;
        let exclusion = Exclusion {
            services: (!self.services.is_empty()).then(|| self.services.into_iter().collect()),
            reason: self.reason,
            told_at: self.told_at,
            ..Exclusion::new(interval, self.class)
        };
        let both = |opened: &Opened| {
            let corrected = supersedes.and_then(|number| touched(opened, &[number]));
            corrected.map_or(Some(interval), |corrected| {
                Interval::new(interval.from().min(corrected.from()), interval.until().max(corrected.until()))
            })
        };
        name.record(Fact::Exclusion { exclusion, supersedes }, both).await.map(drop)
    }
}

/// The time of the exclusions with these numbers.
fn touched(opened: &Opened, numbers: &[u64]) -> Option<Interval> {
    let all = exclusions(&opened.record.entries(&opened.agreement));
    let of = all.iter().filter(|exclusion| exclusion.entry.is_some_and(|entry| numbers.contains(&entry)));
    of.map(|exclusion| exclusion.interval).next()
}

fn list(opened: &Opened) -> Result<(), Failure> {
    let entries = opened.record.entries(&opened.agreement);
    let mut listed = String::new();
    for exclusion in exclusions(&entries) {
        let entry = exclusion.entry.and_then(|number| entries.iter().find(|entry| entry.number == number));
        let Some(entry) = entry else { continue };
        let line = super::recording::line(entry);
        writeln!(listed, "{line} [{}]", printable(&standing_of(&exclusion))).expect("writing into a string can't fail");
    }
    if listed.is_empty() {
        eprintln!("no exclusion is on record about agreement `{}`", opened.agreement);
    }
    print(listed.as_bytes())
}

fn standing_of(exclusion: &Exclusion) -> String {
    match (&exclusion.bar, &exclusion.approved_by) {
        (None, None) => "announced".to_owned(),
        (None, Some(by)) => format!("approved by {by}"),
        (Some(Bar::NotApproved), _) => "not approved".to_owned(),
        (Some(Bar::Refused { by, reason }), _) => format!("refused by {by}: {reason}"),
        (Some(Bar::Superseded { by }), _) => format!("superseded by entry {by}"),
        (Some(Bar::Withdrawn { by }), _) => format!("withdrawn by entry {by}"),
    }
}
