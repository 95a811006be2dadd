//! What the checks of `kinds` look at: one small server for each protocol, all well until they are told to fail. They
//! speak as much as a probe needs, and end with the test's process.

use crate::certificates::Authority;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tests::target::{Conduct, Target};
use tokio::task::JoinSet;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio_tungstenite::tungstenite::{self, Message};
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// The service that the gRPC server tells of.
pub(super) const GRPC_SERVICE: &str = "shop.Orders";

/// Whether the servers are well.
type Well = Arc<AtomicBool>;

/// All servers, and where they are.
pub(super) struct Servers {
    /// Pages, a service with a login, and Prometheus' API.
    pub(super) web: SocketAddr,
    pub(super) port: Target,
    pub(super) tls: SocketAddr,
    /// Who vouches for `tls`, as PEM.
    pub(super) authority: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) dns: SocketAddr,
    pub(super) grpc: SocketAddr,
    pub(super) ws: SocketAddr,
    /// What a command looks for.
    pub(super) file: PathBuf,
    well: Well,
    reporter: HealthReporter,
    _serving: JoinSet<()>,
}

impl Servers {
    /// Starts all of them, with their files in `dir`.
    pub(super) async fn start(dir: &Path) -> Servers {
        let well: Well = Arc::new(AtomicBool::new(true));
        let (socket, file) = (dir.join("app.sock"), dir.join("a file"));
        std::fs::write(&file, "").unwrap();
        redis(&socket, Arc::clone(&well));
        let (tls, authority) = secured(dir, Arc::clone(&well));
        let (reporter, service) = tonic_health::server::health_reporter();
        reporter.set_service_status(GRPC_SERVICE, ServingStatus::Serving).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let grpc = listener.local_addr().unwrap();
        let router = tonic::transport::Server::builder().add_service(service);
        let mut serving = JoinSet::new();
        serving.spawn(async move { router.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap() });
        Servers {
            web: web(Arc::clone(&well)),
            port: Target::start(),
            tls,
            authority,
            socket,
            dns: name_server(Arc::clone(&well)),
            grpc,
            ws: greeter(Arc::clone(&well)),
            file,
            well,
            reporter,
            _serving: serving,
        }
    }

    /// Lets all of them fail, each in its own way.
    pub(super) async fn fail(&self) {
        self.well.store(false, Ordering::SeqCst);
        self.port.turn(Conduct::Refuse);
        self.reporter.set_service_status(GRPC_SERVICE, ServingStatus::NotServing).await;
        std::fs::remove_file(&self.file).unwrap();
    }
}

/// Serves each connection by `script`, which is told whether to be well, in a thread of its own.
fn serve(well: Well, script: impl Fn(TcpStream, bool) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, script) = (listener.local_addr().unwrap(), Arc::new(script));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (script, is_well) = (Arc::clone(&script), well.load(Ordering::SeqCst));
            thread::spawn(move || script(stream, is_well));
        }
    });
    address
}

fn web(well: Well) -> SocketAddr {
    serve(well, |mut stream, is_well| {
        let Some(head) = request(&mut BufReader::new(&stream)) else { return };
        let (status, body) = answer(&head, is_well);
        let head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\nconnection: close", body.len());
        let _ = write!(stream, "{head}\r\ncontent-type: text/html\r\n\r\n{body}");
    })
}

/// The head of the request that comes, in small letters, once its body is read too.
fn request(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or(0)]).ok()?;
    Some(head)
}

fn answer(head: &str, is_well: bool) -> (u16, &'static str) {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let is_known = head.contains("authorization: bearer t-1");
    match (path, is_well) {
        ("/health", true) | ("/logo.png", true) => (200, "well"),
        ("/health", false) => (503, "well"),
        ("/page", _) => (200, "<!doctype html><title>Shop</title><img src='logo.png'>"),
        ("/login", _) => (200, r#"{"token": "t-1"}"#),
        ("/order", _) if !is_known => (401, "who are you?"),
        ("/order", true) => (200, "done"),
        ("/order", false) => (200, "out of socks"),
        ("/api/v1/query", true) => (200, r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#),
        ("/api/v1/query", false) => (200, r#"{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}"#),
        (_, _) => (404, "no such page"),
    }
}

/// Shows a certificate of the authority whose file it gives, and a stranger's when it is not well.
fn secured(dir: &Path, well: Well) -> (SocketAddr, PathBuf) {
    let ours = Authority::new(dir, "the authority");
    let [known, forged] = [&ours, &Authority::new(dir, "a stranger")].map(|authority| {
        let credential = authority.certify(dir, "server", "127.0.0.1");
        let chain: Vec<_> = CertificateDer::pem_file_iter(credential.cert_file).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(credential.key_file).unwrap();
        let versions = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let versions = versions.with_safe_default_protocol_versions().unwrap();
        Arc::new(versions.with_no_client_auth().with_single_cert(chain, key).unwrap())
    });
    let address = serve(well, move |stream, is_well| {
        let config = if is_well { &known } else { &forged };
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    (address, ours.file)
}

/// Answers one `PING` a connection, as Redis does.
fn redis(path: &Path, well: Well) {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let is_asked = BufReader::new(&stream).read_line(&mut String::new()).is_ok_and(|length| 0 < length);
            if is_asked {
                let said = if well.load(Ordering::SeqCst) { "+PONG\r\n" } else { "-LOADING\r\n" };
                let _ = stream.write_all(said.as_bytes());
            }
        }
    });
}

/// Knows one address for every name, or no name.
fn name_server(well: Well) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let answer = resolved(&buffer[..length], well.load(Ordering::SeqCst));
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

/// The question again, with one record of type A behind it, or with NXDOMAIN.
fn resolved(query: &[u8], is_well: bool) -> Vec<u8> {
    let (head, names) = (12, &query[12..]);
    let end = head + names.iter().position(|&byte| byte == 0).unwrap() + 5;
    let (code, answers) = if is_well { (0, 1) } else { (3, 0) };
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
    answer.extend(&query[head..end]);
    if is_well {
        // The question's name, A, IN, a minute, four bytes.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 80]);
    }
    answer
}

/// Greets whoever opens a WebSocket, or cuts the connection.
fn greeter(well: Well) -> SocketAddr {
    serve(well, |stream, is_well| {
        if !is_well {
            return;
        }
        if let Ok(mut socket) = tungstenite::accept(stream) {
            let _ = socket.send(Message::text("hello"));
            while socket.read().is_ok() {}
        }
    })
}
