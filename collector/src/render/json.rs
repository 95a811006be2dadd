//! A statement as JSON: the keys of `interfaces.md` section 4, and some more.
//!
//! Instants are RFC 3339 in UTC, lengths whole milliseconds, money minor units, percentages texts
//! that are cut. Tools rely on these names: add to them, never change them.

mod people;
mod promises;
pub mod read;
mod service;
pub mod terms;
mod text;

use crate::closing::amendment::{Amendment, Change};
use crate::closing::{Awaiting, Issue, State, Statement};
use crate::digest::hex;
use people::{HandlingView, IncidentView, RetainerView, StandingView, incident_view, retainer_view, standing_view};
use promises::{RowView, row_view};
use rules::credit::Total;
use serde::{Deserialize, Serialize};
use service::{ServiceView, service_view};
use terms::TermsView;
use text::bounded;

/// How statements are written. What is only added keeps the number; what a program of this number could
/// not draw up again, to the byte, takes the next.
pub const FORMAT: u32 = 1;

/// The file of `statement`: as it was signed, or as it is drawn up.
pub fn document(statement: &Statement<'_>) -> String {
    statement.document.as_ref().map_or_else(|| self::statement(statement), |document| document.file.clone())
}

/// The canonical text: the whole statement, indented, with a line's end, and without a seal.
pub fn statement(statement: &Statement<'_>) -> String {
    let mut text = serde_json::to_string_pretty(&view(statement)).expect("texts and numbers are always JSON");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct View {
    statement: HeadView,
    amends: Option<AmendmentView>,
    services: Vec<ServiceView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<TotalView>,
    standing: Vec<StandingView>,
    incidents: Vec<IncidentView>,
    handling: HandlingView,
    response: Vec<RowView>,
    retainer: Option<RetainerView>,
    terms: TermsView,
    issue: Option<IssueView>,
}

/// What is owed in all, if it is less than the services' credits come to.
#[derive(Serialize)]
struct TotalView {
    of_services: u64,
    amount: u64,
}

fn total_view(total: Total) -> TotalView {
    TotalView { of_services: total.of_services.0, amount: total.amount.0 }
}

#[derive(Serialize)]
struct HeadView {
    format: u32,
    agreement: String,
    customer: String,
    period: String,
    zone: String,
    from: String,
    until: String,
    as_of: Option<String>,
    state: &'static str,
    version: u32,
    policy: String,
    /// Whose evidence a provisional statement waits for.
    awaiting: Vec<String>,
    /// Whose evidence a final statement did not wait for any longer.
    missing: Vec<String>,
    services_without_time: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct AmendmentView {
    version: u32,
    sha256: String,
    /// In minor units of the agreement's currency; less than zero: it owes less than was said.
    credit_difference: i128,
    changes: Vec<ChangeView>,
}

#[derive(Serialize, Deserialize)]
struct ChangeView {
    place: String,
    before: Option<String>,
    after: Option<String>,
}

/// What the statement rests on, so that it can be drawn up again.
#[derive(Serialize, Deserialize)]
struct IssueView {
    issued_at: String,
    /// The last entry on record that was heard; 0: none.
    record: u64,
    /// That entry's hash; zeros if there is none.
    record_sha256: String,
    agents: Vec<HeardView>,
}

#[derive(Serialize, Deserialize)]
struct HeardView {
    agent: String,
    /// How many of its blocks were heard.
    blocks: u64,
    lanes: Vec<LaneView>,
    complete_until: Option<String>,
}

/// How far one lane of an agent was heard.
#[derive(Serialize, Deserialize)]
struct LaneView {
    incarnation: u64,
    /// The number of the first block that was not heard.
    until_seq: u64,
}

fn view(statement: &Statement<'_>) -> View {
    let agreement = statement.agreement;
    let names = |ids: &[rules::id::AgentId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (state, awaiting, missing) = match &statement.state {
        State::Provisional(Awaiting::PeriodEnd) => ("provisional", Vec::new(), Vec::new()),
        State::Provisional(Awaiting::Evidence(agents)) => ("provisional", names(agents), Vec::new()),
        State::Final { missing } => ("final", Vec::new(), names(missing)),
    };
    View {
        statement: HeadView {
            format: FORMAT,
            agreement: agreement.id.to_string(),
            customer: bounded(&agreement.customer),
            period: statement.month.to_string(),
            zone: agreement.zone.name().to_owned(),
            from: statement.calendar.from().to_string(),
            until: statement.calendar.until().to_string(),
            as_of: statement.as_of.map(|at| at.to_string()),
            state,
            version: statement.version,
            policy: agreement.policy.id.to_string(),
            awaiting,
            missing,
            services_without_time: statement.without_time.iter().map(ToString::to_string).collect(),
        },
        amends: statement.amends.as_ref().map(amendment_view),
        services: statement.services.iter().map(|service| service_view(agreement, service)).collect(),
        credit: statement.owed().filter(|total| total.is_capped()).map(total_view),
        standing: statement.standing.iter().map(standing_view).collect(),
        incidents: statement.incidents.iter().map(|of| incident_view(of, &agreement.policy)).collect(),
        handling: HandlingView::of(&statement.handling),
        response: statement.response.iter().map(row_view).collect(),
        retainer: statement.retainer.as_ref().map(retainer_view),
        terms: TermsView::of(statement.terms, &statement.incidents),
        issue: statement.issue.as_ref().map(issue_view),
    }
}

fn amendment_view(amends: &Amendment) -> AmendmentView {
    let change = |Change { place, before, after }: &Change| ChangeView {
        place: place.clone(),
        before: before.clone(),
        after: after.clone(),
    };
    AmendmentView {
        version: amends.predecessor,
        sha256: hex(&amends.sha256),
        credit_difference: amends.credit_difference,
        changes: amends.changes.iter().map(change).collect(),
    }
}

fn issue_view(issue: &Issue) -> IssueView {
    let lane = |(incarnation, until_seq): (&u64, &u64)| LaneView { incarnation: *incarnation, until_seq: *until_seq };
    let heard = issue.agents.iter().map(|(agent, heard)| HeardView {
        agent: agent.to_string(),
        blocks: heard.blocks,
        lanes: heard.lanes.iter().map(lane).collect(),
        complete_until: heard.complete_until.map(|at| at.to_string()),
    });
    IssueView {
        issued_at: issue.issued_at.to_string(),
        record: issue.record.entries,
        record_sha256: hex(&issue.record.hash),
        agents: heard.collect(),
    }
}
