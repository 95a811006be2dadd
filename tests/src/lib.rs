//! What system tests are made of: the real programs, the things that they look at, and the ways between them.
//!
//! Everything is on loopback at ports that the system chose, everything that was started ends with its value, and one
//! function, [`patience::eventually`], is the only place that waits. Nothing here knows what a test expects.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

// Waiting
pub mod patience;
// What is tested
pub mod program;
pub mod world;
// What it touches
mod background;
pub mod link;
pub mod postgres;
pub mod target;
// What it said and kept
pub mod console;
pub mod courier;
pub mod exposition;
pub mod spool;
