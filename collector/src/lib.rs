//! The collector: takes in what agents saw, keeps it, and tells what a month was worth.
//!
//! It never opens a connection to a target, and it never judges a probe.

// What comes in
mod commit;
mod follow;
mod ingest;
// What is kept
mod fold;
pub mod ledger;
pub mod metrics;
pub mod state;
// What is told
pub mod closing;
pub mod lines;
pub mod render;
