//! What a collector tells from, on a clock that the test moves.

use crate::evidence::LedgerEvidence;
use crate::incidents::act::{self, ActError};
use crate::ledger::Ledger;
use crate::ledger::contract::place::Place;
use crate::metrics::Metrics;
use crate::notify::http::Poster;
use crate::notify::outbox::Outbox;
use crate::notify::reports::Renderer;
use crate::outages::Outages;
use crate::record::Record;
use crate::serve::Facts;
use crate::state::State;
use config::collector::CollectorConfig;
use daemon::admin::Readiness;
use daemon::clock::{Clock, Hand};
use rules::agreement::Agreement;
use rules::incident::{Event, Opened, Opening};
use rules::record::Entry;
use rules::time::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A Thursday, 09:00 in Seoul.
pub(crate) const BEGAN: &str = "2026-10-01T00:00:00Z";

const CONFIG: &str = "
ledger: sqlite::memory:
policies:
  - policy: plain
    availability: { objective: 99.9 }
    response:
      - { severity: P1, acknowledge: 15m, first_notice: 5m }
      - { severity: P2, acknowledge: 1h }
agreements:
  - agreement: acme
    customer: Acme
    zone: Asia/Seoul
    policy: plain
    language: ko
    services:
      - service: apm
        checks: [{ check: login, http: 'https://apm.example/', every: 30s }]
";

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}

/// One collector's side of the ledger at `place`.
pub(crate) struct Stand {
    pub(crate) facts: Facts,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) hand: Hand,
    _config: watch::Sender<Arc<CollectorConfig>>,
}

impl Stand {
    /// With these channels.
    pub(crate) async fn new(place: &Place, channels: &str) -> Stand {
        Stand::with(place, &format!("{CONFIG}notify: [{channels}]\n")).await
    }

    /// With these channels and reports.
    pub(crate) async fn reporting(place: &Place, channels: &str, reports: &str) -> Stand {
        Stand::with(place, &format!("{CONFIG}notify: [{channels}]\nreports: [{reports}]\n")).await
    }

    async fn with(place: &Place, text: &str) -> Stand {
        let config = config::collector::parse(text, "collector.yaml", Path::new("."));
        let config = config.unwrap_or_else(|error| panic!("{error}")).value;
        let (sender, config) = watch::channel(Arc::new(config));
        let (clock, hand) = Clock::manual(BEGAN.parse().unwrap());
        let ledger = place.open().await;
        let state = State::default();
        let facts = Facts {
            promised: config.clone(),
            config,
            evidence: LedgerEvidence::new(Arc::clone(&ledger), state.clone()),
            state,
            record: Record::load(Arc::clone(&ledger), clock.clone()).await.unwrap(),
            outages: Outages::default(),
            metrics: Metrics::new(),
            readiness: Readiness::new(),
            clock,
            cancel: CancellationToken::new(),
        };
        Stand { facts, ledger, hand, _config: sender }
    }

    pub(crate) fn agreement(&self) -> Agreement {
        self.facts.config.borrow().agreements[0].clone()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.facts.clock.wall()
    }

    pub(in crate::notify) fn outbox(&self) -> Outbox {
        let poster = Poster::new().unwrap();
        Outbox::new(&self.facts, Arc::clone(&self.ledger), poster, Renderer::new(&self.facts), 1)
    }

    /// Opens an incident by hand that began ten minutes ago.
    pub(crate) async fn opens(&self) -> Vec<Entry> {
        let opening = Opening {
            services: ["apm".parse().unwrap()].into(),
            severity: "P1".into(),
            began_at: self.now().minus(seconds(600)),
            cause: Opened::ByHand,
            title: "로그인 장애\u{202e} \"<b>".into(),
        };
        let config = Arc::clone(&self.facts.config.borrow());
        act::open(&self.facts.record, &config, &self.agreement(), "kim", opening).await.unwrap()
    }

    pub(crate) async fn happens(&self, incident: u64, event: Event) {
        self.try_happens(incident, event).await.unwrap();
    }

    pub(crate) async fn try_happens(&self, incident: u64, event: Event) -> Result<Vec<Entry>, ActError> {
        let config = Arc::clone(&self.facts.config.borrow());
        act::happened(&self.facts.record, &config, &self.agreement(), "kim", incident, event).await
    }
}
