//! One request and its answer over one connection, as HTTP/3 over QUIC.
//!
//! QUIC makes the connection and TLS in one handshake: it is the phase connect, whatever it fails by.
//! quinn runs its own tasks; they end with the endpoint, which ends with the probe.

use super::hop::Hop;
use super::http1::HEAD_BYTES_MAX;
use super::intake::{Answer, Intake};
use super::line::drive;
use crate::prober::Means;
use crate::prober::connect::{graver, permit};
use crate::prober::handshake::Alpn;
use crate::prober::trace::{Break, Trace, fault_of};
use bytes::{Buf, Bytes};
use h3::error::{ConnectionError as H3Closed, StreamError};
use http::Request;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, TransportErrorCode};
use rules::check::{HttpOptions, Route};
use rules::evidence::{Fault, Phase, Trust};
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A connection to the first of the target's addresses that takes part in the handshake.
pub(super) async fn connect(
    to: &Hop,
    options: &HttpOptions,
    means: &Means,
    budget: Duration,
    trace: &mut Trace,
) -> Result<(Endpoint, Connection), Break> {
    trace.enter(Phase::Resolve);
    let addresses = means.resolvers.addresses(&to.host, options.route.ip).await?;
    trace.enter(Phase::Connect);
    let mut worst: Option<Break> = None;
    for (index, &address) in addresses.iter().enumerate() {
        let address = SocketAddr::new(address, to.port);
        let left = budget.saturating_sub(trace.elapsed());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        trace.try_address(address);
        let tried = match permit(&means.reach, address.ip()) {
            Err(forbidden) => Err(forbidden),
            Ok(()) => match timeout(share, shake(address, to, options, means, trace)).await {
                Ok(tried) => tried,
                Err(_) => {
                    let why = format!("{address}: no answer within its share of the timeout");
                    Err(Break::new(Fault::Deadline, &why))
                }
            },
        };
        trace.tried(tried.as_ref().err().map(|broken| broken.fault));
        match tried {
            Ok(connection) => return Ok(connection),
            Err(broken) if matches!(broken.fault, Fault::Tls | Fault::Certificate) => return Err(broken),
            Err(broken) => worst = Some(graver(worst, broken)),
        }
    }
    Err(worst.unwrap_or_else(|| Break::new(Fault::NoSuchName, "the name has no address")))
}

async fn shake(
    address: SocketAddr,
    to: &Hop,
    options: &HttpOptions,
    means: &Means,
    trace: &mut Trace,
) -> Result<(Endpoint, Connection), Break> {
    let refuse = |why: &str| Break::new(Fault::Instruction, &format!("HTTP/3 can't be spoken: {why}"));
    let (config, shown) = means.clients.client(&options.tls, Alpn::Http3)?.witnessed();
    let config = QuicClientConfig::try_from(config).map_err(|error| refuse(&error.to_string()))?;
    let endpoint = Endpoint::client(source(&options.route, address));
    let endpoint = endpoint
        .map_err(|error| Break::new(fault_of(&error).unwrap_or(Fault::Unnamed), &format!("{address}: {error}")))?;
    let connecting = endpoint.connect_with(ClientConfig::new(Arc::new(config)), address, to.verified_name());
    let connecting = connecting.map_err(|error| refuse(&error.to_string()))?;
    let end = connecting.await;
    trace.evidence.tls = Some(shown.facts());
    match end {
        Ok(connection) => Ok((endpoint, connection)),
        Err(error) => {
            let refused = matches!(shown.facts().trust, Trust::Refused(_));
            let fault = if refused { Fault::Certificate } else { closed(&error) };
            Err(Break::new(fault, &format!("{address}: {error}")))
        }
    }
}

fn source(route: &Route, to: SocketAddr) -> SocketAddr {
    let any = if to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    SocketAddr::new(route.source.unwrap_or(any), 0)
}

/// Sends `request` over `connection` and reads the answer as far as `intake` wants it.
pub(super) async fn exchange(
    connection: Connection,
    request: Request<()>,
    body: Bytes,
    mut intake: Intake<'_>,
) -> Result<Answer, Break> {
    intake.trace.enter(Phase::FirstByte);
    let opened = h3::client::builder()
        .max_field_section_size(u64::try_from(HEAD_BYTES_MAX).unwrap_or(u64::MAX))
        .build::<_, _, Bytes>(h3_quinn::Connection::new(connection))
        .await;
    let (mut driver, mut sender) = opened.map_err(|error| ended(&error))?;
    let mut running = pin!(Some(poll_fn(move |cx| driver.poll_close(cx))));
    let stream = drive(running.as_mut(), sender.send_request(request)).await;
    let mut stream = stream.map_err(|error| broken(&error))?;
    if !body.is_empty() {
        drive(running.as_mut(), stream.send_data(body)).await.map_err(|error| broken(&error))?;
    }
    drive(running.as_mut(), stream.finish()).await.map_err(|error| broken(&error))?;
    let answer = drive(running.as_mut(), stream.recv_response()).await.map_err(|error| broken(&error))?;
    intake.trace.first_byte().came();
    let (head, ()) = answer.into_parts();
    intake.head(&head, None);
    if let Some(location) = intake.leads_to(&head) {
        return Ok(Answer::Redirect { status: head.status, location });
    }
    while let Some(mut data) = drive(running.as_mut(), stream.recv_data()).await.map_err(|error| broken(&error))? {
        let length = data.remaining();
        intake.take(&data.copy_to_bytes(length))?;
    }
    intake.end(head).map(Answer::Whole)
}

/// What the end of a QUIC connection means.
fn closed(error: &ConnectionError) -> Fault {
    match error {
        ConnectionError::TimedOut => Fault::Deadline,
        ConnectionError::Reset | ConnectionError::ApplicationClosed(_) | ConnectionError::LocallyClosed => Fault::Reset,
        ConnectionError::ConnectionClosed(close) if is_of_tls(close.error_code) => Fault::Tls,
        ConnectionError::ConnectionClosed(_) => Fault::Reset,
        ConnectionError::TransportError(error) if is_of_tls(error.code) => Fault::Tls,
        ConnectionError::TransportError(_) | ConnectionError::VersionMismatch => Fault::Protocol,
        ConnectionError::CidsExhausted => Fault::Exhausted,
    }
}

/// Whether a code stands for an alert of TLS (RFC 9000, section 20.1).
fn is_of_tls(code: TransportErrorCode) -> bool {
    (0x100..0x200).contains(&u64::from(code))
}

/// What h3's complaint about a connection means.
fn ended(error: &H3Closed) -> Break {
    Break::new(Fault::Reset, &error.to_string())
}

/// What h3's complaint about a request means.
fn broken(error: &StreamError) -> Break {
    let fault = if matches!(error, StreamError::HeaderTooBig { .. }) {
        Fault::TooLarge
    } else if matches!(error, StreamError::StreamError { .. }) {
        Fault::Protocol
    } else {
        Fault::Reset
    };
    Break::new(fault, &error.to_string())
}
