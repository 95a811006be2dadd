//! Probes TLS itself: a handshake, from the start or after what the port's protocol asks for, and
//! nothing after it.

use super::Means;
use super::dialog::Talk;
use super::resolve::Host;
use super::trace::{Break, Trace};
use rules::check::{Route, Security, StartTls, TlsTarget};
use std::time::Duration;

/// A port that speaks TLS, ready to be probed.
#[derive(Debug)]
pub(crate) struct Tls {
    host: Host,
    port: u16,
    route: Route,
    talk: Talk,
}

impl Tls {
    pub(crate) fn prepare(target: &TlsTarget, means: &Means) -> Result<Tls, Break> {
        let TlsTarget { host, port, route, starttls, tls, .. } = target;
        let steps = starttls.map(StartTls::dialog).unwrap_or_default();
        let security = if starttls.is_some() { Security::Plain } else { Security::Tls };
        let talk = Talk::prepare(&steps, security, tls, Some(host), means)?;
        Ok(Tls { host: Host::read(host)?, port: *port, route: route.clone(), talk })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let stream = means.connect(&self.host, self.port, &self.route, budget, trace).await?;
        self.talk.hold(Box::new(stream), trace).await
    }
}
