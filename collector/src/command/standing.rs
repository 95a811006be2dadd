//! `standing`: what the customer is from an instant on, put on record.

use super::Failure;
use super::recording::InName;
use rules::interval::Interval;
use rules::record::Fact;
use rules::standing::{Change, Standing};
use rules::time::Timestamp;

/// Put the customer's standing on record: on trial, paying, overdue, gone
///
/// Time on trial and time overdue don't count. Of two changes from one instant the last recorded
/// stands, also over the configuration's.
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
        name.record(fact, |opened| Interval::new(from, opened.clock.wall())).await
    }
}
