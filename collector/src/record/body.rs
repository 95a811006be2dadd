//! A fact as the JSON text that lies in the ledger, and back.
//!
//! `{"version":1,"exclusion":{…}}`: a version and one fact under its name. Instants are RFC 3339 in
//! UTC, man-months hundredths, hashes hexadecimal. Reading is strict: a fact, a key or a version
//! that this program doesn't know may change what the others mean, so it is [`Unreadable`] and never
//! skipped. Within a version keys may only be added together with a new fact's name.

mod event;

use crate::digest::hex;
use event::EventBody;
use rules::exclusion::{Class, Exclusion};
use rules::interval::Interval;
use rules::period::Month;
use rules::record::{Disposal, Fact, Ground};
use rules::retainer::{Effort, ManMonths, Work};
use rules::standing::{Change, Standing};
use rules::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The version that this program writes, and the only one so far.
const VERSION: u64 = 1;

/// Why a body is not understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON object with a version and one fact.
    #[error("is no fact: {0}")]
    NoFact(String),
    /// It is of a later version.
    #[error("is of version {found} and this program knows {VERSION}; use the version that wrote it")]
    Version {
        /// What it says.
        found: u64,
    },
    /// It is a fact of another kind.
    #[error("is a fact of kind `{0}`, which this program does not know; use the version that wrote it")]
    Kind(String),
    /// The fact is not what this version writes.
    #[error("is no `{kind}` as this program knows it: {why}")]
    Contents {
        /// Which kind of fact.
        kind: String,
        /// What is wrong.
        why: String,
    },
}

/// `fact` as its body.
pub fn write(fact: &Fact) -> String {
    match fact {
        Fact::Exclusion { exclusion, supersedes } => text("exclusion", &ExclusionBody::of(exclusion, *supersedes)),
        Fact::Withdrawal { entry, reason } => text("withdrawal", &Against { entry: *entry, reason: reason.clone() }),
        Fact::Approval { entry } => text("approval", &For { entry: *entry }),
        Fact::Refusal { entry, reason } => text("refusal", &Against { entry: *entry, reason: reason.clone() }),
        Fact::Incident { incident, event } => {
            text("incident", &IncidentBody { incident: *incident, event: EventBody::of(event) })
        }
        Fact::Effort(effort) => text("effort", &EffortBody::of(effort)),
        Fact::Standing(change) => text("standing", &StandingBody::of(*change)),
        Fact::Issue { month, version, sha256 } => {
            let (month, sha256) = (month.to_string(), hex(sha256));
            text("issue", &IssueBody { month, version: *version, sha256 })
        }
        Fact::Disposal(disposal) => text("disposal", &DisposalBody::of(disposal)),
    }
}

fn text(kind: &str, body: &impl Serialize) -> String {
    let body = serde_json::to_string(body).expect("texts, numbers and lists are JSON");
    format!("{{\"version\":{VERSION},\"{kind}\":{body}}}")
}

/// The fact that `body` says.
pub fn read(body: &str) -> Result<Fact, Unreadable> {
    let no_fact = |why: &str| Unreadable::NoFact(why.to_owned());
    let value: Value = serde_json::from_str(body).map_err(|error| no_fact(&error.to_string()))?;
    let Value::Object(mut keys) = value else { return Err(no_fact("it is no object")) };
    let version = keys.remove("version").and_then(|version| version.as_u64());
    match version.ok_or_else(|| no_fact("it has no version"))? {
        VERSION => {}
        found => return Err(Unreadable::Version { found }),
    }
    let mut facts = keys.into_iter();
    let (Some((kind, value)), None) = (facts.next(), facts.next()) else {
        return Err(no_fact("it has not one fact beside its version"));
    };
    let contents = |why: String| Unreadable::Contents { kind: kind.clone(), why };
    match kind.as_str() {
        "exclusion" => parsed::<ExclusionBody>(value).and_then(ExclusionBody::fact),
        "withdrawal" => parsed(value).map(|Against { entry, reason }| Fact::Withdrawal { entry, reason }),
        "approval" => parsed(value).map(|For { entry }| Fact::Approval { entry }),
        "refusal" => parsed(value).map(|Against { entry, reason }| Fact::Refusal { entry, reason }),
        "incident" => parsed::<IncidentBody>(value).and_then(IncidentBody::fact),
        "effort" => parsed::<EffortBody>(value).and_then(EffortBody::fact),
        "standing" => parsed::<StandingBody>(value).and_then(StandingBody::fact),
        "issue" => parsed::<IssueBody>(value).and_then(IssueBody::fact),
        "disposal" => parsed::<DisposalBody>(value).and_then(DisposalBody::fact),
        _ => return Err(Unreadable::Kind(kind)),
    }
    .map_err(contents)
}

fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    entry: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Against {
    entry: u64,
    reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExclusionBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    services: Option<BTreeSet<String>>,
    from: String,
    until: String,
    class: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    supersedes: Option<u64>,
}

impl ExclusionBody {
    fn of(exclusion: &Exclusion, supersedes: Option<u64>) -> ExclusionBody {
        let names = |services: &BTreeSet<_>| services.iter().map(ToString::to_string).collect();
        ExclusionBody {
            services: exclusion.services.as_ref().map(names),
            from: exclusion.interval.from().to_string(),
            until: exclusion.interval.until().to_string(),
            class: exclusion.class.to_string(),
            reason: exclusion.reason.clone(),
            told_at: exclusion.told_at.map(|at| at.to_string()),
            supersedes,
        }
    }

    /// The exclusion as it was said; who recorded it and what became of it is for the record to add.
    fn fact(self) -> Result<Fact, String> {
        let named = |services: BTreeSet<String>| services.iter().map(|name| value(name)).collect::<Result<_, _>>();
        let interval = Interval::new(value(&self.from)?, value(&self.until)?);
        let interval = interval.ok_or("it ends no later than it begins")?;
        let class = Class::from_word(&self.class).ok_or_else(|| format!("`{}` is no class", self.class))?;
        let exclusion = Exclusion {
            services: self.services.map(named).transpose()?,
            reason: self.reason,
            told_at: self.told_at.as_deref().map(value).transpose()?,
            ..Exclusion::new(interval, class)
        };
        Ok(Fact::Exclusion { exclusion, supersedes: self.supersedes })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentBody {
    incident: u64,
    event: EventBody,
}

impl IncidentBody {
    fn fact(self) -> Result<Fact, String> {
        Ok(Fact::Incident { incident: self.incident, event: self.event.event()? })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EffortBody {
    work: WorkBody,
    at: String,
    worked: u64,
    note: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WorkBody {
    Incident(u64),
    Diagnosis,
}

impl EffortBody {
    fn of(effort: &Effort) -> EffortBody {
        let work = match effort.work {
            Work::Incident(number) => WorkBody::Incident(number),
            Work::Diagnosis => WorkBody::Diagnosis,
        };
        EffortBody { work, at: effort.at.to_string(), worked: effort.worked.0, note: effort.note.clone() }
    }

    fn fact(self) -> Result<Fact, String> {
        let work = match self.work {
            WorkBody::Incident(number) => Work::Incident(number),
            WorkBody::Diagnosis => Work::Diagnosis,
        };
        Ok(Fact::Effort(Effort { work, at: value(&self.at)?, worked: ManMonths(self.worked), note: self.note }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StandingBody {
    from: String,
    standing: StandingWord,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StandingWord {
    Trial,
    Paid,
    Overdue,
    Terminated,
}

impl StandingBody {
    fn of(change: Change) -> StandingBody {
        let standing = match change.standing {
            Standing::Trial => StandingWord::Trial,
            Standing::Paid => StandingWord::Paid,
            Standing::Overdue => StandingWord::Overdue,
            Standing::Terminated => StandingWord::Terminated,
        };
        StandingBody { from: change.from.to_string(), standing }
    }

    fn fact(self) -> Result<Fact, String> {
        let standing = match self.standing {
            StandingWord::Trial => Standing::Trial,
            StandingWord::Paid => Standing::Paid,
            StandingWord::Overdue => Standing::Overdue,
            StandingWord::Terminated => Standing::Terminated,
        };
        Ok(Fact::Standing(Change { from: value(&self.from)?, standing }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueBody {
    month: String,
    version: u32,
    sha256: String,
}

impl IssueBody {
    fn fact(self) -> Result<Fact, String> {
        let month: Month = value(&self.month)?;
        let sha256 = from_hexadecimal(&self.sha256).ok_or("its hash is not 64 hexadecimal digits")?;
        Ok(Fact::Issue { month, version: self.version, sha256 })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisposalBody {
    ground: GroundWord,
    until: String,
    files: u64,
    results: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GroundWord {
    Returned,
    Retention,
    Erasure,
    Standing,
}

impl DisposalBody {
    fn of(disposal: &Disposal) -> DisposalBody {
        let ground = match disposal.ground {
            Ground::Returned => GroundWord::Returned,
            Ground::Retention => GroundWord::Retention,
            Ground::Erasure => GroundWord::Erasure,
            Ground::Standing => GroundWord::Standing,
        };
        let Disposal { files, results, .. } = *disposal;
        DisposalBody { ground, until: disposal.until.to_string(), files, results }
    }

    fn fact(self) -> Result<Fact, String> {
        let ground = match self.ground {
            GroundWord::Returned => Ground::Returned,
            GroundWord::Retention => Ground::Retention,
            GroundWord::Erasure => Ground::Erasure,
            GroundWord::Standing => Ground::Standing,
        };
        let DisposalBody { files, results, .. } = self;
        Ok(Fact::Disposal(Disposal { ground, until: value::<Timestamp>(&self.until)?, files, results }))
    }
}

/// The value that `text` names.
fn value<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn from_hexadecimal(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 64).then_some(bytes)?.try_into().ok()
}
