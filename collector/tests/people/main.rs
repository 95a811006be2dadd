//! Who may see and do what, asked of a real collector over HTTP.
//!
//! The matrix names every route of the web's router: a route without a row fails.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod incidents;
mod matrix;
mod records;
mod running;
mod sessions;
mod statements;
mod stopped;
