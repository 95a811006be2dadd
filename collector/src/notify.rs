//! Tells people and programs what went on record: which channel hears of what, in what words, and once.
//!
//! What is to be told is booked in the same transaction as the entry it tells of, one message for each
//! channel, and the message's key names both. Whichever collector claims it sends it, so an event is
//! told once however many collectors there are; only a crash between a receiver's answer and its being
//! noted sends a message again, with the same key. It never escalates: who is called next, and when,
//! is for the products that it tells.

// What is to be told
pub(crate) mod body;
pub(crate) mod booking;
mod words;
// Who sends it, and when again
mod backoff;
mod outbox;
mod refresh;
// The ways
mod alertmanager;
mod email;
mod http;
mod pagerduty;
mod webhook;
// The regular ones
mod reports;

use crate::ledger::Ledger;
use crate::serve::Facts;
use outbox::Outbox;
use refresh::Refresher;
use reports::{Renderer, Scheduler};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Everything that tells, as one task of a collector.
pub(crate) struct Telling {
    outbox: Outbox,
    scheduler: Scheduler,
    refresher: Refresher,
}

impl Telling {
    /// What tells of what `facts` know, from the outbox in `ledger`.
    pub(crate) fn new(facts: &Facts, ledger: Arc<dyn Ledger>) -> Result<Telling, reqwest::Error> {
        let poster = http::Poster::new()?;
        Ok(Telling {
            outbox: Outbox::new(facts, ledger, poster.clone(), Renderer::new(facts), rand::random()),
            scheduler: Scheduler::new(facts),
            refresher: Refresher::new(facts, poster),
        })
    }

    /// Tells until `cancel`, and lets what is on its way end.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let Telling { outbox, scheduler, refresher } = self;
        tokio::join!(outbox.run(cancel.clone()), scheduler.run(cancel.clone()), refresher.run(cancel));
    }
}

#[cfg(test)]
pub(crate) mod tests;
