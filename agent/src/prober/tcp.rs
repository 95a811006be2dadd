//! Probes a port: it is up when it accepts a connection. Nothing is sent.

use super::Means;
use super::resolve::Host;
use super::trace::{Break, Trace};
use rules::check::{Route, TcpTarget};
use std::time::Duration;

/// A port, ready to be probed.
#[derive(Debug)]
pub(crate) struct Port {
    host: Host,
    port: u16,
    route: Route,
}

impl Port {
    pub(crate) fn prepare(target: &TcpTarget, _means: &Means) -> Result<Port, Break> {
        Ok(Port { host: Host::read(&target.host)?, port: target.port, route: target.route.clone() })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        means.connect(&self.host, self.port, &self.route, budget, trace).await.map(drop)
    }
}
