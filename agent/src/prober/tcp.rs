//! Probes a port: it is up when it accepts a connection. Nothing is sent.

use super::connect::connect;
use super::resolve::{Host, Resolvers};
use super::trace::{Break, Trace};
use rules::check::{IpPreference, TcpTarget};
use rules::evidence::Phase;
use std::time::Duration;

/// A port, ready to be probed.
#[derive(Debug)]
pub(crate) struct Port {
    host: Host,
    port: u16,
    ip: IpPreference,
}

impl Port {
    pub(crate) fn prepare(target: &TcpTarget) -> Result<Port, Break> {
        Ok(Port { host: Host::read(&target.host)?, port: target.port, ip: target.ip })
    }

    pub(crate) async fn look(&self, resolvers: &Resolvers, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        trace.enter(Phase::Resolve);
        let addresses = resolvers.addresses(&self.host, self.ip).await?;
        trace.enter(Phase::Connect);
        connect(&addresses, self.port, budget, trace).await.map(drop)
    }
}
