//! Keeping up with the other collectors on the same ledger.
//!
//! Whatever they commit is folded here too, without writing, so that all of them report the same
//! figures whichever one an agent talks to.

use crate::commit::{Committer, Held, LEDGER, Lanes};
use crate::fold::Followed;
use crate::ledger::LedgerError;
use daemon::error_text::whole;
use rules::id::AgentId;

impl Committer {
    /// Takes in what others committed since the last look.
    pub(crate) async fn follow(&mut self) {
        match self.take_in_others().await {
            Ok(()) => self.readiness.clear(LEDGER),
            Err(error) => {
                self.metrics.ledger_errors.inc();
                self.readiness.block(LEDGER, error.to_string());
                tracing::warn!(error = %whole(&error), "Ledger could not be followed; trying again in a second");
            }
        }
    }

    async fn take_in_others(&mut self) -> Result<(), LedgerError> {
        let positions = self.ledger.positions().await?;
        let ahead = positions.into_iter().filter_map(|(agent, position)| {
            let own = self.agents.get(&agent).map_or(0, |held| held.fold.position());
            let unknown = !self.agents.contains_key(&agent);
            (unknown || own < position).then_some((agent, position.saturating_sub(own)))
        });
        let ahead: Vec<(AgentId, u64)> = ahead.collect();
        let lag: u64 = ahead.iter().map(|(_, blocks)| blocks).sum();
        self.metrics.follow_lag.set(i64::try_from(lag).unwrap_or(i64::MAX));
        if ahead.is_empty() {
            return Ok(());
        }
        let mut lanes = self.lanes_by_agent().await?;
        for (agent, blocks) in ahead {
            let lanes = lanes.remove(&agent).unwrap_or_default();
            self.follow_agent(&agent, lanes).await?;
            self.metrics.follow_lag.sub(i64::try_from(blocks).unwrap_or(i64::MAX));
        }
        Ok(())
    }

    async fn follow_agent(&mut self, agent: &AgentId, lanes: Lanes) -> Result<(), LedgerError> {
        // Taken out: if reading fails half way, it is loaded anew.
        let Some(mut held) = self.agents.remove(agent) else {
            return self.load(agent, lanes).await;
        };
        match held.fold.follow(&*self.ledger).await? {
            Followed::InOrder => {
                held.fold.publish(&self.state);
                self.agents.insert(agent.clone(), Held { lanes, ..held });
                Ok(())
            }
            Followed::Late => self.load(agent, lanes).await,
        }
    }
}
