//! From a host to its addresses.
//!
//! Addresses cost nothing; names go to the machine's resolvers and its hosts file, every time anew.
//! That a name does not exist and that nobody could be asked are told apart. Nothing is cached, for
//! a probe must see what a visitor without a cache would see.

use super::trace::{Break, fault_of};
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::Name;
use hickory_resolver::{Resolver, TokioResolver};
use rules::check::IpPreference;
use rules::evidence::Fault;
use std::net::{IpAddr, Ipv4Addr};

/// How many of a name's addresses are tried: twice what the largest load balancers list, and a bound
/// on a name that lists hundreds.
const ADDRESSES_MAX: usize = 32;

/// A host, read once.
#[derive(Clone, Debug)]
pub(crate) enum Host {
    /// An address, as written.
    Address(IpAddr),
    /// A name, to be resolved at each probe.
    Name(Name),
}

impl Host {
    /// Reads a host without brackets; a name may be international.
    pub(crate) fn read(text: &str) -> Result<Host, Break> {
        if let Ok(address) = text.parse() {
            return Ok(Host::Address(address));
        }
        // The rules of international names forbid `_`, which plain ones may have.
        let name = if text.is_ascii() { Name::from_ascii(text) } else { Name::from_utf8(text) };
        name.map(Host::Name).map_err(|error| Break::new(Fault::Instruction, &error.to_string()))
    }
}

/// Asks the machine's resolvers.
#[derive(Debug)]
pub(crate) struct Resolvers {
    both: TokioResolver,
    v4: TokioResolver,
    v6: TokioResolver,
}

/// The machine's resolver settings can't be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up name resolution from /etc/resolv.conf")]
pub struct NoResolver {
    #[source]
    source: NetError,
}

impl Resolvers {
    /// Reads `/etc/resolv.conf` and `/etc/hosts`; without a name server there, this machine is asked,
    /// as the C library does.
    pub(crate) fn from_system() -> Result<Resolvers, NoResolver> {
        let system = hickory_resolver::system_conf::read_system_conf();
        let (config, options) = system.unwrap_or_else(|_| (only(Ipv4Addr::LOCALHOST.into()), ResolverOpts::default()));
        Resolvers::new(&config, &options).map_err(|source| NoResolver { source })
    }

    fn new(config: &ResolverConfig, options: &ResolverOpts) -> Result<Resolvers, NetError> {
        let with = |ip_strategy| {
            let mut builder = Resolver::builder_with_config(config.clone(), TokioRuntimeProvider::default());
            let mut options = options.clone();
            options.ip_strategy = ip_strategy;
            options.use_hosts_file = ResolveHosts::Always;
            options.cache_size = 0;
            *builder.options_mut() = options;
            builder.build()
        };
        Ok(Resolvers {
            both: with(LookupIpStrategy::Ipv6AndIpv4)?,
            v4: with(LookupIpStrategy::Ipv4Only)?,
            v6: with(LookupIpStrategy::Ipv6Only)?,
        })
    }

    /// The addresses of `host` in the order in which they should be tried; at least one.
    pub(crate) async fn addresses(&self, host: &Host, ip: IpPreference) -> Result<Vec<IpAddr>, Break> {
        let name = match host {
            Host::Address(address) => return literal(*address, ip),
            Host::Name(name) => name,
        };
        let resolver = match ip {
            IpPreference::Any | IpPreference::PreferV4 | IpPreference::PreferV6 => &self.both,
            IpPreference::OnlyV4 => &self.v4,
            IpPreference::OnlyV6 => &self.v6,
        };
        let answer = resolver.lookup_ip(name.clone()).await.map_err(|error| broken(&error))?;
        let mut addresses: Vec<IpAddr> = answer.iter().filter(|address| wanted(*address, ip)).collect();
        if addresses.is_empty() {
            return Err(Break::new(Fault::NoSuchName, "the name has no address"));
        }
        match ip {
            IpPreference::PreferV4 => addresses.sort_by_key(IpAddr::is_ipv6),
            IpPreference::PreferV6 => addresses.sort_by_key(IpAddr::is_ipv4),
            IpPreference::Any | IpPreference::OnlyV4 | IpPreference::OnlyV6 => {}
        }
        addresses.truncate(ADDRESSES_MAX);
        Ok(addresses)
    }
}

fn only(server: IpAddr) -> ResolverConfig {
    ResolverConfig::from_parts(None, Vec::new(), vec![NameServerConfig::udp_and_tcp(server)])
}

fn literal(address: IpAddr, ip: IpPreference) -> Result<Vec<IpAddr>, Break> {
    if wanted(address, ip) {
        return Ok(vec![address]);
    }
    Err(Break::new(Fault::NoSuchName, "the address is not of the family that the check asks for"))
}

fn wanted(address: IpAddr, ip: IpPreference) -> bool {
    match ip {
        IpPreference::Any | IpPreference::PreferV4 | IpPreference::PreferV6 => true,
        IpPreference::OnlyV4 => address.is_ipv4(),
        IpPreference::OnlyV6 => address.is_ipv6(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is not ours to list: the rest has no meaning")]
fn broken(error: &NetError) -> Break {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(_)) => {
            Break::new(Fault::NoSuchName, "the name does not exist or has no address")
        }
        NetError::Dns(DnsError::ResponseCode(code)) => {
            Break::new(Fault::NameServers, &format!("the resolver answered: {code}"))
        }
        NetError::Timeout | NetError::NoConnections => Break::new(Fault::ResolverSilent, "no resolver answered"),
        NetError::Busy => Break::new(Fault::Exhausted, "too many names are being resolved at once"),
        NetError::Io(error) => {
            let fault = fault_of(error).filter(|fault| *fault == Fault::Exhausted).unwrap_or(Fault::ResolverSilent);
            Break::new(fault, &format!("no resolver answered: {error}"))
        }
        other => Break::new(Fault::NameServers, &format!("the resolver's answer can't be used: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prober::{Clients, Means, Prober};
    use daemon::clock::Clock;
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{A, AAAA};
    use hickory_resolver::proto::rr::{RData, Record, RecordType};
    use rules::check::Target;
    use rules::reach::{Reach, Scope};
    use std::io::{Read, Write};
    use std::net::UdpSocket;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// A name server that answers by `script`, or not at all.
    fn resolvers(script: impl Fn(&mut Message, RecordType) -> bool + Send + 'static) -> Resolvers {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
        server.connections[0].port = socket.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let query = Message::from_vec(&buffer[..length]).unwrap();
                let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
                answer.queries = query.queries.clone();
                if script(&mut answer, query.queries[0].query_type()) {
                    socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
                }
            }
        });
        let mut options = ResolverOpts::default();
        options.timeout = Duration::from_millis(50);
        options.attempts = 1;
        Resolvers::new(&ResolverConfig::from_parts(None, Vec::new(), vec![server]), &options).unwrap()
    }

    fn both_families(answer: &mut Message, kind: RecordType) -> bool {
        let name = answer.queries[0].name().clone();
        let data = if kind == RecordType::A {
            RData::A(A::new(192, 0, 2, 1))
        } else {
            RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))
        };
        answer.add_answer(Record::from_rdata(name, 60, data));
        true
    }

    async fn ask(resolvers: &Resolvers, host: &str, ip: IpPreference) -> Result<Vec<String>, Fault> {
        let addresses = resolvers.addresses(&Host::read(host).unwrap(), ip).await.map_err(|broken| broken.fault)?;
        Ok(addresses.iter().map(IpAddr::to_string).collect())
    }

    #[tokio::test]
    async fn a_name_s_addresses_come_in_the_order_that_the_check_prefers() {
        let resolvers = resolvers(both_families);
        let check = async |ip, expected: &[&str]| {
            assert_eq!(ask(&resolvers, "a.example", ip).await.unwrap(), expected, "{ip:?}");
        };
        check(IpPreference::PreferV4, &["192.0.2.1", "2001:db8::1"]).await;
        check(IpPreference::PreferV6, &["2001:db8::1", "192.0.2.1"]).await;
        check(IpPreference::OnlyV4, &["192.0.2.1"]).await;
        check(IpPreference::OnlyV6, &["2001:db8::1"]).await;
        assert_eq!(ask(&resolvers, "a.example", IpPreference::Any).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_told_from_a_failing_and_from_a_silent_resolver() {
        let coded = |code| {
            move |answer: &mut Message, _: RecordType| {
                answer.metadata.response_code = code;
                true
            }
        };
        let check = async |resolvers: Resolvers, expected| {
            assert_eq!(ask(&resolvers, "a.example", IpPreference::Any).await, Err(expected));
        };
        check(resolvers(coded(ResponseCode::NXDomain)), Fault::NoSuchName).await;
        check(resolvers(|_, _| true), Fault::NoSuchName).await;
        check(resolvers(coded(ResponseCode::ServFail)), Fault::NameServers).await;
        check(resolvers(coded(ResponseCode::Refused)), Fault::NameServers).await;
        check(resolvers(|_, _| false), Fault::ResolverSilent).await;
    }

    #[tokio::test]
    async fn each_probe_asks_anew() {
        let (asked, counted) = std::sync::mpsc::channel();
        let resolvers = resolvers(move |answer, kind| {
            asked.send(()).unwrap();
            both_families(answer, kind)
        });
        for _ in 0..3 {
            ask(&resolvers, "a.example", IpPreference::OnlyV4).await.unwrap();
        }
        assert_eq!(counted.try_iter().count(), 3);
    }

    #[tokio::test]
    async fn localhost_and_addresses_need_no_resolver() {
        let resolvers = resolvers(|_, _| false);
        assert_eq!(ask(&resolvers, "127.0.0.1", IpPreference::Any).await.unwrap(), ["127.0.0.1"]);
        assert_eq!(ask(&resolvers, "::1", IpPreference::OnlyV4).await, Err(Fault::NoSuchName));
        assert_eq!(ask(&resolvers, "localhost", IpPreference::OnlyV4).await.unwrap(), ["127.0.0.1"]);
        assert!(ask(&resolvers, "localhost", IpPreference::Any).await.unwrap().contains(&"127.0.0.1".to_string()));
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_between_two_answers_leads_nowhere_forbidden() {
        let trap = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let port = trap.local_addr().unwrap().port();
        let guide = std::net::TcpListener::bind(("127.0.0.2", port)).unwrap();
        std::thread::spawn(move || {
            for stream in guide.incoming() {
                let mut stream = stream.unwrap();
                // What is not read before the end would cut the answer off.
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                let answer = format!("HTTP/1.1 302 Found\r\nlocation: http://a.example:{port}/2\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        // The first question is answered with the allowed address, every later one with the trap's.
        let asked = AtomicUsize::new(0);
        let resolvers = resolvers(move |answer, kind| {
            let name = answer.queries[0].name().clone();
            if kind == RecordType::A {
                let last = if asked.fetch_add(1, Ordering::SeqCst) == 0 { 2 } else { 1 };
                answer.add_answer(Record::from_rdata(name, 0, RData::A(A::new(127, 0, 0, last))));
            }
            true
        });
        let clock = Clock::system();
        let reach = Reach { scope: Scope::Stranger, allow: vec!["127.0.0.2".parse().unwrap()], refuse: Vec::new() };
        let prober = Prober { means: Means { clients: Clients::new(&clock), clock, resolvers, reach } };
        let target = Target::parse(&format!("http://a.example:{port}/")).unwrap();
        let evidence = prober.probe(&prober.plan(&target, Duration::from_secs(10))).await;
        let faults: Vec<_> = evidence.attempts.iter().map(|attempt| attempt.fault).collect();
        assert_eq!(faults, [None, Some(Fault::Forbidden)]);
        assert_eq!(trap.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the trap was sprung");
    }
}
