//! A statement as words and tables in one language: what text and page both print.
//!
//! Text from outside (names, reasons) is freed of control characters here, once for both.

mod service;
mod tables;

use super::chart::Chart;
use super::figures::Local;
use super::timeline::Timeline;
use super::words::{Word, code};
use super::{figures, method};
use crate::closing::{Awaiting, State, Statement};
use rules::agreement::Language;
use rules::id::AgentId;

/// A whole statement.
pub(crate) struct Document {
    pub(crate) language: &'static str,
    pub(crate) title: String,
    pub(crate) customer: String,
    pub(crate) period: String,
    /// `provisional` or `final`, for style sheets.
    pub(crate) state: &'static str,
    pub(crate) state_word: &'static str,
    /// Why it is in that state, if there is something to say.
    pub(crate) state_note: Option<String>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) services: Vec<Part>,
    pub(crate) without_time: Option<String>,
    pub(crate) method_title: &'static str,
    pub(crate) method: Vec<String>,
}

/// One service's part.
pub(crate) struct Part {
    pub(crate) name: String,
    /// `met`, `missed` or `incomplete`, for style sheets.
    pub(crate) verdict: &'static str,
    pub(crate) verdict_word: &'static str,
    /// The verdict in a sentence.
    pub(crate) sentence: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) timeline: Timeline,
    pub(crate) tables: Vec<Table>,
    pub(crate) charts: Vec<Chart>,
    pub(crate) credit_title: &'static str,
    pub(crate) credit: Vec<String>,
}

/// A thing and its value.
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: String,
}

/// A figure of the first screen, and what it is held against.
pub(crate) struct Figure {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
}

/// A table.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    /// `dated` if rows begin with two instants, for style sheets.
    pub(crate) class: &'static str,
    pub(crate) note: Option<&'static str>,
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
    /// What stands in the place of no rows.
    pub(crate) empty: &'static str,
}

/// A row, and how it is to be taken, for style sheets: `good`, `bad`, `weak` or nothing.
pub(crate) struct Row {
    pub(crate) tone: &'static str,
    pub(crate) cells: Vec<String>,
}

/// Puts `statement` into words.
pub(crate) fn document(statement: &Statement<'_>, language: Language) -> Document {
    let agreement = statement.agreement;
    let local = Local::new(&agreement.zone, statement.calendar);
    let (state, state_word) = match &statement.state {
        State::Provisional(_) => ("provisional", Word::Provisional),
        State::Final { .. } => ("final", Word::Final),
    };
    let fact = |label: Word, value: String| Fact { label: label.say(language), value };
    let mut facts = vec![
        fact(Word::Agreement, agreement.id.to_string()),
        fact(Word::Policy, agreement.policy.id.to_string()),
        fact(Word::Period, period(statement, &local)),
        fact(Word::Zone, agreement.zone.name().to_owned()),
    ];
    facts.extend(statement.as_of.map(|at| fact(Word::AsOf, local.instant(at))));
    facts.push(fact(Word::Version, statement.version.to_string()));
    let without: Vec<String> = statement.without_time.iter().map(ToString::to_string).collect();
    Document {
        language: code(language),
        title: Word::Title.say(language).to_owned(),
        customer: printable(&agreement.customer),
        period: statement.month.to_string(),
        state,
        state_word: state_word.say(language),
        state_note: state_note(&statement.state, language),
        facts,
        services: statement.services.iter().map(|month| service::part(statement, month, language)).collect(),
        without_time: (!without.is_empty())
            .then(|| format!("{}: {}", Word::WithoutTime.say(language), without.join(", "))),
        method_title: Word::MethodTitle.say(language),
        method: method::method(agreement, language),
    }
}

fn period(statement: &Statement<'_>, local: &Local<'_>) -> String {
    let calendar = statement.calendar;
    format!("{} ({} – {})", statement.month, local.instant(calendar.from()), local.instant(calendar.until()))
}

fn state_note(state: &State, language: Language) -> Option<String> {
    let names = |agents: &[AgentId]| agents.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let note = match (state, language) {
        (State::Final { missing }, _) if missing.is_empty() => return None,
        (State::Final { missing }, Language::English) => {
            format!("The evidence of these agents was not waited for any longer: {}.", names(missing))
        }
        (State::Final { missing }, Language::Korean) => {
            format!("다음 에이전트의 증거는 대기 기간이 지나 반영되지 않았습니다: {}.", names(missing))
        }
        (State::Provisional(Awaiting::PeriodEnd), Language::English) => "The period still runs.".to_owned(),
        (State::Provisional(Awaiting::PeriodEnd), Language::Korean) => "대상 월이 아직 끝나지 않았습니다.".to_owned(),
        (State::Provisional(Awaiting::Evidence(agents)), Language::English) if agents.is_empty() => {
            "No agent has sent evidence.".to_owned()
        }
        (State::Provisional(Awaiting::Evidence(agents)), Language::Korean) if agents.is_empty() => {
            "증거를 보낸 에이전트가 없습니다.".to_owned()
        }
        (State::Provisional(Awaiting::Evidence(agents)), Language::English) => {
            format!("Evidence up to the period's end is still due from: {}.", names(agents))
        }
        (State::Provisional(Awaiting::Evidence(agents)), Language::Korean) => {
            format!("다음 에이전트의 월말까지의 증거를 기다리고 있습니다: {}.", names(agents))
        }
    };
    Some(note)
}

/// Text from outside without anything that could steer a terminal or reorder a line.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(rules::evidence::escaped).collect()
}

/// `length` in words.
pub(crate) fn length(length: std::time::Duration, language: Language) -> String {
    figures::length(length, language)
}
