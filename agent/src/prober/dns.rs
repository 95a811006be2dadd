//! Probes a name server: one question, and the first answer that is truly one to it.
//!
//! The messages are hickory's, the transports ours, so that each phase is timed. A datagram is sent
//! once and never again, as blackbox_exporter does; an answer that was cut is asked for by TCP. What
//! comes from elsewhere, or answers another question, is passed over until the deadline. What the
//! records must be like is for [`rules::judge`]; here they are counted.

mod answer;
mod exchange;
mod question;
mod record;
mod text;

use super::Means;
use super::handshake::{Alpn, Client, server_name};
use super::resolve::Host;
use super::trace::{Break, Trace};
use exchange::Reply;
use question::Question;
use rules::check::{DnsTarget, DnsTransport, Rcode};
use rules::evidence::{DnsFacts, Edns, Facts, Phase, TcpFallback};
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;

/// A name server and a question, ready to be probed.
#[derive(Debug)]
pub(crate) struct Dns {
    target: DnsTarget,
    host: Host,
    question: Question,
    tls: Option<(Arc<Client>, ServerName<'static>)>,
}

impl Dns {
    pub(crate) fn prepare(target: &DnsTarget, means: &Means) -> Result<Dns, Break> {
        let tls = match target.transport {
            DnsTransport::Udp | DnsTransport::Tcp => None,
            DnsTransport::Tls => {
                Some((means.clients.client(&target.tls, Alpn::None)?, server_name(&target.tls, &target.host)?))
            }
        };
        let (host, question) = (Host::read(&target.host)?, Question::prepare(target)?);
        Ok(Dns { target: target.clone(), host, question, tls })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        note(trace, |_| ());
        let mut reply = self.ask(Edns::Used, means, budget, trace).await?;
        if matches!(reply.head.rcode, Rcode::FORMERR | Rcode::NOTIMP) && !reply.head.has_additional {
            // A server from before RFC 6891 may refuse what it does not know.
            note(trace, |facts| facts.edns = Edns::Refused);
            reply = self.ask(Edns::Refused, means, budget, trace).await?;
        }
        let answer = answer::read(&reply.message, &self.target)?;
        note(trace, |facts| facts.answer = Some(answer));
        Ok(())
    }

    /// Asks once, by whatever transport it takes.
    async fn ask(&self, edns: Edns, means: &Means, budget: Duration, trace: &mut Trace) -> Result<Reply, Break> {
        let (id, message) = self.question.message(edns)?;
        match self.target.transport {
            DnsTransport::Tcp | DnsTransport::Tls => {
                self.by_stream(&self.host, id, &message, means, budget, trace).await
            }
            DnsTransport::Udp => {
                let (reply, from) = self.by_datagram(id, &message, means, budget, trace).await?;
                if !reply.head.is_truncated {
                    return Ok(reply);
                }
                note(trace, |facts| facts.fallback = TcpFallback::Truncated);
                self.by_stream(&Host::Address(from), id, &message, means, budget, trace).await
            }
        }
    }

    async fn by_stream(
        &self,
        host: &Host,
        id: u16,
        message: &[u8],
        means: &Means,
        budget: Duration,
        trace: &mut Trace,
    ) -> Result<Reply, Break> {
        let stream = means.connect(host, self.target.port(), &self.target.route, budget, trace).await?;
        match &self.tls {
            None => exchange::by_stream(stream, &self.question, id, message, trace).await,
            Some((client, name)) => {
                trace.enter(Phase::Tls);
                let stream = client.handshake(stream, name.clone(), trace).await?;
                Box::pin(exchange::by_stream(stream, &self.question, id, message, trace)).await
            }
        }
    }
}

/// Writes into the facts, so that a probe that ends early leaves what it knew.
fn note(trace: &mut Trace, write: impl FnOnce(&mut DnsFacts)) {
    if !matches!(trace.evidence.facts, Some(Facts::Dns(_))) {
        trace.evidence.facts = Some(Facts::Dns(Box::default()));
    }
    if let Some(Facts::Dns(facts)) = &mut trace.evidence.facts {
        write(facts);
    }
}
