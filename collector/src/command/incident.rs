//! `incident`: people's handling of an outage, put on record and shown.

pub(super) mod shown;

use super::Failure;
use super::beside::{Beside, Place};
use super::output::print;
use super::recording::recorder;
use crate::incidents::act::{self, ActError};
use crate::record::RecordError;
use rules::id::ServiceId;
use rules::incident::{Event, Opened, Opening, first_severity, incidents};
use rules::record::Entry;
use rules::time::Timestamp;

/// Put people's handling of an outage on record, or show it
///
/// Outages open incidents by themselves while a collector runs. Whatever is recorded is stamped with
/// the time and the name given with --by, told to the channels that hear of it, and never changed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  nines-collector incident list --config collector.yaml\n  nines-collector incident acknowledge 12 --by kim --config collector.yaml\n  nines-collector incident notice 12 \"We look into failing log-ins.\" --by kim --config collector.yaml"
)]
pub struct Incident {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Open one by hand
    #[command(
        after_help = "Example:\n  nines-collector incident open --config collector.yaml --by kim --service apm-prod --severity P1 \"log-ins fail\""
    )]
    Open(Open),
    /// Take it
    #[command(after_help = "Example:\n  nines-collector incident acknowledge 12 --by kim --config collector.yaml")]
    Acknowledge(Happened),
    /// Begin to work on it
    #[command(after_help = "Example:\n  nines-collector incident start 12 --by kim --config collector.yaml")]
    Start(Happened),
    /// Tell the customer for the first time
    #[command(
        after_help = "Example:\n  nines-collector incident notice 12 \"We look into failing log-ins.\" --by kim --config collector.yaml"
    )]
    Notice(Said),
    /// Tell the customer how it goes
    #[command(
        after_help = "Example:\n  nines-collector incident update 12 \"The database is being moved.\" --by kim --config collector.yaml"
    )]
    Update(Said),
    /// Give the customer the progress report
    #[command(
        after_help = "Example:\n  nines-collector incident progress 12 \"Half of the pages answer again.\" --by kim --config collector.yaml"
    )]
    Progress(Said),
    /// Resolve it
    #[command(
        after_help = "Example:\n  nines-collector incident resolve 12 \"The index was rebuilt.\" --by kim --config collector.yaml"
    )]
    Resolve(Said),
    /// Give the customer the report afterwards
    #[command(
        after_help = "Example:\n  nines-collector incident report 12 \"Sent to Acme as PDF.\" --by kim --config collector.yaml"
    )]
    Report(Said),
    /// Give it another severity, which then holds from the beginning
    #[command(after_help = "Example:\n  nines-collector incident severity 12 P2 --by kim --config collector.yaml")]
    Severity(Said),
    /// Note something for the file; no clock hears it
    #[command(
        after_help = "Example:\n  nines-collector incident remark 12 \"see ticket 4711\" --by kim --config collector.yaml"
    )]
    Remark(Said),
    /// List incidents
    #[command(after_help = "Example:\n  nines-collector incident list --config collector.yaml")]
    List(List),
    /// Show one with its clocks
    #[command(after_help = "Example:\n  nines-collector incident show 12 --config collector.yaml")]
    Show(Show),
}

#[derive(Debug, clap::Args)]
struct Open {
    #[command(flatten)]
    place: Place,
    /// In whose name
    #[arg(long, value_name = "NAME")]
    by: String,
    /// A service concerned; may be given several times
    #[arg(long = "service", value_name = "SERVICE", required = true)]
    services: Vec<ServiceId>,
    /// One of the policy's severities; the first if not given
    #[arg(long)]
    severity: Option<String>,
    /// When it began for the customer (RFC 3339), where its clocks start; now if not given
    #[arg(long, value_name = "INSTANT")]
    began_at: Option<Timestamp>,
    /// What is the matter, in a line
    title: String,
}

#[derive(Debug, clap::Args)]
struct Happened {
    #[command(flatten)]
    place: Place,
    /// In whose name
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The incident's number
    number: u64,
}

#[derive(Debug, clap::Args)]
struct Said {
    #[command(flatten)]
    happened: Happened,
    /// The words for it; for `severity` one of the policy's
    text: String,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// Resolved ones too
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    place: Place,
    /// The incident's number
    number: u64,
}

impl Incident {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.what {
            What::Open(open) => open.run().await,
            What::Acknowledge(happened) => happened.run(Event::Acknowledged).await,
            What::Start(happened) => happened.run(Event::Started).await,
            What::Notice(said) => said.run(Event::Notice).await,
            What::Update(said) => said.run(Event::Update).await,
            What::Progress(said) => said.run(Event::Progress).await,
            What::Resolve(said) => said.run(Event::Resolved).await,
            What::Report(said) => said.run(Event::Report).await,
            What::Severity(said) => said.run(Event::Severity).await,
            What::Remark(said) => said.run(Event::Remark).await,
            What::List(list) => list.run().await,
            What::Show(show) => show.run().await,
        }
    }
}

impl Open {
    async fn run(self) -> Result<(), Failure> {
        let beside = Beside::of(self.place).await?;
        let agreement = beside.agreement()?;
        let severity = self.severity.unwrap_or_else(|| first_severity(&agreement.policy.response).to_owned());
        let began_at = self.began_at.unwrap_or_else(|| beside.clock.wall());
        let services = self.services.into_iter().collect();
        let opening = Opening { services, severity, began_at, cause: Opened::ByHand, title: self.title };
        let by = recorder(&beside.config, &self.by)?;
        told(act::open(&beside.record, &beside.config, agreement, by, opening).await)
    }
}

impl Happened {
    async fn run(self, event: Event) -> Result<(), Failure> {
        let beside = Beside::of(self.place).await?;
        let agreement = beside.agreement()?;
        let by = recorder(&beside.config, &self.by)?;
        told(act::happened(&beside.record, &beside.config, agreement, by, self.number, event).await)
    }
}

impl Said {
    async fn run(self, event: fn(String) -> Event) -> Result<(), Failure> {
        self.happened.run(event(self.text)).await
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let beside = Beside::of(self.place).await?;
        let agreement = beside.agreement()?;
        let all = incidents(beside.record.entries(&agreement.id).iter());
        let shown = || all.iter().filter(|incident| self.all || incident.resolved().is_none());
        if shown().next().is_none() {
            let resolved = if all.is_empty() { "" } else { "; --all lists those that are resolved" };
            eprintln!("agreement `{}` has no incident that is open{resolved}", agreement.id);
        }
        print(shown::list(shown(), agreement).as_bytes())
    }
}

impl Show {
    async fn run(self) -> Result<(), Failure> {
        let beside = Beside::of(self.place).await?;
        let agreement = beside.agreement()?;
        let entries = beside.record.entries(&agreement.id);
        let found = act::found(&entries, &agreement.id, self.number).map_err(|error| Failure::No(error.to_string()))?;
        print(shown::one(&found, agreement, beside.clock.wall()).as_bytes())
    }
}

/// What was recorded; what was refused is an answer and not a failure of the run.
pub(super) fn told(done: Result<Vec<Entry>, ActError>) -> Result<(), Failure> {
    match done {
        Ok(entries) => {
            let lines: Vec<String> = entries.iter().map(shown::entry).collect();
            print(lines.concat().as_bytes())
        }
        Err(ActError::Record(RecordError::OutOfBounds(why))) => Err(Failure::No(why.to_string())),
        Err(ActError::Record(error)) => Err(Failure::run("record it", error)),
        Err(refused @ (ActError::NoIncident { .. } | ActError::NotNow { .. } | ActError::NotOpened(_))) => {
            Err(Failure::No(refused.to_string()))
        }
    }
}
