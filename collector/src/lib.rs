//! The collector: takes in what agents saw, keeps it, and tells what a month was worth.
//!
//! It never opens a connection to a target, and it never judges a probe.

// The whole of it
pub mod serve;
// What comes in
mod commit;
mod follow;
mod ingest;
// What is kept
pub mod archive;
mod digest;
pub mod evidence;
mod fold;
pub mod import;
mod incidents;
pub mod ledger;
pub mod metrics;
pub mod outages;
mod promised;
pub mod rebuild;
pub mod record;
pub mod state;
// What is told
pub mod closing;
pub mod lines;
mod notify;
pub mod render;
pub mod signing;
pub mod web;
// What it is asked
pub mod command;
