//! The agent: looks at targets from where it stands, keeps every result, and sends it on.
//!
//! A check falls due (`scheduler`), a prober looks ([`prober`]) and the result is judged by the
//! circumstances (`vantage`), kept ([`spool`]) and sent ([`uplink`]). The agent knows nothing of
//! months and agreements, and never sends a result that is not durable here first.

// A person starts it
pub mod command;
mod import;
pub mod program;
// Which checks stand
mod checks;
mod discovery;
mod orders;
// A check falls due, a prober looks
mod scheduler;
// Or a job reports
mod heartbeat;

pub mod prober;

mod notes;
mod sequence;
mod timekeeping;
// What is probed at somebody's request
pub mod blackbox;

mod vantage;
// Whose fault it is
mod pauses;
mod references;
// The result is kept and sent
pub mod spool;
pub mod uplink;
// And told
mod local;
mod metrics;
