//! What commands that record something share: whose record, in whose name, and the ledger beside a
//! collector that may be running.

use super::output::print;
use super::{Failure, configuration, ledger};
use crate::closing::effect::{Effect, Figures, effects};
use crate::record::acts::{NotRecorded, put_on_record};
use crate::record::{Record, RecordError};
use crate::render::figures::length;
use crate::render::outside::printable;
use config::collector::CollectorConfig;
use config::collector::users::Role;
use daemon::clock::Clock;
use rules::agreement::Language;
use rules::id::AgreementId;
use rules::interval::Interval;
use rules::record::{Disposal, Entry, Fact, Ground};
use rules::retainer::{Effort, Work};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Whose record.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Whose {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The agreement; needed if there are several
    #[arg(long)]
    agreement: Option<String>,
}

/// Whose record, and in whose name.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct InName {
    #[command(flatten)]
    whose: Whose,
    /// In whose name: one of the configuration's users, if it has any
    #[arg(long, value_name = "NAME")]
    by: String,
}

/// A record, opened.
pub(super) struct Opened {
    pub(super) config: CollectorConfig,
    pub(super) record: Record,
    pub(super) clock: Clock,
    pub(super) agreement: AgreementId,
}

impl Whose {
    /// Finds the agreement and reads its record.
    pub(super) async fn open(&self) -> Result<Opened, Failure> {
        let config = configuration(&self.config)?;
        let agreement = named(&config, self.agreement.as_deref())?;
        let clock = Clock::system();
        let record = ledger::record(ledger::open(&config).await?, &clock).await?;
        Ok(Opened { config, record, clock, agreement })
    }
}

impl InName {
    /// Records `fact` and prints the entry, and the figures of the months within `touched` before and
    /// after it.
    pub(super) async fn record(
        &self,
        fact: Fact,
        touched: impl FnOnce(&Opened) -> Option<Interval>,
    ) -> Result<Opened, Failure> {
        let opened = self.whose.open().await?;
        let by = recorder(&opened.config, &self.by)?;
        let entry = put_on_record(&opened.record, &opened.config, &opened.agreement, by, fact).await;
        let entry = entry.map_err(refused)?;
        print(format!("{}\n", line(&entry)).as_bytes())?;
        let after = opened.record.entries(&opened.agreement);
        let before: Vec<Entry> = after.iter().filter(|other| other.number < entry.number).cloned().collect();
        let Some(touched) = touched(&opened) else { return Ok(opened) };
        let evidence = ledger::evidence(&opened.config, &opened.clock).await?;
        let (agreements, now) = (&opened.config.agreements, opened.clock.wall());
        let told = effects(&evidence, agreements, &opened.agreement, (&before, &after), touched, now).await;
        print(table(&told.map_err(|error| Failure::run("reckon what it changes", error))?).as_bytes())?;
        Ok(opened)
    }
}

/// `by`, if it is the name of one of those who may record.
pub(super) fn recorder<'a>(config: &CollectorConfig, by: &'a str) -> Result<&'a str, Failure> {
    match config.users.iter().find(|user| user.user == by) {
        None if config.users.is_empty() => Ok(by),
        None => {
            let names: Vec<&str> = config.users.iter().map(|user| user.user.as_str()).collect();
            Err(Failure::NotThere(format!("no user `{by}`; there are: {}", names.join(", "))))
        }
        Some(user) if user.role < Role::Operator => {
            Err(Failure::No(format!("user `{by}` may only look; recording takes the role `operator`")))
        }
        Some(_) => Ok(by),
    }
}

/// What was refused is an answer; only a record that can't be written is a failure of the run.
pub(super) fn refused(error: NotRecorded) -> Failure {
    let told = error.to_string();
    match error {
        NotRecorded::Record(RecordError::OutOfBounds(why)) => Failure::No(why.to_string()),
        NotRecorded::Record(error) => Failure::run("record it", error),
        NotRecorded::Objection(_)
        | NotRecorded::Effort(_)
        | NotRecorded::Time(_)
        | NotRecorded::UnknownService { .. }
        | NotRecorded::Twice { .. } => Failure::No(told),
    }
}

/// The agreement that was named, or the only one.
fn named(config: &CollectorConfig, named: Option<&str>) -> Result<AgreementId, Failure> {
    let mut ids: Vec<&AgreementId> = config.agreements.iter().map(|agreement| &agreement.id).collect();
    ids.dedup();
    let names = || ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    match (named, ids.as_slice()) {
        (None, [only]) => Ok((*only).clone()),
        (None, _) => Err(Failure::NotThere(format!("name one with --agreement: {}", names()))),
        (Some(name), _) => {
            let found = ids.iter().find(|id| id.as_str() == name);
            let found =
                found.ok_or_else(|| Failure::NotThere(format!("no agreement `{name}`; there are: {}", names())));
            found.map(|id| (*id).clone())
        }
    }
}

/// An entry in a line, harmless for a terminal.
pub(super) fn line(entry: &Entry) -> String {
    let Entry { number, recorded_at, recorded_by, fact } = entry;
    printable(&format!("entry {number}, {recorded_at}, {recorded_by}: {}", said(fact)))
}

fn said(fact: &Fact) -> String {
    match fact {
        Fact::Exclusion { exclusion, supersedes } => {
            let services = exclusion.services.as_ref().map_or_else(
                || "all services".to_owned(),
                |services| services.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", "),
            );
            let (from, until) = (exclusion.interval.from(), exclusion.interval.until());
            let told = exclusion.told_at.map_or_else(String::new, |at| format!(", customer told at {at}"));
            let instead = supersedes.map_or_else(String::new, |number| format!(", instead of entry {number}"));
            let (class, reason) = (exclusion.class, &exclusion.reason);
            format!("exclusion {class} from {from} until {until} of {services}{told}{instead}: {reason}")
        }
        Fact::Withdrawal { entry, reason } => format!("exclusion {entry} withdrawn: {reason}"),
        Fact::Approval { entry } => format!("exclusion {entry} approved"),
        Fact::Refusal { entry, reason } => format!("exclusion {entry} refused: {reason}"),
        Fact::Standing(change) => {
            format!("standing {} from {}", super::standing::word(change.standing), change.from)
        }
        Fact::Incident { incident, .. } => format!("incident {incident}"),
        Fact::Effort(Effort { work: Work::Incident(number), at, worked, note }) => {
            format!("{worked} M/M of work on incident {number} at {at}: {note}")
        }
        Fact::Effort(Effort { work: Work::Diagnosis, at, worked, note }) => {
            format!("{worked} M/M of diagnosis at {at}: {note}")
        }
        Fact::Issue { month, version, .. } => format!("statement of {month} issued, version {version}"),
        Fact::Disposal(disposal) => disposed(disposal),
    }
}

fn disposed(disposal: &Disposal) -> String {
    let Disposal { ground, until, files, results } = disposal;
    let done = match ground {
        Ground::Returned => "handed to the customer",
        Ground::Retention => "deleted, its retention was over",
        Ground::Erasure => "erased",
        Ground::Standing => "erased because of the customer's standing",
    };
    format!("evidence up to {until} {done}: {results} results in {files} files")
}

fn table(effects: &[Effect]) -> String {
    let mut table = String::new();
    for Effect { month, service, before, after } in effects {
        let (was, is) = (figures(before), figures(after));
        let told = if was == is { format!("{is}, unchanged") } else { format!("{was} -> {is}") };
        writeln!(table, "{month} {}: {told}", printable(service.as_str())).expect("writing into a string can't fail");
    }
    table
}

fn figures(figures: &Figures) -> String {
    let credit = match figures.credit.withheld {
        Some(_) => "credit withheld".to_owned(),
        None => format!("credit {} %", figures.credit.percent),
    };
    let downtime = length(Duration::from_millis(figures.availability.downtime_ms), Language::English);
    format!("{} %, downtime {downtime}, {credit}", figures.availability)
}
