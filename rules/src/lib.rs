//! The ground floor: every rule of Nines as values and functions.
//!
//! What a check is and when it falls due, what a probe's evidence means, how results travel as
//! blocks, how they fold into runs, and what a month of runs is worth. `accounting.md` is the
//! normative text; each module names the section it carries out.
//!
//! Nothing here knows a file, a socket, a clock, a task, SQL or a metric: `now` is an argument,
//! instants are integers, and floats appear only when a person reads a number.
#![no_std]
#![warn(clippy::float_arithmetic)]

extern crate alloc;

// Words
pub mod decimal;
pub mod id;
pub mod number;
pub mod outcome;
pub mod time;
// A check falls due, a prober looks
pub mod check;
pub mod evidence;
pub mod judge;
pub mod reach;
pub mod schedule;
// A job reports
pub mod cron;
pub mod heartbeat;
// The result is kept and sent
pub mod block;
pub mod delivery;
pub mod note;
pub mod result;
// Folded
pub mod interval;
pub mod latency;
pub mod run;
// Reckoned
pub mod agreement;
pub mod availability;
pub mod credit;
pub mod exclusion;
pub mod outage;
pub mod period;
pub mod policy;
pub mod recovery;
pub mod service;
// Handled by people, and put on record
pub mod incident;
pub mod record;
pub mod retainer;
pub mod standing;
// And told
pub mod objective;
pub mod statement;
