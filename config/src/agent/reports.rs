//! How jobs show that they may report (`heartbeat` checks).

use crate::agent::Checks;
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, placed};
use crate::secret::{Secret, secret_file, secret_from_environment};
use crate::source::Span;
use rules::check::Target;
use std::net::SocketAddr;

/// How jobs report.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reports {
    /// What each report must show; without one, jobs of this machine alone may report.
    pub token: Option<Secret>,
}

/// Reads `heartbeat`.
pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Reports> {
    let mut keys = Keys::of(node, "`heartbeat`", reading)?;
    let file = keys.optional("token_file", reading, secret_file);
    let in_environment = keys.optional("token", reading, placed(secret_from_environment));
    keys.end(reading);
    match (file, in_environment) {
        (Some(_), Some(Placed { at, .. })) => {
            reading.problem(at, "a token is given twice, here and by `token_file`; keep one")
        }
        (file, in_environment) => Some(Reports { token: file.or(in_environment.map(|token| token.value)) }),
    }
}

/// Warns about jobs that can't report.
pub(super) fn advise(reports: &Reports, checks: &Checks, listen: Option<SocketAddr>, at: Span, reading: &mut Reading) {
    let is_heartbeat = |target: &Target| matches!(target, Target::Heartbeat(_));
    if !checks.list.iter().any(|assignment| is_heartbeat(&assignment.check.target)) {
        return;
    }
    match listen {
        None => reading.warn(at, "a heartbeat is awaited and nobody can report it; add `listen`"),
        Some(address) if !address.ip().is_loopback() && reports.token.is_none() => {
            let message = "heartbeats are awaited from other machines and nothing shows who reports, so all are refused; add `heartbeat: { token_file: … }`";
            reading.warn(at, message);
        }
        Some(_) => {}
    }
}
