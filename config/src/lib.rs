//! Files into values: reads YAML, checks it, and hands out values of `rules` that need no second look.
//!
//! Every mistake in a file is found in one pass and shown with its place and what would be right.
//! Nothing here opens a socket, and no default depends on the machine.

// What the two programs read
pub mod agent;
pub mod blackbox;
pub mod check_document;
pub mod collector;
pub mod flow;
pub mod lone_policy;
// What stands in it
mod agreement;
mod check;
mod policy;
// Texts and places
mod files;
mod node;
pub mod reading;
pub mod report;
pub mod scalar;
pub mod secret;
pub mod source;
