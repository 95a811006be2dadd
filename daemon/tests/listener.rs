//! The listener against real sockets: what peers may do, and what they may not.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use axum::routing::{get, post};
use axum::{Extension, Router};
use daemon::listener::{Listener, PeerAddress};
use daemon::tls::{PeerIdentity, Tls, TlsError, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A served router, until it is told to stop.
struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

async fn serve(router: Router, tls: Option<Tls>) -> Served {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let listener = match tls {
        Some(tls) => listener.with_tls(tls),
        None => listener,
    };
    let (address, stop, mut tasks) = (listener.address(), CancellationToken::new(), JoinSet::new());
    tasks.spawn(listener.serve(router, stop.clone()));
    Served { address, stop, tasks }
}

/// A private authority, a server certificate for `localhost` and a client certificate, as files.
struct Certificates {
    dir: tempfile::TempDir,
    ca_pem: String,
    client_pem: String,
}

fn certificates() -> Certificates {
    let dir = tempfile::tempdir().unwrap();
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "test authority");
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let issue = |names: &[&str], common: &str| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    let (cert, key) = issue(&["localhost"], "server");
    std::fs::write(dir.path().join("ca.pem"), &ca_pem).unwrap();
    std::fs::write(dir.path().join("cert.pem"), cert).unwrap();
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    let (cert, key) = issue(&["seoul-1.agents.example"], "seoul-1");
    Certificates { dir, ca_pem, client_pem: cert + &key }
}

impl Certificates {
    fn files(&self) -> TlsFiles {
        let path = |name: &str| self.dir.path().join(name);
        TlsFiles { cert_file: path("cert.pem"), key_file: path("key.pem"), client_ca_file: Some(path("ca.pem")) }
    }

    fn client(&self) -> reqwest::ClientBuilder {
        let authority = reqwest::Certificate::from_pem(self.ca_pem.as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([authority])
    }
}

async fn who(identity: Option<Extension<PeerIdentity>>) -> String {
    identity.map_or("nobody".to_owned(), |Extension(identity)| identity.names.join(","))
}

#[tokio::test]
async fn handlers_learn_the_address_a_request_comes_from() {
    let router =
        Router::new().route("/", get(async |Extension(PeerAddress(peer)): Extension<PeerAddress>| peer.to_string()));
    let served = serve(router, None).await;
    let answer = reqwest::get(format!("http://{}/", served.address)).await.unwrap().text().await.unwrap();
    assert!(answer.starts_with("127.0.0.1:"), "{answer}");
}

#[tokio::test]
async fn tls_speaks_http2_and_names_the_client_certificate() {
    let certificates = certificates();
    let served = serve(Router::new().route("/", get(who)), Some(Tls::load(&certificates.files()).unwrap())).await;
    let url = format!("https://localhost:{}/", served.address.port());

    let anonymous = certificates.client().build().unwrap();
    let answer = anonymous.get(&url).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "nobody");

    let identity = reqwest::Identity::from_pem(certificates.client_pem.as_bytes()).unwrap();
    let agent = certificates.client().identity(identity).build().unwrap();
    assert_eq!(agent.get(&url).send().await.unwrap().text().await.unwrap(), "seoul-1,seoul-1.agents.example");
}

#[tokio::test]
async fn a_client_certificate_of_another_authority_is_refused() {
    let (ours, theirs) = (certificates(), certificates());
    let served = serve(Router::new().route("/", get(who)), Some(Tls::load(&ours.files()).unwrap())).await;
    let identity = reqwest::Identity::from_pem(theirs.client_pem.as_bytes()).unwrap();
    let stranger = ours.client().identity(identity).build().unwrap();
    assert!(stranger.get(format!("https://localhost:{}/", served.address.port())).send().await.is_err());
}

#[tokio::test]
async fn tls_files_that_cannot_be_used_are_named() {
    let certificates = certificates();
    let check = |change: &dyn Fn(&mut TlsFiles), expected: &str| {
        let mut files = certificates.files();
        change(&mut files);
        let error = Tls::load(&files).err().expect("these files are no good");
        assert!(error.to_string().contains(expected), "{error}");
        error
    };
    let empty = certificates.dir.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    check(&|files| files.cert_file = Path::new("/nowhere.pem").to_owned(), "/nowhere.pem");
    check(&|files| files.cert_file = empty.clone(), "it has none");
    let error = check(&|files| files.key_file = empty.clone(), "read a private key");
    assert!(matches!(error, TlsError::File { .. }));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let served = serve(Router::new().route("/", get(async || "fine")), None).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    // The refusal may come before everything is written.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 431");
}

#[tokio::test]
async fn an_open_request_is_answered_after_the_stop_and_no_new_one_is_taken() {
    let (arrived, proceed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, go) = (Arc::clone(&arrived), Arc::clone(&proceed));
    let slow = post(async move |body: String| {
        inside.notify_one();
        go.notified().await;
        body
    });
    let mut served = serve(Router::new().route("/", slow), None).await;
    let url = format!("http://{}/", served.address);

    let mut asking = JoinSet::new();
    let request = reqwest::Client::new().post(&url).body("kept");
    asking.spawn(async move { request.send().await.unwrap().text().await.unwrap() });
    arrived.notified().await;
    served.stop.cancel();
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    proceed.notify_one();
    assert_eq!(asking.join_next().await.unwrap().unwrap(), "kept");
    served.tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = Listener::bind(first.address()).await.err().expect("the port is taken");
    assert_eq!(error.to_string(), format!("listen on {}", first.address()));
}
