//! One question over the wire and back: as a datagram, or over a stream with lengths before messages.
//!
//! The socket of a datagram is connected, so that the system drops what comes from elsewhere. Memory
//! is bounded by the longest message there is, 64 KiB.

use super::question::{Head, Question};
use super::{Dns, note};
use crate::prober::Means;
use crate::prober::connect::{graver, permit};
use crate::prober::trace::{Break, Trace, fault_of};
use rules::evidence::{Fault, Phase};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The longest message: its length travels in 16 bits.
const MESSAGE_BYTES_MAX: usize = 65_535;

/// An answer to the question.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) head: Head,
    pub(crate) message: Vec<u8>,
}

impl Dns {
    /// Asks the name server's addresses in turn until one answers; says which.
    pub(crate) async fn by_datagram(
        &self,
        id: u16,
        message: &[u8],
        means: &Means,
        budget: Duration,
        trace: &mut Trace,
    ) -> Result<(Reply, IpAddr), Break> {
        trace.enter(Phase::Resolve);
        let route = &self.target.route;
        let addresses = means.resolvers.addresses(&self.host, route.ip).await?;
        let mut worst: Option<Break> = None;
        for (index, &ip) in addresses.iter().enumerate() {
            let address = SocketAddr::new(ip, self.target.port());
            let left = budget.saturating_sub(trace.elapsed());
            let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            trace.enter(Phase::Connect);
            trace.try_address(address);
            if let Err(forbidden) = permit(&means.reach, ip) {
                trace.tried(Some(forbidden.fault));
                worst = Some(graver(worst, forbidden));
                continue;
            }
            let asking = by_datagram(address, route.source, &self.question, id, message, trace);
            let broken = match timeout(share, asking).await {
                Ok(Ok(reply)) => {
                    trace.tried(None);
                    return Ok((reply, ip));
                }
                Ok(Err(error)) => broken(&error, &address.to_string()),
                Err(_) => Break::new(Fault::Deadline, &format!("{address}: no answer within its share of the timeout")),
            };
            trace.tried(Some(broken.fault));
            worst = Some(graver(worst, broken));
        }
        Err(worst.unwrap_or_else(|| Break::new(Fault::NoSuchName, "the name has no address")))
    }
}

async fn by_datagram(
    address: SocketAddr,
    source: Option<IpAddr>,
    question: &Question,
    id: u16,
    message: &[u8],
    trace: &mut Trace,
) -> io::Result<Reply> {
    let any = match address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((source.unwrap_or(any), 0)).await?;
    socket.connect(address).await?;
    trace.enter(Phase::FirstByte);
    socket.send(message).await?;
    let mut buffer = vec![0; MESSAGE_BYTES_MAX];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(head) = question.answered_by(id, &buffer[..length]) {
            trace.first_byte().came();
            buffer.truncate(length);
            return Ok(Reply { head, message: buffer });
        }
        note(trace, |facts| facts.ignored = facts.ignored.saturating_add(1));
    }
}

/// Asks over a connection that stands.
pub(crate) async fn by_stream<S>(
    mut stream: S,
    question: &Question,
    id: u16,
    message: &[u8],
    trace: &mut Trace,
) -> Result<Reply, Break>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    trace.enter(Phase::FirstByte);
    match ask(&mut stream, question, id, message, trace).await {
        Ok(reply) => Ok(reply),
        Err(error) => Err(broken(&error, "the connection")),
    }
}

async fn ask<S>(stream: &mut S, question: &Question, id: u16, message: &[u8], trace: &mut Trace) -> io::Result<Reply>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let framed = [&length.to_be_bytes(), message].concat();
    stream.write_all(&framed).await?;
    stream.flush().await?;
    loop {
        let high = stream.read_u8().await?;
        trace.first_byte().came();
        let length = u16::from_be_bytes([high, stream.read_u8().await?]);
        let mut message = vec![0; usize::from(length)];
        stream.read_exact(&mut message).await?;
        if let Some(head) = question.answered_by(id, &message) {
            return Ok(Reply { head, message });
        }
        note(trace, |facts| facts.ignored = facts.ignored.saturating_add(1));
    }
}

fn broken(error: &io::Error, what: &str) -> Break {
    let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let fault = fault_of(error).unwrap_or(if is_tls { Fault::Tls } else { Fault::Unnamed });
    Break::new(fault, &format!("{what}: {error}"))
}
