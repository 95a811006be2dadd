//! Servers that say what a script says, over plain TCP or TLS, each connection in a thread of its own.
#![expect(clippy::unwrap_used, reason = "a test whose servers can't be set up has failed")]

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// One side of a connection, with TLS or without.
pub(crate) trait Line: Read + Write {}

impl<T: Read + Write> Line for T {}

/// What a server does with a connection; it ends when the peer has enough.
pub(crate) type Script = fn(&mut dyn Line) -> io::Result<()>;

/// Follows `script` on each connection, then closes its side and waits for the peer's end.
pub(crate) fn plain(script: Script) -> SocketAddr {
    serve(move |mut stream| {
        // A peer that hangs up in the middle is what many scripts are for.
        let _ = script(&mut stream);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// As [`plain`], and ends each connection with a reset.
pub(crate) fn reset_after(script: Script) -> SocketAddr {
    serve(move |mut stream| {
        let _ = script(&mut stream);
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    })
}

/// As [`plain`], over TLS with a certificate that nobody vouches for and `chain` others behind it.
pub(crate) fn secured(alpn: &'static [u8], chain: usize, script: Script) -> SocketAddr {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["a.example".into()]).unwrap();
    let certificate: CertificateDer<'static> = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate; 1 + chain], key)
        .unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    let config = Arc::new(config);
    serve(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let _ = script(&mut stream);
        let _ = stream.sock.shutdown(Shutdown::Write);
        let _ = stream.sock.read_to_end(&mut Vec::new());
    })
}

fn serve(script: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
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

/// Reads up to the empty line that ends a request's head.
pub(crate) fn hear(line: &mut dyn Line) -> io::Result<()> {
    let (mut last, mut byte) = ([0; 4], [0]);
    while last != *b"\r\n\r\n" {
        line.read_exact(&mut byte)?;
        last.rotate_left(1);
        last[3] = byte[0];
    }
    Ok(())
}

/// Reads a request and answers with `said`.
pub(crate) fn answer(line: &mut dyn Line, said: &[u8]) -> io::Result<()> {
    hear(line)?;
    line.write_all(said)?;
    line.flush()
}

/// Says `said` again and again, `pause` apart, until the peer has enough.
pub(crate) fn repeat(line: &mut dyn Line, said: &[u8], pause: Duration) -> io::Result<()> {
    loop {
        line.write_all(said)?;
        line.flush()?;
        std::thread::sleep(pause);
    }
}

/// Says nothing until the peer leaves.
pub(crate) fn wait(line: &mut dyn Line) -> io::Result<()> {
    let mut heard = [0; 1024];
    while 0 < line.read(&mut heard)? {}
    Ok(())
}
