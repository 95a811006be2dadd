//! The collector's end: what to do with one block of a post.

use super::Incarnation;

/// One incarnation of an agent, as the ledger has it.
///
/// A collector loads the lane, offers it a post's blocks in order, writes their effects and the
/// lane's new `next_seq` in one transaction that fails unless the stored `next_seq` is still the
/// loaded one, and answers after that transaction is durable. A lane is a copy: if the transaction
/// fails, drop it and load again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lane {
    /// Which life of the spool.
    pub incarnation: Incarnation,
    /// The first `seq` that is neither committed nor refused for good.
    pub next_seq: u64,
}

/// What becomes of one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is next: write its effect, or, if it is poison, put it in quarantine and list it as
    /// refused. Either way the lane has moved past it.
    Commit,
    /// It was here before: compare its bytes with the stored ones. The same, or none stored any
    /// more: acknowledge again. Others: quarantine both, alarm, and answer with the conflict.
    Compare,
    /// Blocks before it are missing: answer with `expected`, and look at no further one.
    Gap {
        /// What the agent should send next.
        expected: u64,
    },
}

impl Lane {
    /// The lane that a registration opens: one incarnation after the `last` that this agent was
    /// ever granted, to begin at the `first_seq` that the agent names
    /// (at most [`SEQ_MAX`](super::SEQ_MAX), which the caller checks).
    pub fn open(last: Option<Incarnation>, first_seq: u64) -> Lane {
        let incarnation = Incarnation(last.map_or(1, |last| last.0.saturating_add(1)));
        Lane { incarnation, next_seq: first_seq }
    }

    /// Decides about the block with `seq`, and moves past it if it is the next one.
    pub fn offer(&mut self, seq: u64) -> Verdict {
        if seq < self.next_seq {
            return Verdict::Compare;
        }
        if self.next_seq < seq {
            return Verdict::Gap { expected: self.next_seq };
        }
        self.next_seq = self.next_seq.saturating_add(1);
        Verdict::Commit
    }
}
