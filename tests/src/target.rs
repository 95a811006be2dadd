//! Targets that do as they are told, and remember what they were told and who came when.
//!
//! A target keeps its port for as long as it lives: a second socket holds it, bound and deaf, so that nobody else can
//! take it while the target refuses. It speaks as much HTTP as a probe needs, and none when nothing is asked.

use crate::background;
use daemon::clock::Clock;
use rules::time::Timestamp;
use socket2::{Domain, SockRef, Socket, Type};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How a target behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
    /// Answers 200.
    Well,
    /// Answers with this status.
    Status(u16),
    /// Answers 200 with another text than the one that was promised.
    WrongBody,
    /// Takes the connection and says nothing.
    Hang,
    /// Takes the connection and resets it.
    Reset,
    /// Does not listen.
    Refuse,
}

/// What a page of a well-behaved target holds.
pub const BODY: &str = "welcome to the shop";

/// What happened at a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// When the connection came.
    pub at: Timestamp,
    /// How it was met.
    pub met: Conduct,
}

/// A target on loopback.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    conduct: watch::Sender<Conduct>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
    clock: Clock,
    _holds_port: Socket,
    _serving: JoinSet<()>,
}

impl Target {
    /// A target that behaves well.
    pub fn start() -> Target {
        let holds_port = socket("127.0.0.1:0".parse().unwrap());
        let address = holds_port.local_addr().unwrap().as_socket().unwrap();
        let (conduct, orders) = watch::channel(Conduct::Well);
        let attempts = <Arc<Mutex<Vec<Attempt>>>>::default();
        let (mut serving, clock) = (JoinSet::new(), Clock::system());
        // Listens before anybody knows the address.
        let first = listen(address);
        serving.spawn_on(serve(address, first, orders, Arc::clone(&attempts), clock.clone()), background::handle());
        Target { address, conduct, attempts, clock, _holds_port: holds_port, _serving: serving }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Changes how it behaves, and says when.
    pub fn turn(&self, conduct: Conduct) -> Timestamp {
        self.conduct.send_replace(conduct);
        self.clock.wall()
    }

    /// Who came so far, in order.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    /// How many came so far.
    pub fn count(&self) -> usize {
        self.attempts.lock().unwrap().len()
    }

    /// How much farther apart than `every` two attempts lay at worst: what the machine's load did to the schedule.
    pub fn lateness(&self, every: Duration) -> Duration {
        let attempts = self.attempts();
        let apart = attempts.windows(2).map(|pair| pair[1].at.since(pair[0].at));
        apart.max().unwrap_or_default().saturating_sub(every)
    }
}

fn socket(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

fn listen(address: SocketAddr) -> std::net::TcpListener {
    let socket = socket(address);
    socket.listen(1024).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}

async fn serve(
    address: SocketAddr,
    first: std::net::TcpListener,
    mut orders: watch::Receiver<Conduct>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
    clock: Clock,
) {
    let mut listener = Some(TcpListener::from_std(first).unwrap());
    let mut connections = JoinSet::new();
    loop {
        let conduct = *orders.borrow_and_update();
        match (&listener, conduct) {
            (Some(_), Conduct::Refuse) => listener = None,
            (None, Conduct::Well | Conduct::Status(_) | Conduct::WrongBody | Conduct::Hang | Conduct::Reset) => {
                listener = Some(TcpListener::from_std(listen(address)).unwrap());
            }
            (Some(_) | None, _) => {}
        }
        tokio::select! {
            changed = orders.changed() => if changed.is_err() { return },
            Some(stream) = accept(listener.as_ref()) => {
                let met = *orders.borrow();
                attempts.lock().unwrap().push(Attempt { at: clock.wall(), met });
                connections.spawn(meet(stream, met));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// Meets one visitor as told; whatever goes wrong is the visitor's affair.
async fn meet(mut stream: TcpStream, conduct: Conduct) {
    let (status, body) = match conduct {
        Conduct::Well => (200, BODY),
        Conduct::WrongBody => (200, "under new management"),
        Conduct::Status(status) => (status, BODY),
        Conduct::Hang => return std::future::pending().await,
        Conduct::Reset => return reset(&stream),
        Conduct::Refuse => return,
    };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut more = [0; 1024];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return,
            Ok(length) => head.extend_from_slice(&more[..length]),
        }
    }
    let answer = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Makes the coming close a reset.
pub(crate) fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
