//! gRPC servers on loopback: tonic's, and ones that answer by a script. They end when they are dropped.

use crate::dns::servers::Authority;
use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::metadata::MetadataMap;
use tonic::service::{Interceptor, Routes};
use tonic::transport::server::{Router, TcpIncoming};
use tonic::{Status, transport};
use tonic_health::ServingStatus;

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// What each request said of its deadline.
    pub(crate) timeouts: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn serve(router: Router) -> Server {
    let (listener, address) = listener().await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { router.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap() });
    Server { address, timeouts: Arc::default(), _tasks: tasks }
}

/// tonic's health service with these services beside the server as a whole, which serves.
pub(crate) async fn healthy(services: &[(&str, ServingStatus)]) -> Server {
    let (reporter, service) = tonic_health::server::health_reporter();
    for (name, status) in services {
        reporter.set_service_status(name, *status).await;
    }
    serve(transport::Server::builder().add_service(service)).await
}

/// tonic's health service behind a guard that lets through what `is_welcome`.
pub(crate) async fn refusing(is_welcome: impl Fn(&MetadataMap) -> bool + Clone + Send + Sync + 'static) -> Server {
    let (_, service) = tonic_health::server::health_reporter();
    let guard = Guard(
        move |metadata: &MetadataMap| {
            if is_welcome(metadata) { Ok(()) } else { Err(Status::unauthenticated("who are you?")) }
        },
    );
    serve(
        transport::Server::builder().add_service(tonic::service::interceptor::InterceptedService::new(service, guard)),
    )
    .await
}

#[derive(Clone)]
struct Guard<F>(F);

impl<F: Fn(&MetadataMap) -> Result<(), Status>> Interceptor for Guard<F> {
    fn call(&mut self, request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        (self.0)(request.metadata()).map(|()| request)
    }
}

/// tonic without any service.
pub(crate) async fn without_health() -> Server {
    serve(transport::Server::builder().add_routes(Routes::default())).await
}

/// What a scripted server answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Nothing.
    Never,
    /// A page with this HTTP status.
    Page(u16),
    /// A head with this gRPC status, and no body.
    OnlyHead(&'static str),
    /// A body, and this gRPC status behind it.
    Whole(Vec<u8>, Option<&'static str>),
    /// A body without end.
    Endless,
    /// The end of the stream.
    Reset,
}

impl Answer {
    /// `SERVING`.
    pub(crate) fn serving() -> Answer {
        Answer::Whole(vec![0, 0, 0, 0, 2, 8, 1], Some("0"))
    }
}

/// A server in plain text that gives `answer` to every call.
pub(crate) async fn scripted(answer: Answer) -> Server {
    let (listener, address) = listener().await;
    let timeouts = Arc::default();
    let noted = Arc::clone(&timeouts);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            connection(stream, &answer, &noted).await;
        }
    });
    Server { address, timeouts, _tasks: tasks }
}

/// As [`scripted`], by TLS.
pub(crate) async fn scripted_tls(authority: &Authority, answer: Answer) -> Server {
    let (listener, address) = listener().await;
    let mut config = (*authority.server()).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let timeouts = Arc::default();
    let noted = Arc::clone(&timeouts);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                connection(stream, &answer, &noted).await;
            }
        }
    });
    Server { address, timeouts, _tasks: tasks }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(stream: S, answer: &Answer, noted: &Mutex<Vec<String>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut answers = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        note(&request, noted);
        answers.spawn(give(answer.clone(), respond));
    }
}

fn note(request: &Request<h2::RecvStream>, noted: &Mutex<Vec<String>>) {
    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
    let timeout = request.headers()["grpc-timeout"].to_str().unwrap();
    noted.lock().unwrap().push(timeout.to_owned());
}

async fn give(answer: Answer, mut respond: SendResponse<Bytes>) {
    let grpc = || Response::builder().header("content-type", "application/grpc");
    match answer {
        Answer::Never => std::future::pending().await,
        Answer::Reset => respond.send_reset(h2::Reason::INTERNAL_ERROR),
        Answer::Page(status) => {
            let head = Response::builder().status(status).header("content-type", "text/html").body(()).unwrap();
            let mut body = respond.send_response(head, false).unwrap();
            body.send_data(Bytes::from_static(b"<html>"), true).unwrap();
        }
        Answer::OnlyHead(status) => {
            respond.send_response(grpc().header("grpc-status", status).body(()).unwrap(), true).unwrap();
        }
        Answer::Whole(message, status) => {
            let mut body = respond.send_response(grpc().body(()).unwrap(), false).unwrap();
            body.send_data(message.into(), status.is_none()).unwrap();
            if let Some(status) = status {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", status.parse().unwrap());
                body.send_trailers(trailers).unwrap();
            }
        }
        Answer::Endless => {
            let mut body = respond.send_response(grpc().body(()).unwrap(), false).unwrap();
            while body.send_data(Bytes::from_static(&[0; 1024]), false).is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// A server of bytes that does with each connection what `script` does.
pub(crate) fn tcp(script: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(script));
    address
}
