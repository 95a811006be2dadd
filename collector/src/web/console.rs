//! The console's overview and one service's page.

use super::figures::{Evidence, MonthFigures};
use super::frame::Frame;
use super::people::Actor;
use super::problem::Problem;
use super::recent::{self, COLUMNS, Recent};
use super::{AppState, encoded, page};
use crate::closing::evidence::Evidence as _;
use crate::outages::ServiceNow;
use crate::render::chart::{Chart, Means, chart};
use crate::render::figures::{Local, length};
use crate::render::strip::{Kind, Piece};
use crate::state::SeriesView;
use askama::Template;
use axum::extract::{self, Path, Query};
use axum::response::Response;
use rules::agreement::{Agreement, Language, Service};
use rules::availability::Ratio;
use rules::decimal::Percent;
use rules::interval::{Interval, IntervalSet};
use rules::outage::{Stretch, Verdict};
use rules::outcome::Cause;
use rules::period::{Month, Zone};
use rules::time::Timestamp;
use serde::Deserialize;
use std::time::Duration;

/// How many services one page shows.
const PAGE_SIZE: usize = 100;
/// How many stretches a service's page shows, the newest first.
const STRETCHES_SHOWN: usize = 50;

/// A strip of a day, for templates.
pub(super) struct Strip {
    pub(super) title: String,
    pub(super) columns: usize,
    pub(super) bars: Vec<StripBar>,
}

/// A piece of a strip.
pub(super) struct StripBar {
    pub(super) x: usize,
    pub(super) width: usize,
    pub(super) class: &'static str,
}

impl Strip {
    fn of(title: String, pieces: &[Piece]) -> Strip {
        let bar = |piece: &Piece| StripBar { x: piece.column, width: piece.columns, class: piece.kind.class() };
        let shown = pieces.iter().filter(|piece| piece.kind != Kind::Nothing);
        Strip { title, columns: COLUMNS, bars: shown.map(bar).collect() }
    }
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    counts: [(&'static str, usize); 4],
    notes: Vec<String>,
    rows: Vec<OverviewRow>,
    previous: Option<usize>,
    next: Option<usize>,
}

/// One service of a table.
pub(super) struct OverviewRow {
    pub(super) service: String,
    pub(super) path: String,
    pub(super) agreement: String,
    pub(super) statement: String,
    pub(super) state: &'static str,
    pub(super) availability: String,
    pub(super) doubt: String,
    pub(super) objective: String,
    pub(super) met: bool,
    pub(super) budget: String,
    pub(super) last_outage: String,
    pub(super) strip: Strip,
}

/// Which page of a list.
#[derive(Deserialize)]
pub(super) struct Paging {
    #[serde(default)]
    from: usize,
}

/// The overview: every service's state, month and last day.
pub(super) async fn overview(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Query(paging): Query<Paging>,
) -> Response {
    let config = app.promised();
    app.figures.under(&config);
    let now = app.clock.wall();
    let mut counts = [("up", 0), ("down", 0), ("outage", 0), ("unknown", 0)];
    let mut rows = Vec::new();
    let mut total = 0;
    for (index, (agreement, service)) in actor.services(&config.agreements, now).enumerate() {
        total = index + 1;
        let is = app.now(agreement, service);
        for (_, count) in counts.iter_mut().filter(|(word, _)| *word == is.word()) {
            *count += 1;
        }
        if (paging.from..paging.from.saturating_add(PAGE_SIZE)).contains(&index) {
            rows.push(overview_row(&app, agreement, service, &is, now));
        }
    }
    let next = paging.from.saturating_add(PAGE_SIZE);
    let overview = OverviewPage {
        frame: Frame::of(&actor, "Services", now),
        notes: actor.notes(),
        counts,
        rows,
        previous: paging.from.checked_sub(PAGE_SIZE).or((0 < paging.from).then_some(0)),
        next: (next < total).then_some(next),
    };
    page(overview.render().expect("writing into a string can't fail"))
}

/// The row of `service`, which `is` as it is.
pub(super) fn overview_row(
    app: &AppState,
    agreement: &Agreement,
    service: &Service,
    is: &ServiceNow,
    now: Timestamp,
) -> OverviewRow {
    let figures = app.figures(agreement, service, is, now);
    let recent = recent::recent(&app.state, agreement, service, now);
    let objective = agreement.policy.availability.objective;
    let month = figures.current;
    let ago = |stretch: &Stretch| format!("{} ago", coarse(now.since(stretch.interval.until())));
    let last_outage = match is.outage {
        Some(open) => Some(format!("for {}", coarse(now.since(open.began_at)))),
        None => recent.last_outage().map(ago),
    };
    OverviewRow {
        service: service.id.to_string(),
        path: encoded(service.id.as_str()),
        agreement: agreement.id.to_string(),
        statement: statement_path(agreement, Month::containing(now, &agreement.zone)),
        state: is.word(),
        availability: month.map_or_else(|| "–".to_owned(), |month| reading(&month, month.best)),
        doubt: month.and_then(|month| doubt(&month)).unwrap_or_default(),
        objective: objective.to_string(),
        met: month.is_none_or(|month| month.evidence == Evidence::None || month.best.meets(objective)),
        budget: month.map_or_else(String::new, |month| budget_left(&month, objective)),
        last_outage: last_outage.unwrap_or_default(),
        strip: day_strip(&recent, is),
    }
}

/// A month's availability, which is its best reading while it runs, unless nobody saw anything.
fn reading(month: &MonthFigures, availability: Ratio) -> String {
    match month.evidence {
        Evidence::None => "no evidence".to_owned(),
        Evidence::Incomplete | Evidence::Enough => format!("{availability} %"),
    }
}

/// What must stand beside that reading because it matters which one is right.
fn doubt(month: &MonthFigures) -> Option<String> {
    match month.evidence {
        Evidence::Incomplete => Some(format!("at worst {} %", month.worst)),
        Evidence::None | Evidence::Enough => None,
    }
}

fn budget_left(month: &MonthFigures, objective: Percent) -> String {
    match month.evidence {
        Evidence::None => String::new(),
        Evidence::Incomplete | Evidence::Enough => signed(month.best.budget_left_ms(objective)),
    }
}

fn day_strip(recent: &Recent, is: &ServiceNow) -> Strip {
    let outages = recent.stretches.iter().filter(|stretch| stretch.verdict == Verdict::Outage);
    let outages = outages.filter(|stretch| stretch.interval.intersection(recent.window).is_some()).count();
    let plural = if outages == 1 { "" } else { "s" };
    Strip::of(format!("Last 24 hours: {outages} outage{plural}, now {}", is.word()), &recent.strip())
}

/// Where the statement of `agreement`'s `month` is.
pub(super) fn statement_path(agreement: &Agreement, month: Month) -> String {
    format!("/statements/{}/{month}", encoded(agreement.id.as_str()))
}

/// A length in its two largest units, for glances; never for accounts.
pub(super) fn coarse(of: Duration) -> String {
    let seconds = of.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

fn signed(ms: i64) -> String {
    let length = coarse(Duration::from_millis(ms.unsigned_abs()));
    if ms < 0 { format!("−{length}") } else { length }
}

#[derive(Template)]
#[template(path = "service.html")]
struct ServicePage {
    frame: Frame,
    service: String,
    agreement: String,
    customer: String,
    zone: String,
    state: &'static str,
    figures: Vec<(&'static str, String, String)>,
    strip: Strip,
    hours: Vec<(usize, String)>,
    series: Vec<SeriesRow>,
    charts: Vec<Chart>,
    stretches: Vec<StretchRow>,
    checks: Vec<CheckRow>,
    statements: Vec<(String, String)>,
}

struct SeriesRow {
    agent: String,
    check: String,
    last: String,
    outcome: String,
    took: String,
    strip: Strip,
}

struct StretchRow {
    class: &'static str,
    word: &'static str,
    began: String,
    ended: String,
    length: String,
    bracket: String,
    causes: String,
}

struct CheckRow {
    check: String,
    kind: &'static str,
    target: String,
    every: String,
    counts: bool,
    objective: String,
}

/// One service: what each agent saw, its outages, its checks.
pub(super) async fn service(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let config = app.promised();
    app.figures.under(&config);
    let now = app.clock.wall();
    let (agreement, service) = actor.service(&config.agreements, &name, now)?;
    let recent = recent::recent(&app.state, agreement, service, now);
    let is = app.now(agreement, service);
    let views = app.state.service(&service.id);
    let local = Local::new(&agreement.zone, recent.window);
    let month = Month::containing(now, &agreement.zone);
    let shown = ServicePage {
        frame: Frame::of(&actor, service.id.as_str(), now),
        service: service.id.to_string(),
        agreement: agreement.id.to_string(),
        customer: agreement.customer.clone(),
        zone: agreement.zone.name().to_owned(),
        state: is.word(),
        figures: month_figures(&app, agreement, service, &is, now),
        strip: day_strip(&recent, &is),
        hours: hours(&agreement.zone, recent.window),
        series: views.iter().map(|view| series_row(view, &local, recent.window)).collect(),
        charts: charts(&app, agreement, service, recent.window).await?,
        stretches: recent.stretches.iter().rev().take(STRETCHES_SHOWN).map(|of| stretch_row(of, &local)).collect(),
        checks: service.checks.iter().map(check_row).collect(),
        statements: [month, month.previous()]
            .map(|month| (month.to_string(), statement_path(agreement, month)))
            .to_vec(),
    };
    Ok(page(shown.render().expect("writing into a string can't fail")))
}

/// The last day's latency of every check that was measured.
async fn charts(
    app: &AppState,
    agreement: &Agreement,
    service: &Service,
    window: Interval,
) -> Result<Vec<Chart>, Problem> {
    let mut charts = Vec::new();
    for check in &service.checks {
        let heard = app.evidence.latency(service, check, &IntervalSet::from(window)).await?;
        let means = Means {
            check,
            policy: &agreement.policy,
            zone: &agreement.zone,
            window,
            population: &heard.population,
            hours: &heard.hours,
        };
        charts.extend(chart(&means, Language::English));
    }
    Ok(charts)
}

fn month_figures(
    app: &AppState,
    agreement: &Agreement,
    service: &Service,
    is: &ServiceNow,
    now: Timestamp,
) -> Vec<(&'static str, String, String)> {
    let figures = app.figures(agreement, service, is, now);
    let Some(month) = figures.current else { return Vec::new() };
    let objective = agreement.policy.availability.objective;
    let said = |ms: u64| coarse(Duration::from_millis(ms));
    let undetermined = ("Undetermined", coarse(month.undetermined), "without evidence".to_owned());
    let promised = format!("objective {objective} %");
    let availability = ("Availability this month", reading(&month, month.best), doubt(&month).unwrap_or(promised));
    let mut shown = vec![availability];
    if month.evidence != Evidence::None {
        let plural = if month.outages == 1 { "" } else { "s" };
        shown.push(("Downtime", said(month.best.downtime_ms), format!("{} outage{plural}", month.outages)));
        shown.push(("Error budget left", budget_left(&month, objective), "of this month".to_owned()));
    }
    shown.push(undetermined);
    if let Some(before) = figures.previous {
        let note =
            doubt(&before).map_or_else(|| before.month.to_string(), |doubt| format!("{}, {doubt}", before.month));
        shown.push(("Month before", reading(&before, before.availability), note));
    }
    shown
}

/// Labels below a day's strip, every four hours of the agreement's clock.
fn hours(zone: &Zone, window: Interval) -> Vec<(usize, String)> {
    let local = Local::new(zone, window);
    let step = Duration::from_secs(4 * 3600);
    let first = window.from().plus(Duration::from_secs(3600)).hour();
    let instants = std::iter::successors(Some(first), |at| Some(at.plus(step))).take_while(|at| *at < window.until());
    instants.map(|at| (crate::render::strip::column(at, window, COLUMNS), local.hour_minute(at))).collect()
}

fn series_row(view: &SeriesView, local: &Local<'_>, window: Interval) -> SeriesRow {
    let pieces = recent::series_strip(view, window);
    let outcome = view.last.map(|last| match last.outcome.cause() {
        Some(cause) => format!("{}: {cause}", last.outcome.kind()),
        None => last.outcome.kind().to_string(),
    });
    SeriesRow {
        agent: view.key.agent.to_string(),
        check: view.key.check.to_string(),
        last: view.last.map(|last| local.instant(last.at)).unwrap_or_default(),
        outcome: outcome.unwrap_or_default(),
        took: view.last.and_then(|last| last.latency()).map(took).unwrap_or_default(),
        strip: Strip::of(format!("{} from {}, last 24 hours", view.key.check, view.key.agent), &pieces),
    }
}

fn took(length: Duration) -> String {
    crate::render::figures::latency(u64::try_from(length.as_micros()).unwrap_or(u64::MAX))
}

fn stretch_row(stretch: &Stretch, local: &Local<'_>) -> StretchRow {
    let (class, word) = match stretch.verdict {
        Verdict::Outage => ("outage", "outage"),
        Verdict::NearMiss => ("short", "near miss"),
        Verdict::Short => ("short", "short downtime"),
    };
    let said = |of: Duration| length(of, Language::English);
    let longest = stretch.longest().map_or_else(|| "unknown".to_owned(), said);
    let causes: Vec<&str> = stretch.causes.iter().map(Cause::as_str).collect();
    let ended = local.instant(stretch.interval.until());
    StretchRow {
        class,
        word,
        began: local.instant(stretch.interval.from()),
        ended: if stretch.ongoing { format!("{ended}, so far") } else { ended },
        length: said(stretch.interval.length()),
        bracket: format!("{} – {longest}", said(stretch.shortest())),
        causes: causes.join(", "),
    }
}

fn check_row(check: &rules::check::Check) -> CheckRow {
    CheckRow {
        check: check.id.to_string(),
        kind: check.target.kind(),
        target: check.target.address().to_owned(),
        every: length(check.every, Language::English),
        counts: check.counts == rules::check::Counts::Yes,
        objective: check.objective.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
