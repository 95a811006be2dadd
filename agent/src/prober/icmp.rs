//! Probes a host by echo requests: some packets, and how many of them come back, and when.
//!
//! It takes a socket for echo requests alone, which needs no privilege, and a raw one where that is
//! not allowed. What is no reply to its own packets (another number, sequence or payload) is passed
//! over. It stops waiting a little before the deadline, so that lost packets are counted and not
//! merely waited for.

mod packet;
mod socket;

use super::Means;
use super::connect::{graver, permit};
use super::resolve::Host;
use super::trace::{Break, Trace};
use packet::Echoes;
use rules::check::IcmpTarget;
use rules::evidence::{Facts, Fault, IcmpFacts, Phase};
use socket::{EchoSocket, Received};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// The part of the time that is left over for telling what was lost.
const RESERVE_DIVISOR: u32 = 20;
/// The most of it.
const RESERVE_MAX: Duration = Duration::from_millis(100);

/// A host, ready to be probed.
#[derive(Debug)]
pub(crate) struct Icmp {
    target: IcmpTarget,
    host: Host,
}

impl Icmp {
    pub(crate) fn prepare(target: &IcmpTarget, _means: &Means) -> Result<Icmp, Break> {
        Ok(Icmp { target: target.clone(), host: Host::read(&target.host)? })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        trace.enter(Phase::Resolve);
        let route = &self.target.route;
        let addresses = means.resolvers.addresses(&self.host, route.ip).await?;
        let usable = budget.saturating_sub(RESERVE_MAX.min(budget / RESERVE_DIVISOR));
        let mut worst: Option<Break> = None;
        for (index, &address) in addresses.iter().enumerate() {
            trace.enter(Phase::Connect);
            trace.try_address(SocketAddr::new(address, 0));
            let left = usable.saturating_sub(trace.elapsed());
            let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            let end = match permit(&means.reach, address) {
                Ok(()) => self.ping(address, share, trace).await,
                Err(forbidden) => Err(forbidden),
            };
            trace.tried(end.as_ref().err().map(|broken| broken.fault));
            match end {
                Ok(()) => return Ok(()),
                Err(broken) => worst = Some(graver(worst, broken)),
            }
        }
        Err(worst.unwrap_or_else(|| Break::new(Fault::NoSuchName, "the name has no address")))
    }

    /// Sends the packets to `address` and waits for their replies, for `share` in all. Any reply is an answer.
    async fn ping(&self, address: IpAddr, share: Duration, trace: &mut Trace) -> Result<(), Break> {
        let socket = EchoSocket::open(address, &self.target)?;
        note(trace, |facts| *facts = IcmpFacts { socket: socket.kind(), ..IcmpFacts::default() });
        let mut round = Round {
            echoes: Echoes::new(address, self.target.payload_bytes),
            packets: usize::from(self.target.packets),
            apart: self.target.packets_apart.min(share / (u32::from(self.target.packets) + 1)),
            until: trace.elapsed() + share,
            sent_at: Vec::new(),
            refusal: None,
            refused: Vec::new(),
        };
        trace.enter(Phase::FirstByte);
        while let Some(wake) = round.step(&socket, trace)? {
            let now = trace.elapsed();
            if let Ok(ready) = timeout(wake.saturating_sub(now), socket.ready()).await {
                ready?;
                while let Some(received) = socket.receive(&round.echoes)? {
                    round.take(received, trace);
                }
            }
        }
        let answered = facts(trace).is_some_and(|facts| 0 < facts.received());
        match round.refusal {
            _ if answered => Ok(()),
            Some(refusal) => Err(refusal),
            None => Err(Break::new(Fault::Deadline, &format!("{address}: no reply to {} packets", round.packets))),
        }
    }
}

/// The packets to one address.
struct Round {
    echoes: Echoes,
    packets: usize,
    apart: Duration,
    until: Duration,
    sent_at: Vec<Duration>,
    /// What a router or host said of the last packet that it refused.
    refusal: Option<Break>,
    refused: Vec<usize>,
}

impl Round {
    /// Sends what is due; says when to go on at the latest, or that there is nothing left to wait for.
    fn step(&mut self, socket: &EchoSocket, trace: &mut Trace) -> Result<Option<Duration>, Break> {
        let now = trace.elapsed();
        let due = self.sent_at.last().map_or(now, |last| *last + self.apart);
        let mut next = due;
        if self.sent_at.len() < self.packets && due <= now {
            let index = self.sent_at.len();
            self.sent_at.push(trace.elapsed());
            note(trace, |facts| facts.round_trips.push(None));
            if let Err(refusal) = socket.send(&self.echoes.request(index)) {
                if refusal.fault != Fault::Unreachable && refusal.fault != Fault::Refused {
                    return Err(refusal);
                }
                self.refuse(index, refusal);
            }
            next = now + self.apart;
        }
        let settled = facts(trace).map_or(0, |facts| facts.round_trips.iter().flatten().count()) + self.refused.len();
        let is_over = self.until <= now || (self.sent_at.len() == self.packets && self.packets <= settled);
        let wake = if self.sent_at.len() < self.packets { next.min(self.until) } else { self.until };
        Ok((!is_over).then_some(wake))
    }

    fn take(&mut self, received: Received, trace: &mut Trace) {
        let now = trace.elapsed();
        match received {
            Received::Reply { index, hops } => {
                trace.first_byte().came();
                let sent_at = self.sent_at.get(index).copied();
                note(trace, |facts| match (sent_at, facts.round_trips.get_mut(index)) {
                    (Some(sent_at), Some(round_trip @ None)) => {
                        *round_trip = Some(now.saturating_sub(sent_at));
                        facts.reply_hops = hops;
                    }
                    _ => facts.ignored = facts.ignored.saturating_add(1),
                });
            }
            Received::Refusal { index, refusal } => self.refuse(index, refusal),
            Received::Other => note(trace, |facts| facts.ignored = facts.ignored.saturating_add(1)),
        }
    }

    fn refuse(&mut self, index: usize, refusal: Break) {
        if index < self.sent_at.len() {
            self.refusal = Some(refusal);
            if !self.refused.contains(&index) {
                self.refused.push(index);
            }
        }
    }
}

fn facts(trace: &Trace) -> Option<&IcmpFacts> {
    match &trace.evidence.facts {
        Some(Facts::Icmp(facts)) => Some(facts),
        Some(_) | None => None,
    }
}

/// Writes into the facts, so that a probe that ends early leaves what it knew.
fn note(trace: &mut Trace, write: impl FnOnce(&mut IcmpFacts)) {
    if facts(trace).is_none() {
        trace.evidence.facts = Some(Facts::Icmp(Box::default()));
    }
    if let Some(Facts::Icmp(facts)) = &mut trace.evidence.facts {
        write(facts);
    }
}
