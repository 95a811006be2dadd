//! HTTP/3, against h3's server.

use crate::servers::{Authority, Identity};
use crate::versions::{answered, asking, run, speaks};
use crate::{AMPLE, http, probe};
use bytes::Bytes;
use rules::check::{HttpTarget, HttpVersions};
use rules::evidence::{HttpVersion, Phase};
use rules::outcome::{Cause, Outcome};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// h3 over quinn.
fn quic(identity: &Identity) -> SocketAddr {
    let mut config = identity.server_config();
    config.alpn_protocols = vec![b"h3".to_vec()];
    let config = quinn::crypto::rustls::QuicServerConfig::try_from(config).unwrap();
    let (bound, address) = std::sync::mpsc::channel();
    run(move || async move {
        let config = quinn::ServerConfig::with_crypto(Arc::new(config));
        let endpoint = quinn::Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap();
        bound.send(endpoint.local_addr().unwrap()).unwrap();
        let mut served = JoinSet::new();
        while let Some(incoming) = endpoint.accept().await {
            served.spawn(async move {
                let Ok(connection) = incoming.await else { return };
                let connection = h3::server::Connection::<_, Bytes>::new(h3_quinn::Connection::new(connection)).await;
                let Ok(mut connection) = connection else { return };
                while let Ok(Some(resolver)) = connection.accept().await {
                    let (request, mut stream) = resolver.resolve_request().await.unwrap();
                    let mut length = 0;
                    while let Ok(Some(data)) = stream.recv_data().await {
                        length += bytes::Buf::remaining(&data);
                    }
                    let host = request.uri().authority().unwrap().as_str();
                    let (status, body) = answered(request.method().as_str(), request.uri().path(), host, length);
                    let head = http::Response::builder().status(status).header("location", "/there");
                    stream.send_response(head.body(()).unwrap()).await.unwrap();
                    let _ = stream.send_data(body).await;
                    let _ = stream.finish().await;
                }
            });
        }
    });
    address.recv().unwrap()
}

#[tokio::test]
async fn http3_is_spoken_over_quic_whatever_the_url_says_of_tls() {
    let authority = Authority::new();
    let server = quic(&authority.issue(&["127.0.0.1"], 2050));
    speaks(&authority, server, HttpVersions::Http3, HttpVersion::V3).await;
    let plain = asking(&authority, server, "/", HttpVersions::Http3);
    let plain = HttpTarget { url: format!("http://{server}/"), ..plain };
    assert_eq!(probe(http(plain), AMPLE).await.1, Outcome::Up);
}

#[tokio::test]
async fn a_quic_server_that_shows_a_bad_certificate_or_none_is_there_is_down() {
    let authority = Authority::new();
    let other = quic(&authority.issue(&["b.example"], 2050));
    let (evidence, outcome) = probe(http(asking(&authority, other, "/", HttpVersions::Http3)), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Certificate), "{evidence:?}");
    assert!(evidence.tls.unwrap().certificate.is_some());
    // A socket that hears and never answers.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = asking(&authority, silent.local_addr().unwrap(), "/", HttpVersions::Http3);
    let (evidence, outcome) = probe(http(target), Duration::from_millis(400)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
    assert_eq!(evidence.failure.unwrap().phase, Some(Phase::Connect));
}
