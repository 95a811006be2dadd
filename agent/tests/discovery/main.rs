//! Whole agents that discover what to probe: in real files, at real servers, in a scripted cluster.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[cfg(feature = "kubernetes")]
mod cluster;
mod files;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod running;
mod server;
mod slots;
