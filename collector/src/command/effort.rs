//! `effort`: work under a retainer, put on record and listed.

use super::Failure;
use super::beside::{Beside, Place};
use super::output::print;
use super::recording::{line, recorder, refused};
use crate::record::acts::put_on_record;
use crate::render::outside::printable;
use rules::record::Fact;
use rules::retainer::{Effort as Worked, ManMonths, Work};
use rules::time::Timestamp;

/// Put work under a retainer on record, or list it
///
/// The statement's section on the retainer adds up what a month used: an incident at least the
/// retainer's minimum, a diagnosis what was worked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  nines-collector effort record --config collector.yaml --by kim --incident 12 --worked 0.25 \"found the slow query\"\n  nines-collector effort list --config collector.yaml"
)]
pub struct Effort {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Record work
    #[command(
        after_help = "Example:\n  nines-collector effort record --config collector.yaml --by kim --incident 12 --worked 0.25 \"found the slow query\""
    )]
    Record(Record),
    /// List what is on record
    #[command(after_help = "Example:\n  nines-collector effort list --config collector.yaml")]
    List(List),
}

#[derive(Debug, clap::Args)]
struct Record {
    #[command(flatten)]
    place: Place,
    /// In whose name
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The incident that was handled; without it the work was a diagnosis
    #[arg(long, value_name = "NUMBER")]
    incident: Option<u64>,
    /// How much was worked, in man-months (M/M)
    #[arg(long, value_name = "M/M")]
    worked: ManMonths,
    /// When the work was done (RFC 3339): it counts in the month of this instant; now if not given
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// What was done
    note: String,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    place: Place,
}

impl Effort {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.what {
            What::Record(record) => record.run().await,
            What::List(list) => list.run().await,
        }
    }
}

impl Record {
    async fn run(self) -> Result<(), Failure> {
        let beside = Beside::of(self.place).await?;
        let (agreement, by) = (beside.agreement()?, recorder(&beside.config, &self.by)?);
        let effort = Worked {
            work: self.incident.map_or(Work::Diagnosis, Work::Incident),
            at: self.at.unwrap_or_else(|| beside.clock.wall()),
            worked: self.worked,
            note: self.note,
        };
        let entry = put_on_record(&beside.record, &beside.config, &agreement.id, by, Fact::Effort(effort)).await;
        print(format!("{}\n", line(&entry.map_err(refused)?)).as_bytes())?;
        if agreement.retainer.is_none() {
            eprintln!("agreement `{}` has no retainer, so it is kept on record and uses nothing up", agreement.id);
        }
        Ok(())
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let beside = Beside::of(self.place).await?;
        let agreement = beside.agreement()?;
        let mut lines = String::new();
        for entry in beside.record.entries(&agreement.id).iter() {
            let Fact::Effort(effort) = &entry.fact else { continue };
            let on = match effort.work {
                Work::Incident(number) => format!("incident {number}"),
                Work::Diagnosis => "diagnosis".to_owned(),
            };
            let (number, by) = (entry.number, &entry.recorded_by);
            let (at, worked, note) = (effort.at.to_string(), effort.worked.to_string(), &effort.note);
            let line = format!("{number:>5}  {at:<24}  {worked:>6} M/M  {on:<14}  {by}  {note}");
            lines.push_str(&printable(&line));
            lines.push('\n');
        }
        if lines.is_empty() {
            eprintln!("no work is on record about agreement `{}`", agreement.id);
        }
        print(lines.as_bytes())
    }
}
