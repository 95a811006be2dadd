//! A socket for echo requests: without privilege where the system lets us, raw otherwise.
//!
//! What routers say of a packet (time exceeded, no way there) is read from the socket's error queue,
//! where the system puts it together with the packet's head. The socket is connected, so that what
//! other hosts send never arrives.

use super::packet::{Echoes, HEAD_BYTES, Identifier, Meaning};
use crate::prober::trace::{Break, fault_of};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use rules::check::{Fragments, IcmpTarget};
use rules::evidence::{Fault, IcmpSocket};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The longest packet, with the head of IPv4 before it.
const PACKET_BYTES_MAX: usize = 65_535 + 60;
/// Room for what the system says beside a packet: a hop limit, or an error and who reports it.
const BESIDE_BYTES: usize = 512;
/// The head of IPv4 that we write ourselves where routers must not cut packets.
const IPV4_HEAD_BYTES: u8 = 20;
/// The types of the message that a packet was dropped because it had passed too many routers.
const IPV4_TIME_EXCEEDED: u8 = 11;
const IPV6_TIME_EXCEEDED: u8 = 3;

/// A socket to one address.
#[derive(Debug)]
pub(super) struct EchoSocket {
    socket: UdpSocket,
    address: IpAddr,
    kind: IcmpSocket,
    /// The hop limit, where we write the head of IPv4 ourselves.
    own_head: Option<u8>,
}

/// What was read from a socket.
#[derive(Debug)]
pub(super) enum Received {
    /// A reply, and the hop limit that it came with.
    Reply { index: usize, hops: Option<u8> },
    /// What a router or host said of a packet of ours.
    Refusal { index: usize, refusal: Break },
    /// Nothing of ours.
    Other,
}

impl EchoSocket {
    pub(super) fn open(address: IpAddr, target: &IcmpTarget) -> Result<EchoSocket, Break> {
        let writes_head = address.is_ipv4() && target.fragments == Fragments::Forbidden;
        let (socket, kind) = match new(address, Type::DGRAM) {
            // IPv4 has no option for it: we write the head, and that needs a raw socket.
            Ok(socket) if !writes_head => (socket, IcmpSocket::Ping),
            Ok(_) => (new(address, Type::RAW).map_err(|error| refused(&error, address))?, IcmpSocket::Raw),
            Err(error) if is_forbidden(&error) => {
                (new(address, Type::RAW).map_err(|error| refused(&error, address))?, IcmpSocket::Raw)
            }
            Err(error) => return Err(refused(&error, address)),
        };
        set_up(&socket, address, target, writes_head).map_err(|error| refused(&error, address))?;
        // tokio's type for datagrams waits for any socket; nothing is sent or received by it.
        let socket = UdpSocket::from_std(socket.into()).map_err(|error| refused(&error, address))?;
        Ok(EchoSocket { socket, address, kind, own_head: writes_head.then_some(target.hops) })
    }

    pub(super) fn kind(&self) -> IcmpSocket {
        self.kind
    }

    /// Waits until something can be read.
    pub(super) async fn ready(&self) -> Result<(), Break> {
        let interest = Interest::READABLE | Interest::ERROR;
        self.socket.ready(interest).await.map_err(|error| refused(&error, self.address))?;
        // Everything that is there is read before the next wait, so it is forgotten now that something was.
        let _ = self.socket.try_io(interest, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        Ok(())
    }

    pub(super) fn send(&self, packet: &[u8]) -> Result<(), Break> {
        let sent = match (self.own_head, self.address) {
            (Some(hops), IpAddr::V4(to)) => SockRef::from(&self.socket).send(&with_head(packet, to, hops)),
            _ => SockRef::from(&self.socket).send(packet),
        };
        // That a local firewall forbids it is no missing permission of ours.
        sent.map(drop).map_err(|error| unsent(&error, self.address))
    }

    /// What was received next, errors first; absent if nothing is there.
    pub(super) fn receive(&self, echoes: &Echoes) -> Result<Option<Received>, Break> {
        match self.receive_error(echoes)? {
            Some(received) => Ok(Some(received)),
            None => self.receive_packet(echoes),
        }
    }

    fn identifier(&self) -> Identifier {
        match self.kind {
            IcmpSocket::Ping => Identifier::Systems,
            IcmpSocket::Raw => Identifier::Ours,
        }
    }

    fn receive_packet(&self, echoes: &Echoes) -> Result<Option<Received>, Break> {
        let (mut buffer, mut beside) = (vec![0; PACKET_BYTES_MAX], [0; BESIDE_BYTES]);
        loop {
            let read = self.read(&mut buffer, &mut beside, MsgFlags::MSG_DONTWAIT);
            let Some((length, said)) = read.map_err(|errno| refused(&errno.into(), self.address))? else {
                return Ok(None);
            };
            let packet = &buffer[..length];
            // Raw sockets of IPv4 give the packet's head too.
            let head = if self.kind == IcmpSocket::Raw && self.address.is_ipv4() { ipv4_head(packet) } else { 0 };
            match echoes.meaning(packet.get(head..).unwrap_or_default(), self.identifier()) {
                Meaning::Reply(index) => return Ok(Some(Received::Reply { index, hops: said.iter().find_map(hops) })),
                // On loopback a raw socket hears its own requests.
                Meaning::Request(_) => {}
                Meaning::Other => return Ok(Some(Received::Other)),
            }
        }
    }

    fn receive_error(&self, echoes: &Echoes) -> Result<Option<Received>, Break> {
        let (mut buffer, mut beside) = (vec![0; 4096], [0; BESIDE_BYTES]);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let read = self.read(&mut buffer, &mut beside, flags);
        let Some((length, said)) = read.map_err(|errno| refused(&errno.into(), self.address))? else {
            return Ok(None);
        };
        let head = if self.own_head.is_some() { ipv4_head(&buffer) } else { 0 };
        let packet = buffer[..length.max(HEAD_BYTES)].get(head..).unwrap_or_default();
        let index = match echoes.meaning(packet, self.identifier()) {
            Meaning::Request(index) => index,
            Meaning::Reply(_) | Meaning::Other => return Ok(Some(Received::Other)),
        };
        let refusal = said.iter().find_map(|message| {
            if let ControlMessageOwned::Ipv4RecvErr(error, from) = message {
                let from = from.map(|from| IpAddr::from(Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr))));
                Some((error.ee_errno, error.ee_type == IPV4_TIME_EXCEEDED, from))
            } else if let ControlMessageOwned::Ipv6RecvErr(error, from) = message {
                let from = from.map(|from| IpAddr::from(from.sin6_addr.s6_addr));
                Some((error.ee_errno, error.ee_type == IPV6_TIME_EXCEEDED, from))
            } else {
                None
            }
        });
        Ok(refusal
            .map(|(errno, is_expired, from)| Received::Refusal { index, refusal: self.told(errno, is_expired, from) }))
    }

    /// The refusal that the host `from` told.
    fn told(&self, errno: u32, is_expired: bool, from: Option<IpAddr>) -> Break {
        let error = io::Error::from_raw_os_error(i32::try_from(errno).unwrap_or(0));
        let address = self.address;
        let by = from.map_or_else(|| "this machine".to_owned(), |from| from.to_string());
        if is_expired {
            return Break::new(Fault::Unreachable, &format!("{address}: the hop limit (ttl) was reached at {by}"));
        }
        Break::new(fault(&error), &format!("{address}: {error}, says {by}"))
    }

    fn read(
        &self,
        buffer: &mut [u8],
        beside: &mut [u8],
        flags: MsgFlags,
    ) -> Result<Option<(usize, Vec<ControlMessageOwned>)>, Errno> {
        let mut slices = [IoSliceMut::new(buffer)];
        loop {
            match recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut slices, Some(&mut *beside), flags) {
                Ok(message) => {
                    return Ok(Some((message.bytes, message.cmsgs().map(Iterator::collect).unwrap_or_default())));
                }
                Err(Errno::EAGAIN) => return Ok(None),
                // What the queue of errors holds is told here too, once; it is read from there.
                Err(Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::ECONNREFUSED | Errno::EMSGSIZE) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

fn hops(message: &ControlMessageOwned) -> Option<u8> {
    if let ControlMessageOwned::Ipv4Ttl(hops) | ControlMessageOwned::Ipv6HopLimit(hops) = message {
        u8::try_from(*hops).ok()
    } else {
        None
    }
}

/// How long the head of IPv4 at the start of `packet` is.
fn ipv4_head(packet: &[u8]) -> usize {
    packet.first().map_or(0, |first| usize::from(first & 15) * 4)
}

fn new(address: IpAddr, kind: Type) -> io::Result<Socket> {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    Socket::new(domain, kind, Some(protocol))
}

fn set_up(socket: &Socket, address: IpAddr, target: &IcmpTarget, writes_head: bool) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    match address {
        IpAddr::V4(_) => {
            socket.set_ttl_v4(target.hops.into())?;
            setsockopt(socket, sockopt::Ipv4RecvTtl, &true)?;
            setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
            if writes_head {
                socket.set_header_included_v4(true)?;
            }
        }
        IpAddr::V6(_) => {
            socket.set_unicast_hops_v6(target.hops.into())?;
            setsockopt(socket, sockopt::Ipv6RecvHopLimit, &true)?;
            setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
            setsockopt(socket, sockopt::Ipv6DontFrag, &(target.fragments == Fragments::Forbidden))?;
        }
    }
    if let Some(source) = target.route.source {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    socket.connect(&SocketAddr::new(address, 0).into())
}

/// `packet` behind a head of IPv4 that forbids fragments; the system fills in the rest of the head.
fn with_head(packet: &[u8], to: Ipv4Addr, hops: u8) -> Vec<u8> {
    const DONT_FRAGMENT: u8 = 0x40;
    const ICMP: u8 = 1;
    let length = u16::try_from(packet.len() + usize::from(IPV4_HEAD_BYTES)).unwrap_or(u16::MAX).to_be_bytes();
    let mut bytes = vec![0x45, 0, length[0], length[1], 0, 0, DONT_FRAGMENT, 0, hops, ICMP, 0, 0, 0, 0, 0, 0];
    bytes.extend(to.octets());
    bytes.extend(packet);
    bytes
}

fn is_forbidden(error: &io::Error) -> bool {
    // A system without such sockets says that it doesn't know the protocol.
    error.kind() == io::ErrorKind::PermissionDenied || error.raw_os_error() == Some(Errno::EPROTONOSUPPORT as i32)
}

fn fault(error: &io::Error) -> Fault {
    match error.raw_os_error() {
        Some(number) if number == Errno::EMSGSIZE as i32 => Fault::Unreachable,
        _ => fault_of(error).unwrap_or(Fault::Unnamed),
    }
}

fn refused(error: &io::Error, address: IpAddr) -> Break {
    let number = error.raw_os_error();
    if number == Some(Errno::EPERM as i32) || number == Some(Errno::EACCES as i32) {
        return Break::new(
            Fault::Instruction,
            "this agent may not send echo requests: let its group do so (sysctl net.ipv4.ping_group_range=\"0 2147483647\"), \
             or give the program the capability CAP_NET_RAW",
        );
    }
    unsent(error, address)
}

fn unsent(error: &io::Error, address: IpAddr) -> Break {
    if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) {
        return Break::new(Fault::Unreachable, &format!("{address}: the packet is longer than the way there allows"));
    }
    Break::new(fault(error), &format!("{address}: {error}"))
}
