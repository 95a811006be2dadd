//! The front door's own commands; everything else stands in the two towers.
//!
//! No logic lives here: `up` joins a collector and an agent, `check` shows what one probe saw.

pub mod check;
pub mod up;
