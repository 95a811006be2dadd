//! Whole agents that discover what to probe: in real files, at real servers, in a scripted cluster.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod files;
mod running;
mod server;
mod slots;
