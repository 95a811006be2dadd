//! A page behind TLS: answers every request alike and closes.

use super::authority::Authority;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

const ANSWER: &[u8] = b"HTTP/1.1 200 Well\r\ncontent-length: 7\r\nconnection: close\r\n\r\nwelcome";

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Secured {
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl Secured {
    /// Starts it with a certificate of `authority`.
    pub(crate) async fn start(authority: &Authority) -> Secured {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, acceptor) = (listener.local_addr().unwrap(), TlsAcceptor::from(authority.server()));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut visitors = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        visitors.spawn(meet(stream, acceptor.clone()));
                    }
                    Some(_) = visitors.join_next() => {}
                }
            }
        });
        Secured { address, _serving: serving }
    }

    /// Its page.
    pub(crate) fn url(&self) -> String {
        format!("https://{}/", self.address)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Meets one visitor; whatever goes wrong is the visitor's affair.
async fn meet(stream: TcpStream, acceptor: TlsAcceptor) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let _ = stream.write_all(ANSWER).await;
    let _ = stream.shutdown().await;
}
