//! The list of agreements, and one agreement's page: standing, services, statements, what is on record.

use super::console::{OverviewRow, overview_row, statement_path};
use super::effort::{EffortRow, efforts};
use super::exclusions::ExclusionRow;
use super::frame::Frame;
use super::incidents::{IncidentRow, incident_rows};
use super::people::Actor;
use super::problem::Problem;

use super::{AppState, encoded, moments, page};
use crate::closing::terms::joined;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use config::collector::users::Role;
use rules::agreement::Agreement;
use rules::period::Month;
use rules::record::{Entry, Fact};
use rules::time::Timestamp;
use std::collections::BTreeMap;

/// Entries of each list that are shown, the newest first.
pub(super) const LISTED_MAX: usize = 50;
/// Months whose statements are linked to though none was issued.
const MONTHS_RECENT: usize = 3;
/// Months of issued statements that are shown, the newest first.
const MONTHS_MAX: usize = 36;

/// Where an agreement's page is.
pub(super) fn agreement_path(agreement: &Agreement) -> String {
    format!("/agreements/{}", encoded(agreement.id.as_str()))
}

#[derive(Template)]
#[template(path = "agreements.html")]
struct ListPage {
    frame: Frame,
    notes: Vec<String>,
    rows: Vec<ListRow>,
}

struct ListRow {
    path: String,
    agreement: String,
    customer: String,
    policy: String,
    zone: String,
    services: usize,
    standing: String,
}

/// Every agreement that the actor sees.
pub(super) async fn list(State(app): State<AppState>, actor: Actor) -> Response {
    let (config, now) = (app.config(), app.clock.wall());
    let mut agreements: Vec<&Agreement> = actor.agreements(&config.agreements, now).collect();
    agreements.sort_by(|a, b| a.id.cmp(&b.id));
    let row = |agreement: &Agreement| ListRow {
        path: agreement_path(agreement),
        agreement: agreement.id.to_string(),
        customer: agreement.customer.clone(),
        policy: agreement.policy.id.to_string(),
        zone: agreement.zone.name().to_owned(),
        services: agreement.services.len(),
        standing: standing(&joined(agreement, &app.record.entries(&agreement.id)), now),
    };
    let rows = agreements.into_iter().map(row).collect();
    let shown = ListPage { frame: Frame::of(&actor, "Agreements", now), notes: actor.notes(), rows };
    page(shown.render().expect("writing into a string can't fail"))
}

/// What the customer is at `now`.
fn standing(agreement: &Agreement, now: Timestamp) -> String {
    let change = agreement.standing.iter().rev().find(|change| change.from <= now);
    change.map_or_else(|| "paid".to_owned(), |change| change.standing.as_str().to_owned())
}

#[derive(Template)]
#[template(path = "agreement.html")]
struct AgreementPage {
    frame: Frame,
    path: String,
    agreement: String,
    customer: String,
    policy: String,
    zone: String,
    clock: String,
    standing: String,
    standings: Vec<(String, &'static str)>,
    rows: Vec<OverviewRow>,
    months: Vec<MonthRow>,
    exclusions: Vec<ExclusionRow>,
    exclusions_more: usize,
    incidents: Vec<IncidentRow>,
    incidents_more: usize,
    efforts: Vec<EffortRow>,
    efforts_more: usize,
    has_retainer: bool,
    may_record: bool,
}

struct MonthRow {
    month: String,
    path: String,
    versions: Vec<VersionRow>,
}

struct VersionRow {
    version: u32,
    issued: String,
    sha256: String,
}

/// One agreement.
pub(super) async fn show(
    State(app): State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    app.figures.under(&app.promised());
    let version = actor.agreement(&config.agreements, &name, now)?;
    let entries = app.record.entries(&version.id);
    let agreement = joined(version, &entries);
    let at = |at: Timestamp| moments::shown(at, &agreement.zone);
    let mut exclusions: Vec<ExclusionRow> =
        agreement.exclusions.iter().map(|exclusion| ExclusionRow::of(&agreement, exclusion)).collect();
    exclusions.reverse();
    let (exclusions, exclusions_more) = newest(exclusions);
    let (incidents, incidents_more) = newest(incident_rows(&agreement, &entries, now));
    let (efforts, efforts_more) = newest(efforts(&agreement, &entries));
    let shown = AgreementPage {
        frame: Frame::of(&actor, agreement.id.as_str(), now),
        path: agreement_path(&agreement),
        agreement: agreement.id.to_string(),
        customer: agreement.customer.clone(),
        policy: agreement.policy.id.to_string(),
        zone: agreement.zone.name().to_owned(),
        clock: moments::minute(now, &agreement.zone),
        standing: standing(&agreement, now),
        standings: agreement.standing.iter().map(|change| (at(change.from), change.standing.as_str())).collect(),
        rows: rows(&app, &agreement, now),
        months: months(&agreement, &entries, now),
        exclusions,
        exclusions_more,
        incidents,
        incidents_more,
        efforts,
        efforts_more,
        has_retainer: agreement.retainer.is_some(),
        may_record: actor.may(Role::Operator).is_ok(),
    };
    Ok(page(shown.render().expect("writing into a string can't fail")))
}

/// The first of `rows`, and how many there are beyond.
fn newest<T>(mut rows: Vec<T>) -> (Vec<T>, usize) {
    let more = rows.len().saturating_sub(LISTED_MAX);
    rows.truncate(LISTED_MAX);
    (rows, more)
}

/// The months with statements, the newest first: the last ones, and all that were issued.
fn months(agreement: &Agreement, entries: &[Entry], now: Timestamp) -> Vec<MonthRow> {
    let this = Month::containing(now, &agreement.zone);
    let recent = std::iter::successors(Some(this), |month| Some(month.previous())).take(MONTHS_RECENT);
    let mut months: BTreeMap<Month, Vec<VersionRow>> = recent.map(|month| (month, Vec::new())).collect();
    for entry in entries {
        if let Fact::Issue { month, version, sha256 } = &entry.fact {
            months.entry(*month).or_default().push(VersionRow {
                version: *version,
                issued: moments::shown(entry.recorded_at, &agreement.zone),
                sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            });
        }
    }
    let row = |(month, versions): (Month, Vec<VersionRow>)| MonthRow {
        month: month.to_string(),
        path: statement_path(agreement, month),
        versions,
    };
    months.into_iter().rev().take(MONTHS_MAX).map(row).collect()
}

fn rows(app: &AppState, agreement: &Agreement, now: Timestamp) -> Vec<OverviewRow> {
    let row = |service| overview_row(app, agreement, service, &app.now(agreement, service), now);
    agreement.services.iter().map(row).collect()
}
