//! Servers on loopback that do what a script says, well or badly.

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Serves each connection by `script` in a thread of its own, until the test's process ends.
pub(crate) fn serve(script: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            std::thread::spawn(move || script(stream));
        }
    });
    address
}

/// Reads a request's head and gives `answer`, then closes its side and waits for the peer's.
pub(crate) fn answer(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    serve(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(&answer).unwrap();
        finish(stream);
    })
}

/// As [`answer`], and gives `reply` whatever the request says.
pub(crate) fn reply(reply: impl Fn(&str) -> String + Send + Sync + 'static) -> SocketAddr {
    serve(move |mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(reply(&head).as_bytes()).unwrap();
        finish(stream);
    })
}

/// Writes `piece` again and again until the peer has enough.
pub(crate) fn endless(start: &'static [u8], piece: &'static [u8], pause: Duration) -> SocketAddr {
    serve(move |mut stream| {
        read_head(&mut stream);
        let mut written = stream.write_all(start);
        while written.is_ok() {
            std::thread::sleep(pause);
            written = stream.write_all(piece);
        }
    })
}

/// Accepts and then says nothing until the peer leaves.
pub(crate) fn silent() -> SocketAddr {
    serve(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// A port on which nothing listens.
pub(crate) fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Closes so that the peer sees a reset.
pub(crate) fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Reads up to the empty line that ends a head.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn finish(mut stream: TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

/// An authority made for one test, and its certificate in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority for tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(issuer.pem().as_bytes()).unwrap();
        Authority { issuer, file }
    }

    pub(crate) fn file(&self) -> String {
        self.file.path().to_str().unwrap().into()
    }

    /// A certificate for `names` that ends with the year before `year`.
    pub(crate) fn issue(&self, names: &[&str], year: i32) -> Identity {
        let (params, key) = request(names, year);
        Identity { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }
}

/// A certificate with its key.
pub(crate) struct Identity {
    pub(crate) certificate: Certificate,
    key: KeyPair,
}

/// A certificate that nobody vouches for.
pub(crate) fn self_signed(names: &[&str], year: i32) -> Identity {
    let (params, key) = request(names, year);
    Identity { certificate: params.self_signed(&key).unwrap(), key }
}

fn request(names: &[&str], year: i32) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    (params, KeyPair::generate().unwrap())
}

impl Identity {
    /// What a server shows that is this one.
    pub(crate) fn server_config(&self) -> ServerConfig {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.der().clone()], key)
            .unwrap()
    }
}

/// Serves `reply` over TLS, waiting `handshake` before its first word of TLS.
pub(crate) fn https(identity: &Identity, handshake: Duration, reply: &'static str) -> SocketAddr {
    secured(identity.server_config(), handshake, reply)
}

/// Serves `reply` over TLS whatever is asked, and says by ALPN that it speaks `protocols`.
pub(crate) fn https_speaking(identity: &Identity, protocols: &[&str], reply: &'static str) -> SocketAddr {
    let mut config = identity.server_config();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    secured(config, Duration::ZERO, reply)
}

fn secured(config: ServerConfig, handshake: Duration, reply: &'static str) -> SocketAddr {
    let config = Arc::new(config);
    serve(move |stream| {
        std::thread::sleep(handshake);
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        if !read_head(&mut stream).is_empty() {
            let _ = stream.write_all(reply.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = stream.sock.read_to_end(&mut Vec::new());
    })
}
