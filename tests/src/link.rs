//! A way between two programs that fails when told to: a TCP proxy with faults, the same for the same seed.
//!
//! It may lead to several places, one connection after the other to each in turn, as a load balancer would.

use crate::background;
use crate::target::reset;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What is wrong with a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// Connections end, and new ones too.
    Cut,
    /// Connections stay, and nothing passes until it heals.
    Blackhole,
    /// Questions pass, answers don't until it heals.
    AnswersLost,
    /// Each connection is reset after some bytes, up to this many in either direction.
    Resets(usize),
}

/// What a link's connections are told.
#[derive(Clone, Copy, Debug)]
struct Orders {
    fault: Fault,
    /// How often everything was cut so far: a connection from before a cut ends, even if it was healed at once.
    cuts: u64,
}

/// A link; it ends when dropped.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    ends: Arc<Mutex<Vec<SocketAddr>>>,
    orders: watch::Sender<Orders>,
    made: Arc<AtomicUsize>,
    _carrying: JoinSet<()>,
}

impl Link {
    /// A link to these places; none: it is cut until it leads somewhere.
    pub fn start(ends: Vec<SocketAddr>, seed: u64) -> Link {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (ends, made) = (Arc::new(Mutex::new(ends)), <Arc<AtomicUsize>>::default());
        let (sender, orders) = watch::channel(Orders { fault: Fault::None, cuts: 0 });
        let mut carrying = JoinSet::new();
        let carry = carry(listener, Arc::clone(&ends), orders, Arc::clone(&made), StdRng::seed_from_u64(seed));
        carrying.spawn_on(carry, background::handle());
        Link { address, ends, orders: sender, made, _carrying: carrying }
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes where new connections lead.
    pub fn lead_to(&self, ends: Vec<SocketAddr>) {
        *self.ends.lock().unwrap() = ends;
    }

    /// Changes what is wrong with it.
    pub fn suffer(&self, fault: Fault) {
        self.orders.send_modify(|orders| {
            orders.fault = fault;
            orders.cuts += u64::from(fault == Fault::Cut);
        });
    }

    /// Ends every connection; new ones are made as before.
    pub fn shake(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }

    /// How many connections were begun so far.
    pub fn connections(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

async fn carry(
    listener: std::net::TcpListener,
    ends: Arc<Mutex<Vec<SocketAddr>>>,
    orders: watch::Receiver<Orders>,
    made: Arc<AtomicUsize>,
    mut chance: StdRng,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((near, _)) = accepted else { continue };
                let number = made.fetch_add(1, Ordering::SeqCst);
                let end = {
                    let ends = ends.lock().unwrap();
                    ends.get(number % ends.len().max(1)).copied()
                };
                let fault = orders.borrow().fault;
                let allowance = match fault {
                    Fault::Resets(bytes_max) => Some(chance.random_range(0..=bytes_max)),
                    Fault::None | Fault::Blackhole | Fault::AnswersLost => None,
                    Fault::Cut => continue,
                };
                if let Some(end) = end {
                    connections.spawn(join(near, end, orders.clone(), allowance));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Which way a half of a connection goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Question,
    Answer,
}

async fn join(near: TcpStream, far: SocketAddr, orders: watch::Receiver<Orders>, allowance: Option<usize>) {
    let Ok(far) = TcpStream::connect(far).await else { return reset(&near) };
    if allowance.is_some() {
        // However the halves end, what was not delivered by then is lost.
        reset(&near);
        reset(&far);
    }
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let allowance = allowance.unwrap_or(usize::MAX);
    let mut halves = JoinSet::new();
    halves.spawn(pass(near_read, far_write, Way::Question, orders.clone(), allowance));
    halves.spawn(pass(far_read, near_write, Way::Answer, orders, allowance));
    // One half's end is the connection's.
    halves.join_next().await;
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    mut orders: watch::Receiver<Orders>,
    mut allowance: usize,
) {
    let cuts = orders.borrow_and_update().cuts;
    let mut held = vec![0; 16 * 1024];
    loop {
        let length = tokio::select! {
            read = from.read(&mut held) => match read {
                Ok(0) | Err(_) => return,
                Ok(length) => length,
            },
            changed = orders.changed() => {
                if changed.is_err() || orders.borrow_and_update().cuts != cuts {
                    return;
                }
                continue;
            }
        };
        let ends_wait = |orders: &Orders| orders.cuts != cuts || !stops(orders.fault, way);
        match orders.wait_for(ends_wait).await {
            Ok(orders) if orders.cuts == cuts => {}
            Ok(_) | Err(_) => return,
        }
        let allowed = length.min(allowance);
        if to.write_all(&held[..allowed]).await.is_err() || allowed < length {
            return;
        }
        allowance -= allowed;
    }
}

fn stops(fault: Fault, way: Way) -> bool {
    match fault {
        Fault::Blackhole => true,
        Fault::AnswersLost => way == Way::Answer,
        Fault::None | Fault::Cut | Fault::Resets(_) => false,
    }
}
