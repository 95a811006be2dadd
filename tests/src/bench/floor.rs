//! The floor: one connection after another with nothing but the libraries, on a thread whose CPU time is read.

use super::machine::{cpu_of_thread, micros_each};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

/// Connections before counting, until caches are warm.
const WARM: usize = 50;

/// What is done with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Visit {
    /// It is opened and closed.
    Tcp,
    /// A page is asked for.
    Http,
    /// A page is asked for behind TLS.
    Https(Arc<ClientConfig>),
}

/// CPU time of one visit to `address`, in microseconds, over `count` of them.
pub(crate) async fn micros_a_visit(visit: Visit, address: SocketAddr, count: usize) -> f64 {
    let work = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let visits = async |count| {
            for _ in 0..count {
                once(&visit, address).await;
            }
        };
        runtime.block_on(visits(WARM));
        let before = cpu_of_thread();
        runtime.block_on(visits(count));
        micros_each(cpu_of_thread() - before, count as f64)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn once(visit: &Visit, address: SocketAddr) {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    match visit {
        Visit::Tcp => {}
        Visit::Http => ask(stream, address).await,
        Visit::Https(client) => {
            let connector = TlsConnector::from(Arc::clone(client));
            ask(connector.connect(address.ip().into(), stream).await.unwrap(), address).await;
        }
    }
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, address: SocketAddr) {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    let request = Request::get("/").header("host", address.to_string()).body(Empty::<Bytes>::new()).unwrap();
    let exchange = async {
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
        drop(sender);
    };
    // How the server closes is its affair.
    let _ = tokio::join!(exchange, connection);
}
