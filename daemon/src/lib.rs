//! Being a process: clocks, signals, logs, sockets and the operator's endpoints.
//!
//! Both towers stand on this crate. It knows what a deadline, a certificate and a reload are; it
//! never learns what a probe or an outage is.

pub mod clock;
pub mod descriptors;
pub mod error_text;
pub mod logging;
pub mod shutdown;
pub mod version;

pub mod reload;

pub mod admin;
pub mod exposition;
pub mod listener;
pub mod tls;

mod patience;
