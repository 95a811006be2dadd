//! The collector: takes in what agents saw, keeps it, and tells what a month was worth.
//!
//! It never opens a connection to a target, and it never judges a probe.

pub mod ledger;
