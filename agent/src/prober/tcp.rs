//! Probes a port: it is up when it accepts a connection and holds the check's dialog, if it has one.

use super::Means;
use super::dialog::Talk;
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
    talk: Talk,
}

impl Port {
    pub(crate) fn prepare(target: &TcpTarget, means: &Means) -> Result<Port, Break> {
        let TcpTarget { host, port, route, security, tls, dialog, .. } = target;
        let talk = Talk::prepare(dialog, *security, tls, Some(host), means)?;
        Ok(Port { host: Host::read(host)?, port: *port, route: route.clone(), talk })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let stream = means.connect(&self.host, self.port, &self.route, budget, trace).await?;
        self.talk.hold(Box::new(stream), trace).await
    }
}
