//! HTTP/2 against hyper's server, and what every version must be able to do.

use crate::servers::{Authority, Identity};
use crate::{AMPLE, http, pattern, probe};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rules::check::{
    ContentRule, FailsIf, HttpOptions, HttpTarget, HttpVersions, Look, Pem, Redirects, SecretSource, TlsRule,
};
use rules::evidence::{HttpVersion, Phase, Transport};
use rules::outcome::{Cause, Outcome};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Runs `server` in a thread and a runtime of its own, until the test's process ends.
pub(crate) fn run<F: Future<Output = ()>>(server: impl FnOnce() -> F + Send + 'static) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(server());
    });
}

/// What every server here answers: who was asked how, or a long body, or a redirect.
pub(crate) fn answered(method: &str, path: &str, host: &str, length: usize) -> (u16, Bytes) {
    match path {
        "/moved" => (302, Bytes::new()),
        "/long" => (200, Bytes::from(vec![b'x'; 1_000_000])),
        _ => (200, Bytes::from(format!("{method} {path} of {host} with {length}"))),
    }
}

/// hyper over TLS, in whichever version is agreed on.
fn https(identity: &Identity) -> SocketAddr {
    let mut config = identity.server_config();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    run(move || async move {
        let listener = TcpListener::from_std(listener).unwrap();
        let mut served = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            served.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service_fn(serve)).await;
            });
        }
    });
    address
}

async fn serve(request: http::Request<hyper::body::Incoming>) -> Result<http::Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let length = body.collect().await?.to_bytes().len();
    let authority = head.uri.authority().map(|authority| authority.as_str().to_owned());
    let host = authority.or_else(|| Some(head.headers.get("host")?.to_str().ok()?.to_owned())).unwrap_or_default();
    let (status, body) = answered(head.method.as_str(), head.uri.path(), &host, length);
    let response = http::Response::builder().status(status).header("location", "/there");
    Ok(response.body(Full::new(body)).unwrap())
}

pub(crate) fn asking(authority: &Authority, address: SocketAddr, path: &str, versions: HttpVersions) -> HttpTarget {
    let tls = TlsRule { ca: Some(Pem::File(authority.file())), ..TlsRule::default() };
    let options = HttpOptions { tls, versions, ..HttpOptions::default() };
    HttpTarget { options, ..HttpTarget::parse(&format!("https://{address}{path}")).unwrap() }
}

/// What a server of `version` is to be for a prober that speaks it.
pub(crate) async fn speaks(authority: &Authority, address: SocketAddr, versions: HttpVersions, version: HttpVersion) {
    let holds = async |target: HttpTarget, source: &str| {
        let look = Look::Body(pattern(source));
        let content = vec![ContentRule { look, fails: FailsIf::Missing }];
        let (evidence, outcome) = probe(http(HttpTarget { content, ..target }), AMPLE).await;
        assert_eq!(outcome, Outcome::Up, "{source}: {evidence:?}");
        let facts = evidence.http.as_ref().unwrap();
        assert_eq!((facts.version, facts.transport), (version, Transport::Tls));
        evidence
    };
    let target = asking(authority, address, "/x?y", versions);
    let evidence = holds(target.clone(), &format!("^GET /x of {address} with 0$")).await;
    assert!(evidence.tls.as_ref().is_some_and(|tls| tls.certificate.is_some()), "{evidence:?}");
    assert!(evidence.phases.length(Phase::FirstByte).is_some() && evidence.phases.length(Phase::Connect).is_some());
    assert_eq!(evidence.answered(), Some(address));
    let posted = HttpTarget {
        method: "POST".into(),
        headers: vec![crate::header("Host", "b.example")],
        body: Some(SecretSource::given("x".repeat(200_000))),
        ..target
    };
    let tls = TlsRule { server_name: Some("127.0.0.1".into()), ..posted.options.tls.clone() };
    let options = HttpOptions { tls, ..posted.options.clone() };
    holds(HttpTarget { options, ..posted }, "^POST /x of b.example with 200000$").await;
    let moved = asking(authority, address, "/moved", versions);
    let evidence = holds(moved.clone(), "^GET /there of").await;
    assert_eq!(evidence.http.unwrap().redirects, 1);
    let options = HttpOptions { redirects: Redirects::Stop, ..moved.options.clone() };
    let stopped = HttpTarget { options, valid_status_codes: vec![302..=302], ..moved };
    assert_eq!(probe(http(stopped), AMPLE).await.1, Outcome::Up);
    let long = asking(authority, address, "/long", versions);
    let evidence = holds(long.clone(), "^x+$").await;
    assert_eq!(evidence.http.unwrap().body_bytes, 1_000_000);
    let options = HttpOptions { body_bytes_max: 500_000, ..long.options.clone() };
    let (evidence, outcome) = probe(http(HttpTarget { options, ..long }), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::TooLarge), "{evidence:?}");
}

#[tokio::test]
async fn http2_is_spoken_with_a_server_that_does_unless_the_check_forbids_it() {
    let authority = Authority::new();
    let server = https(&authority.issue(&["127.0.0.1"], 2050));
    speaks(&authority, server, HttpVersions::Http2OrHttp1, HttpVersion::V2).await;
    speaks(&authority, server, HttpVersions::Http1, HttpVersion::V1_1).await;
}

#[tokio::test]
async fn what_is_no_http2_after_all_broke_the_protocol() {
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1"], 2050);
    let server = crate::servers::https_speaking(&identity, &["h2"], "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let target = asking(&authority, server, "/", HttpVersions::Http2OrHttp1);
    let (evidence, outcome) = probe(http(target), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Protocol), "{evidence:?}");
}
