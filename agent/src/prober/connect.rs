//! From addresses to a connection: each is tried until one accepts.
//!
//! The time that is left is shared among the addresses that are left, so that one that swallows
//! packets does not keep the others from being tried.

use super::Means;
use super::resolve::Host;
use super::trace::{Break, Trace, fault_of};
use rules::check::Route;
use rules::evidence::{Fault, Phase};
use rules::reach::Reach;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

impl Means {
    /// From a host to a connection, by way of `route`: the phases resolve and connect. `budget` is the
    /// whole probe's time.
    pub(crate) async fn connect(
        &self,
        host: &Host,
        port: u16,
        route: &Route,
        budget: Duration,
        trace: &mut Trace,
    ) -> Result<TcpStream, Break> {
        trace.enter(Phase::Resolve);
        let addresses = self.resolvers.addresses(host, route.ip).await?;
        trace.enter(Phase::Connect);
        connect(&addresses, port, route.source, &self.reach, budget, trace).await
    }
}

/// Whether this agent may connect to `address`. It is asked at the last moment, of the address itself.
pub(crate) fn permit(reach: &Reach, address: IpAddr) -> Result<(), Break> {
    reach.permits(address).map_err(|why| {
        let detail =
            format!("{address} may not be connected to: {why}; `reach` in the agent's configuration allows it");
        Break::new(Fault::Forbidden, &detail)
    })
}

/// Connects to the first of `addresses` that accepts.
async fn connect(
    addresses: &[IpAddr],
    port: u16,
    source: Option<IpAddr>,
    reach: &Reach,
    budget: Duration,
    trace: &mut Trace,
) -> Result<TcpStream, Break> {
    let mut worst: Option<Break> = None;
    for (index, &address) in addresses.iter().enumerate() {
        let address = SocketAddr::new(address, port);
        let left = budget.saturating_sub(trace.elapsed());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        trace.try_address(address);
        if let Err(forbidden) = permit(reach, address.ip()) {
            trace.tried(Some(forbidden.fault));
            worst = Some(graver(worst, forbidden));
            continue;
        }
        let broken = match timeout(share, connect_from(source, address)).await {
            Ok(Ok(stream)) => {
                trace.tried(None);
                // Requests are one write each; a kernel that can't set this only costs time.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => Break::new(connect_fault(&error, address), &format!("{address}: {error}")),
            Err(_) => Break::new(Fault::Deadline, &format!("{address}: no answer within its share of the timeout")),
        };
        trace.tried(Some(broken.fault));
        worst = Some(graver(worst, broken));
    }
    Err(worst.unwrap_or_else(|| Break::new(Fault::NoSuchName, "the name has no address")))
}

/// Connects from `source`, or from the address that the system chooses.
async fn connect_from(source: Option<IpAddr>, address: SocketAddr) -> io::Result<TcpStream> {
    let Some(source) = source else { return TcpStream::connect(address).await };
    let socket = if source.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(address).await
}

/// Of two failed attempts, the one that speaks for both.
pub(crate) fn graver(worst: Option<Break>, broken: Break) -> Break {
    match worst {
        Some(worst) if weight(worst.fault) >= weight(broken.fault) => worst,
        _ => broken,
    }
}

/// Which of several failed attempts speaks for all: first one that this machine spoiled, for then
/// not every address was really tried; then the one that got nearest to the target. An address that may
/// not be tried says something only if there is no other.
fn weight(fault: Fault) -> u8 {
    match fault {
        Fault::Exhausted => 4,
        Fault::Refused | Fault::Reset => 3,
        Fault::Deadline => 2,
        Fault::Unreachable => 1,
        Fault::NoSuchName
        | Fault::NameServers
        | Fault::ResolverSilent
        | Fault::Tls
        | Fault::Certificate
        | Fault::Protocol
        | Fault::TooLarge
        | Fault::Redirect
        | Fault::Instruction
        | Fault::Forbidden
        | Fault::Unnamed => 0,
    }
}

/// "Cannot assign requested address" means that ports ran out, or that this machine has no address
/// of that family at all. A datagram socket needs no port of ours there: if it can't go either, it
/// is the family.
fn connect_fault(error: &io::Error, address: SocketAddr) -> Fault {
    let fault = fault_of(error).unwrap_or(Fault::Unnamed);
    if error.kind() != io::ErrorKind::AddrNotAvailable {
        return fault;
    }
    let any = match address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let reachable = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect(address)).is_ok();
    if reachable { Fault::Exhausted } else { Fault::Unreachable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daemon::clock::Clock;
    use rules::evidence::Attempt;
    use tokio::net::TcpListener;

    const TIMEOUT: Duration = Duration::from_secs(10);

    async fn tried(addresses: &[&str], port: u16, budget: Duration) -> (Option<Break>, Vec<Attempt>) {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let mut trace = Trace::begin(&Clock::system());
        let end = connect(&addresses, port, None, &Reach::default(), budget, &mut trace).await;
        (end.err(), trace.evidence.attempts)
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_to_the_next_of_either_family() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (broken, attempts) = tried(&["::1", "127.0.0.1"], server.local_addr().unwrap().port(), TIMEOUT).await;
        assert!(broken.is_none());
        assert_eq!(attempts.len(), 2);
        assert!(attempts[0].fault.is_some() && attempts[0].address.is_ipv6());
        assert!(attempts[1].fault.is_none() && attempts[1].address.is_ipv4());
    }

    #[tokio::test]
    async fn an_address_that_swallows_packets_leaves_time_for_the_next() {
        // A listener whose queue is full drops what else comes: a black hole on loopback.
        let full = TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let port = full.local_addr().unwrap().port();
        let full = full.listen(0).unwrap();
        let mut fillers = Vec::new();
        while let Ok(Ok(filler)) =
            timeout(Duration::from_millis(100), TcpStream::connect(full.local_addr().unwrap())).await
        {
            fillers.push(filler);
        }
        let open = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
        let (broken, attempts) =
            tried(&["127.0.0.1", "127.0.0.2"], open.local_addr().unwrap().port(), Duration::from_millis(400)).await;
        assert!(broken.is_none(), "{broken:?}");
        assert_eq!(attempts[0].fault, Some(Fault::Deadline));
        assert!(Duration::from_millis(200) <= attempts[0].elapsed);
    }

    #[tokio::test]
    async fn of_many_failures_the_one_nearest_to_the_target_is_told() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        // 240.0.0.1 is reserved: no system has a way there.
        for order in [["127.0.0.1", "240.0.0.1"], ["240.0.0.1", "127.0.0.1"]] {
            let (broken, attempts) = tried(&order, closed, Duration::from_secs(1)).await;
            assert_eq!(broken.unwrap().fault, Fault::Refused);
            assert_eq!(attempts.len(), 2);
        }
    }

    #[test]
    fn an_absent_address_family_is_not_taken_for_a_lack_of_ports() {
        let error = io::Error::from(rustix::io::Errno::ADDRNOTAVAIL);
        assert_eq!(connect_fault(&error, "127.0.0.1:1".parse().unwrap()), Fault::Exhausted);
        // A link-local address that names no link: a datagram can't go there either.
        assert_eq!(connect_fault(&error, "[fe80::1]:1".parse().unwrap()), Fault::Unreachable);
    }
}
