//! How blocks get from an agent's spool into the ledger: nothing lost, nothing counted twice.
//!
//! Both ends are values: [`sender::Sender`] decides what an agent asks next, [`receiver::Lane`]
//! what a collector does with one block. Neither sends, stores, waits or reads a clock.
//!
//! # The lane
//! A block is known by `(agent, incarnation, seq)`. The agent numbers its blocks without a gap
//! when they become durable in its spool; the collector grants the incarnation at registration.
//! A lane is one incarnation's blocks; its `next_seq` moves in the same transaction as a block's
//! effect (compare-and-swap), so a crash between any two steps leads to a resend and no more:
//! ```text
//! agent:      spool commit ── post ──────────────────────────────── answer ── acknowledge in spool
//! collector:                    └ check ── one transaction, durable ──┘
//!             crash here: resent │ resent           │ resent, found known, acknowledged again
//! ```
//!
//! # The wire: HTTP/2 on the collector's `listen.agents`
//! Every request has `authorization: Bearer <token>` (or a client certificate) and
//! `nines-agent: <agent>`, and `nines-now: <RFC 3339>`, the agent's wall clock as it is. Bodies of answers are JSON, their `now` is the collector's clock in
//! RFC 3339. An agent has one request for its lane in flight, never two.
//! ```text
//! POST /agents/v1/register    {"agent": "seoul-1", "first_seq": 1}
//!   200  {"incarnation": 3, "next_seq": 1, "now": "…"}    a fresh incarnation, its lane begins at first_seq
//!
//! POST /agents/v1/blocks?incarnation=3&first_seq=7
//!   body: one or more blocks in order of seq, without a gap, at most 1 MiB in all:
//!         ┌ u32, little-endian: length ┬ that many bytes: a block ┐ repeated
//!         first_seq is the first one's seq, so that a block which does not decode has one too
//!   200  {"next_seq": 9, "refused": [{"seq": 8, "reason": "…"}], "now": "…"}
//!                                     every block before next_seq is committed or refused for good
//!   409  {"expected": 5}              a gap: the lane's next_seq is lower than the block's
//!   409  {"unknown_incarnation": true}
//!   409  {"conflict": 6}              (incarnation, 6) is stored with other bytes: a cloned or
//!                                     rolled-back spool; both are in quarantine
//!   413                               send less at once
//! GET /agents/v1/time
//!   200  {"now": "…"}                 for an agent that has had no other answer for long
//! GET /agents/v1/checks?wait=30s      with if-none-match: 200 and an etag, or 304 after `wait`
//! any:
//!   401, 403                          not, or not this agent's, token or certificate
//!   429, 503  retry-after: <seconds>  not now
//! ```
//! Blocks that precede a gap or a conflict in the same request are committed all the same.

pub mod receiver;
pub mod sender;

use alloc::vec::Vec;
use core::fmt;

/// Where an agent asks for an incarnation.
pub const REGISTER_PATH: &str = "/agents/v1/register";

/// Where an agent posts blocks.
pub const BLOCKS_PATH: &str = "/agents/v1/blocks";

/// Where an agent asks what to check.
pub const CHECKS_PATH: &str = "/agents/v1/checks";

/// Where an agent asks what time it is.
pub const TIME_PATH: &str = "/agents/v1/time";

/// The header that says what the agent's wall clock shows, right or wrong.
pub const NOW_HEADER: &str = "nines-now";

/// The header that names the agent, in UTF-8 as it stands in the configuration.
pub const AGENT_HEADER: &str = "nines-agent";

/// The most bytes of one post: four of the largest blocks, so that a backlog drains in few round
/// trips and a collector with a thousand agents holds 1 GiB at worst.
pub const POST_BYTES_MAX: usize = 1024 * 1024;

/// The `seq` of a new spool's first block.
pub const SEQ_FIRST: u64 = 1;

/// The largest `seq`: SQL has no larger integer, and no agent lives that long.
pub const SEQ_MAX: u64 = i64::MAX.cast_unsigned();

/// Which life of an agent's spool a lane belongs to; the collector counts them up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A post's body that is not as drawn above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than [`POST_BYTES_MAX`].
    #[error("a post is {0} bytes long; at most {POST_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// There is nothing in it.
    #[error("a post has no block")]
    Empty,
    /// A length says more than is there.
    #[error("a post ends in the middle of a block or of its length")]
    Cut,
}

/// Adds one block's bytes to a post's body.
pub fn add_to_body(body: &mut Vec<u8>, block: &[u8]) {
    let length = u32::try_from(block.len()).expect("a block is at most 256 KiB");
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(block);
}

/// How many bytes of a post's body a block of `length` bytes takes.
pub fn body_bytes(length: usize) -> usize {
    size_of::<u32>() + length
}

/// The blocks' bytes in a post's body, in their order. Nothing is copied.
pub fn split_body(body: &[u8]) -> Result<Vec<&[u8]>, BodyError> {
    if POST_BYTES_MAX < body.len() {
        return Err(BodyError::TooLong(body.len()));
    }
    if body.is_empty() {
        return Err(BodyError::Empty);
    }
    let (mut blocks, mut rest) = (Vec::new(), body);
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk().ok_or(BodyError::Cut)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (block, after) = after.split_at_checked(length).ok_or(BodyError::Cut)?;
        blocks.push(block);
        rest = after;
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests;
