//! All that is probed: every server on loopback, at a port that the system chose, shared by both peers.

use crate::talk::{self, Talk};
use crate::{names, web};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

/// The servers, and what stands for each in tables: `{web}` is replaced by its address.
pub(crate) struct Servers {
    pub(crate) places: Vec<(&'static str, String)>,
    _dir: TempDir,
    _serving: JoinSet<()>,
}

impl Servers {
    /// Starts them all.
    pub(crate) async fn start() -> Servers {
        let (dir, root) = (TempDir::new().unwrap(), authority());
        let ca = dir.path().join("ca.pem");
        std::fs::write(&ca, root.pem()).unwrap();
        let mut serving = JoinSet::new();
        let mut places = vec![("ca", ca.display().to_string()), ("closed", closed())];
        let (web, address) = listener().await;
        places.push(("web", address));
        serving.spawn(each(web, web::serve));
        let good = certificate(&root, "localhost", 2090);
        for (name, config) in [
            ("good", Arc::clone(&good)),
            ("expired", certificate(&root, "localhost", 2020)),
            ("other", certificate(&root, "other.example", 2090)),
            ("own", certificate(&authority(), "localhost", 2090)),
        ] {
            let (listener, address) = listener().await;
            places.push((name, address.replace("127.0.0.1", "localhost")));
            serving.spawn(each(listener, move |stream| secured(stream, Arc::clone(&config))));
        }
        for (name, talk) in [
            ("ssh", Talk::Ssh),
            ("irc", Talk::Irc),
            ("pop3", Talk::Pop3),
            ("silent", Talk::Silent),
            ("leaves", Talk::Leaves),
            ("smtp", Talk::Smtp),
            ("echo", Talk::Echo),
        ] {
            let (listener, address) = listener().await;
            let config = Arc::clone(&good);
            places.push((name, if name == "smtp" { address.replace("127.0.0.1", "localhost") } else { address }));
            serving.spawn(each(listener, move |stream| talk::serve(stream, talk, Arc::clone(&config))));
        }
        let (stream, datagrams) = names_at_one_port().await;
        places.push(("dns", stream.local_addr().unwrap().to_string()));
        serving.spawn(each(stream, names::serve));
        serving.spawn(names::serve_datagrams(datagrams));
        let (health, address) = listener().await;
        places.push(("grpc", address));
        serving.spawn(serve_health(health));
        Servers { places, _dir: dir, _serving: serving }
    }

    /// `text` with every `{name}` replaced.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (name, place)| text.replace(&format!("{{{name}}}"), place))
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A port where nobody listens.
fn closed() -> String {
    StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}

async fn names_at_one_port() -> (TcpListener, UdpSocket) {
    for _ in 0..20 {
        let (stream, _) = listener().await;
        let address: SocketAddr = stream.local_addr().unwrap();
        if let Ok(datagrams) = UdpSocket::bind(address).await {
            return (stream, datagrams);
        }
    }
    panic!("no port is free for streams and datagrams");
}

/// Serves each visitor by `meet`.
async fn each<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    meet: impl Fn(TcpStream) -> F + Send + 'static,
) {
    let mut visitors = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => drop(visitors.spawn(meet(stream))),
            Some(_) = visitors.join_next() => {}
        }
    }
}

/// The server as a whole and `well` serve, `ill` does not.
async fn serve_health(listener: TcpListener) {
    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_service_status("well", ServingStatus::Serving).await;
    reporter.set_service_status("ill", ServingStatus::NotServing).await;
    let server = tonic::transport::Server::builder().add_service(service);
    server.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap();
}

async fn secured(stream: TcpStream, config: Arc<ServerConfig>) {
    if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
        web::serve(stream).await;
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = rcgen::date_time_ymd(2080, 1, 1);
    params.distinguished_name.push(DnType::CommonName, "Root of a test");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server for `name` that `root` vouches for until `year`.
fn certificate(root: &CertifiedIssuer<'_, KeyPair>, name: &str, year: i32) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned(), "second.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let leaf: CertificateDer<'static> = params.signed_by(&key, root).unwrap().der().clone();
    let versions = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = versions.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Arc::new(config.with_single_cert(vec![leaf], key).unwrap())
}
