//! A socket that serves a router: HTTP/1 and HTTP/2, plain or TLS, bounded in every direction.
//!
//! It limits connections, heads, streams and waiting before any handler runs, tells handlers who
//! is there ([`PeerAddress`], [`PeerIdentity`]), and on cancellation lets open requests end. It
//! never limits bodies by size: only the handler knows what is too much.

use crate::patience::{PatientBody, PatientIo};
use crate::tls::{PeerIdentity, Tls, identity};
use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Connections at once; more wait in the kernel's backlog. One costs up to 100 KiB.
const CONNECTIONS_MAX: usize = 4096;
/// Streams at once on one HTTP/2 connection: an agent needs two, a browser a dozen.
const STREAMS_MAX: u32 = 64;
/// A request's head in bytes; the largest honest ones are browsers' cookies.
const HEAD_BYTES_MAX: u32 = 32 * 1024;
/// A request's head must be whole this long after its connection fell idle.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// A TLS handshake takes one round trip; this is ten of the slowest.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How often an idle HTTP/2 peer is asked whether it is there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIME: Duration = Duration::from_secs(20);
/// How long open requests may take to end when the listener stops.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// The wait after a failed accept: descriptors are freed by others' progress, not by asking again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address a request comes from; a request extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerAddress(pub SocketAddr);

/// An address that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listen on {address}")]
pub struct BindError {
    /// Which one.
    pub address: SocketAddr,
    source: io::Error,
}

/// A bound socket that nobody is served on yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl Listener {
    /// Binds `address`; with port 0 the system chooses one.
    pub async fn bind(address: SocketAddr) -> Result<Listener, BindError> {
        let refuse = |source| BindError { address, source };
        let socket = TcpListener::bind(address).await.map_err(refuse)?;
        let address = socket.local_addr().map_err(refuse)?;
        Ok(Listener { socket, address, tls: None })
    }

    /// Serves TLS instead of plain text.
    pub fn with_tls(self, tls: Tls) -> Listener {
        Listener { tls: Some(tls), ..self }
    }

    /// The address bound, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router` until `cancel`, then lets open requests end for up to ten seconds.
    pub async fn serve(self, router: Router, cancel: CancellationToken) {
        let server = Arc::new(Server { http: http_builder(), router, tls: self.tls });
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let drain = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = cancel.cancelled() => break,
                accepted = accept(&self.socket, &places) => accepted,
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer, place)) => {
                    connections.spawn(Arc::clone(&server).connection(stream, peer, place, drain.watcher()));
                }
                Err(error) => {
                    tracing::warn!(address = %self.address, %error, "Connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.socket);
        let drained = async {
            drain.shutdown().await;
            while connections.join_next().await.is_some() {}
        };
        if tokio::time::timeout(DRAIN_TIME, drained).await.is_err() {
            tracing::warn!(address = %self.address, "Requests were cut off after {DRAIN_TIME:?}");
        }
    }
}

/// Waits for a place before it takes a connection, so that a dropped wait loses none.
async fn accept(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, peer) = socket.accept().await?;
    Ok((stream, peer, place))
}

fn http_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIME);
    builder
}

/// What every connection needs.
struct Server {
    http: auto::Builder<TokioExecutor>,
    router: Router,
    tls: Option<Tls>,
}

impl Server {
    async fn connection(
        self: Arc<Server>,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        drain: Watcher,
    ) {
        let _place = place;
        // Answers are small and whole; waiting to merge them only costs time.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.http(stream, peer, None, drain).await;
        };
        match tokio::time::timeout(HANDSHAKE_TIME, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let identity = shown.and_then(identity);
                self.http(stream, peer, identity, drain).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
        }
    }

    async fn http<S>(&self, stream: S, peer: SocketAddr, identity: Option<PeerIdentity>, drain: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(PeerAddress(peer));
            if let Some(identity) = &identity {
                request.extensions_mut().insert(identity.clone());
            }
            self.router.clone().oneshot(request.map(|body| Body::new(PatientBody::new(body))))
        });
        let connection = self.http.serve_connection(TokioIo::new(PatientIo::new(stream)), service);
        if let Err(error) = drain.watch(connection).await {
            tracing::debug!(%peer, %error, "Connection ended badly");
        }
    }
}
