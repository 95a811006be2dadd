//! Keeps the mean of every promised latency fresh, for gauges.
//!
//! A month's mean takes reading its hours from the ledger, far too much for a scrape: it is done
//! here, one service after the other and never in a hurry. Statements don't use it; they read.

use super::AppState;
use super::figures::services;
use crate::closing::evidence::Evidence;
use crate::closing::reckon;
use crate::ledger::LedgerError;
use rules::agreement::{Agreement, Service};
use rules::period::Month;
use std::time::Duration;

/// The shortest time from one round to the next.
const ROUND: Duration = Duration::from_secs(60);
/// The pause after each service, so that 10 000 of them don't keep the ledger busy.
const PAUSE: Duration = Duration::from_millis(20);
/// Before the first round: agents are being loaded, and the first results come in.
const FIRST: Duration = Duration::from_secs(5);

/// Goes round until the collector stops.
pub(super) async fn keep(app: AppState) {
    let cancel = app.cancel.clone();
    let rounds = async {
        app.clock.sleep(FIRST).await;
        loop {
            round(&app).await;
            app.clock.sleep(ROUND).await;
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = rounds => {}
    }
}

async fn round(app: &AppState) {
    let config = app.promised();
    for (agreement, service) in services(&config.agreements, app.clock.wall()) {
        if service.checks.iter().all(|check| check.objective.is_none()) {
            continue;
        }
        let month = Month::containing(app.clock.wall(), &agreement.zone);
        for month in [month, month.previous()] {
            let then = config.agreement(agreement.id.as_str(), month);
            let then = then.and_then(|then| Some((then, then.services.iter().find(|known| known.id == service.id)?)));
            let Some((agreement, service)) = then else { continue };
            if let Err(error) = means(app, agreement, service, month).await {
                // The next round asks again; the ledger's own metrics count it.
                tracing::warn!(service = %service.id, error = daemon::error_text::whole(&error), "Mean could not be drawn up");
            }
        }
        app.clock.sleep(PAUSE).await;
    }
}

async fn means(app: &AppState, agreement: &Agreement, service: &Service, month: Month) -> Result<(), LedgerError> {
    let seen = app.evidence.series(service, month.interval(&agreement.zone)).await?;
    let Some(reckoning) = reckon(agreement, service, month, Some(app.clock.wall()), &seen) else { return Ok(()) };
    for check in service.checks.iter().filter(|check| check.objective.is_some()) {
        let latency = app.evidence.latency(service, check, &reckoning.measured).await?;
        let mean = latency.population.mean_us().map(Duration::from_micros);
        app.figures.keep_mean(&service.id, &check.id, month, mean);
    }
    Ok(())
}
