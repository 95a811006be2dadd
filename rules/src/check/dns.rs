//! What a `dns` check looks at: a name server, a question, and what its answer must be like.
//!
//! Names, types, classes and codes are kept as the numbers that travel; [`names`](self) of them are
//! those that people write. It looks at text alone and resolves nothing.

mod names;

pub use names::{QueryClass, QueryType, Rcode};

use super::target::{TargetError, check_text, read_authority, read_host, shown};
use super::{Pattern, Route, TlsRule};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

/// The port of name servers.
const PORT: u16 = 53;
/// The port of name servers that speak TLS.
const PORT_TLS: u16 = 853;
/// The longest name as text: 255 bytes on the wire, each of them possibly written as `\ddd`.
const NAME_BYTES_MAX: usize = 4 * 255;

/// A name server and a question. The names are blackbox_exporter's where it has them.
#[derive(Clone, PartialEq, Debug)]
pub struct DnsTarget {
    /// `server[:port]`, as written; an IPv6 address with a port stands in brackets.
    pub address: String,
    /// The host of `address`, without brackets.
    pub host: String,
    /// The port of `address`; absent: that of the transport.
    pub port: Option<u16>,
    /// The name that is asked for, in its textual form.
    pub query_name: String,
    /// What is asked for; `ANY` unless said otherwise.
    pub query_type: QueryType,
    /// The class of the question; `IN` unless said otherwise.
    pub query_class: QueryClass,
    /// Whether the server is asked to ask others.
    pub recursion: Recursion,
    /// How the question travels.
    pub transport: DnsTransport,
    /// Response codes that are up; empty: `NOERROR`.
    pub valid_rcodes: Vec<Rcode>,
    /// What the records of the answer section must be like.
    pub answer: RecordRules,
    /// What the records of the authority section must be like.
    pub authority: RecordRules,
    /// What the records of the additional section must be like.
    pub additional: RecordRules,
    /// How connections get there.
    pub route: Route,
    /// How the certificate is judged, over TLS.
    pub tls: TlsRule,
}

/// Whether the server is asked to ask others: the bit `RD`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Recursion {
    /// It is.
    #[default]
    Desired,
    /// It answers from what it knows itself.
    NotDesired,
}

/// How a question travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DnsTransport {
    /// In a datagram; by TCP once more if the answer was cut.
    #[default]
    Udp,
    /// By TCP.
    Tcp,
    /// By TLS over TCP.
    Tls,
}

/// What the records of one section must be like, under blackbox_exporter's names. A record is matched
/// as a line with tabs: `example.com.\t3600\tIN\tA\t192.0.2.1`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RecordRules {
    /// Fails if any record matches any of these.
    pub matches: Vec<Pattern>,
    /// Fails unless all records match all of these: so blackbox_exporter reads the name
    /// `fail_if_all_match_regexp`, and configurations rely on it.
    pub all_match: Vec<Pattern>,
    /// Fails if any record lacks a match of any of these, or if there is no record.
    pub not_matches: Vec<Pattern>,
    /// Fails if no record matches any of these.
    pub none_matches: Vec<Pattern>,
}

impl RecordRules {
    /// All patterns, in the order in which facts count their matches.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.matches.iter().chain(&self.all_match).chain(&self.not_matches).chain(&self.none_matches)
    }
}

impl DnsTarget {
    /// Reads `server[:port]` and a name to ask it for; everything else has its default.
    pub fn new(address: &str, query_name: &str) -> Result<DnsTarget, TargetError> {
        check_text(address)?;
        let (host, port) = match address.parse::<Ipv6Addr>() {
            Ok(_) => (address, None),
            Err(_) => read_host(address, address)?,
        };
        check_name(query_name)?;
        Ok(DnsTarget {
            address: address.into(),
            host: host.into(),
            port,
            query_name: query_name.into(),
            query_type: QueryType::ANY,
            query_class: QueryClass::IN,
            recursion: Recursion::Desired,
            transport: DnsTransport::Udp,
            valid_rcodes: Vec::new(),
            answer: RecordRules::default(),
            authority: RecordRules::default(),
            additional: RecordRules::default(),
            route: Route::default(),
            tls: TlsRule::default(),
        })
    }

    /// Reads a URL as RFC 4501 writes it: `dns://server[:port]/name[?type=MX;class=IN]`; the type is
    /// `A` if the URL says none, as that document has it.
    pub fn parse(url: &str) -> Result<DnsTarget, TargetError> {
        check_text(url)?;
        let expected = "a server and a name, such as `dns://192.0.2.53/example.com?type=MX`";
        let refuse = || TargetError::Form { target: shown(url), expected };
        let (server, question) = url
            .split_once("://")
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("dns"))
            .and_then(|(_, rest)| rest.split_once('/'))
            .ok_or_else(refuse)?;
        let (name, options) = question.split_once('?').unwrap_or((question, ""));
        read_authority(url, server, Some(PORT))?;
        let mut target = DnsTarget { query_type: QueryType::A, ..DnsTarget::new(server, name)? };
        for option in options.split([';', '&']).filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("type", word)) => target.query_type = QueryType::from_word(word).ok_or_else(refuse)?,
                Some(("class", word)) => target.query_class = QueryClass::from_word(word).ok_or_else(refuse)?,
                _ => return Err(refuse()),
            }
        }
        Ok(target)
    }

    /// The port that is asked.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.transport {
            DnsTransport::Udp | DnsTransport::Tcp => PORT,
            DnsTransport::Tls => PORT_TLS,
        })
    }
}

/// Names of the domain name system hold nearly anything; this refuses what is surely a slip.
fn check_name(name: &str) -> Result<(), TargetError> {
    let refuse = |why| Err(TargetError::Host { host: shown(name), why });
    let labels = name.strip_suffix('.').unwrap_or(name);
    match name {
        "" => refuse("is empty; write the name to ask for, or `.` for the root"),
        "." => Ok(()),
        _ if name.chars().any(|c| c.is_whitespace() || c.is_control()) => refuse("has a space or control character"),
        _ if NAME_BYTES_MAX < name.len() => refuse("is longer than the domain name system carries"),
        _ if labels.split('.').any(str::is_empty) => refuse("has nothing between two dots"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_server_has_the_port_of_its_transport_unless_it_names_one() {
        let check = |address: &str, host: &str, transport, port| {
            let target = DnsTarget { transport, ..DnsTarget::new(address, "example.com").unwrap() };
            assert_eq!((target.host.as_str(), target.port()), (host, port), "{address}");
        };
        check("ns.example", "ns.example", DnsTransport::Udp, 53);
        check("ns.example:5353", "ns.example", DnsTransport::Udp, 5353);
        check("192.0.2.1", "192.0.2.1", DnsTransport::Tcp, 53);
        check("192.0.2.1", "192.0.2.1", DnsTransport::Tls, 853);
        check("[2001:db8::1]:54", "2001:db8::1", DnsTransport::Tls, 54);
        check("[::1]", "::1", DnsTransport::Udp, 53);
        check("2001:db8::1", "2001:db8::1", DnsTransport::Udp, 53);
    }

    #[test]
    fn a_url_names_server_name_type_and_class() {
        let target = DnsTarget::parse("dns://192.0.2.53:5353/example.com?type=TXT;class=CH").unwrap();
        assert_eq!(
            (target.host.as_str(), target.port(), target.query_name.as_str()),
            ("192.0.2.53", 5353, "example.com")
        );
        assert_eq!((target.query_type.to_string(), target.query_class.to_string()), ("TXT".into(), "CH".into()));
        assert_eq!(DnsTarget::parse("dns://ns.example/.").unwrap().query_type, QueryType::A);
    }

    #[test]
    fn what_is_no_server_or_no_name_is_refused_with_what_would_be_right() {
        let check = |result: Result<DnsTarget, TargetError>, part: &str| {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        };
        check(DnsTarget::new("", "a"), "empty");
        check(DnsTarget::new("192.0.2.1:0", "a"), "`0` as its port");
        check(DnsTarget::new("1.2.3", "a"), "no IPv4 address");
        check(DnsTarget::new("192.0.2.1", ""), "the name to ask for");
        check(DnsTarget::new("192.0.2.1", "a..b"), "between two dots");
        check(DnsTarget::new("192.0.2.1", "a b"), "space");
        check(DnsTarget::parse("dns:example.com"), "a server and a name, such as");
        check(DnsTarget::parse("dns://192.0.2.1"), "a server and a name, such as");
        check(DnsTarget::parse("dns://192.0.2.1/a?type=NOPE"), "a server and a name, such as");
    }
}
