//! To be written.

pub mod prober;

pub mod spool;
