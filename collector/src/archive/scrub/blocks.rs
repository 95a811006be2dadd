//! The ledger's own: blocks against their checksums and rows, records against their chains.

use super::Scrubbed;
use crate::closing::issued::noted;
use crate::ledger::{Ledger, LedgerError, StoredBlock};
use crate::record;
use daemon::error_text::whole;
use rules::block::Block;
use rules::id::AgentId;

/// How many blocks are read at once; at most 16 MiB.
const BLOCKS_AT_ONCE: usize = 64;

impl Scrubbed {
    /// Reads every block that lies in `ledger`.
    pub async fn blocks(&mut self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        for (agent, end) in ledger.positions().await? {
            let mut position = ledger.forgotten(&agent).await?.map_or(0, |forgotten| forgotten.position);
            while position < end {
                let blocks = ledger.blocks_from(&agent, position, BLOCKS_AT_ONCE).await?;
                if blocks.is_empty() {
                    self.findings.push(format!("block {position} of agent {agent} is missing in the ledger"));
                    break;
                }
                for stored in &blocks {
                    if position < stored.position {
                        self.findings.push(format!("block {position} of agent {agent} is missing in the ledger"));
                    }
                    if let Some(what) = wrong(&agent, stored) {
                        self.findings.push(format!("block {} of agent {agent} {what}", stored.position));
                    }
                    self.blocks += 1;
                    position = stored.position + 1;
                }
            }
        }
        Ok(())
    }

    /// Follows every agreement's record from its first entry to what issued statements noted of it.
    pub async fn records(&mut self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        for (agreement, _) in ledger.records().await? {
            let noted = match noted(ledger, &agreement).await {
                Ok(noted) => noted,
                Err(error) => {
                    self.findings.push(whole(&error));
                    Vec::new()
                }
            };
            match record::chain::verify(ledger, &agreement, &noted).await {
                Ok(head) => self.entries += head.entries,
                Err(error) => self.findings.push(whole(&error)),
            }
        }
        Ok(())
    }
}

/// What of a block contradicts its checksum or its row.
fn wrong(agent: &AgentId, stored: &StoredBlock) -> Option<String> {
    let block = match Block::decode(&stored.bytes) {
        Ok(block) => block,
        Err(error) => return Some(format!("does not decode: {}", whole(&error))),
    };
    let row = (agent, stored.seq, stored.span, stored.results as usize);
    let own = (&block.agent, block.seq, block.span(), block.len());
    (row != own).then(|| "is not what its row in the ledger says".to_owned())
}
