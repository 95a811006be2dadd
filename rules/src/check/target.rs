//! From the text an operator types to a target: `https://host/path`, `tcp:host:port`, `host:port`,
//! `dns://server/name`.
//!
//! One strict reading for configuration, for `nines up` and for `nines check`. It looks at the text
//! alone: it never resolves a name, and it never repairs what it can't read.

use super::{
    DnsTarget, GrpcTarget, HttpOptions, HttpTarget, IcmpTarget, Route, Secured, Security, Target, TcpTarget, TlsRule,
    TlsTarget, UnixTarget, WsTarget,
};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

/// The longest target text: what servers commonly accept as a request line.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;
/// The longest name that the domain name system carries.
const HOST_BYTES_MAX: usize = 253;
/// The longest part of a name between two dots.
const LABEL_BYTES_MAX: usize = 63;

/// A text that is no target; the text is shown with its control characters escaped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// Nothing is there.
    #[error("a target is empty; write `https://host/path` or `tcp:host:port`")]
    Empty,
    /// It is longer than [`TARGET_BYTES_MAX`].
    #[error("a target is {0} bytes long; at most {TARGET_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// It has a space or a control character.
    #[error("the target `{0}` has a space or control character; percent-encode it (`%20`) or leave it out")]
    Space(String),
    /// Its scheme is not one that can be probed, or not the one asked for.
    #[error("the target `{target}` begins with `{scheme}:`; write {expected}")]
    Scheme {
        /// The whole text.
        target: String,
        /// What stands before its first colon.
        scheme: String,
        /// What would be right.
        expected: &'static str,
    },
    /// It has the right scheme, or none, and can't be read all the same.
    #[error("the target `{target}` can't be read; write {expected}")]
    Form {
        /// The whole text.
        target: String,
        /// What would be right.
        expected: &'static str,
    },
    /// It carries a user name or password.
    #[error(
        "the target for host `{0}` carries a user name or password; leave it out and send an `authorization` header"
    )]
    UserInfo(String),
    /// Its host is no name and no address.
    #[error("the host `{host}` of a target {why}")]
    Host {
        /// The host as written.
        host: String,
        /// What is wrong with it, and what would be right.
        why: &'static str,
    },
    /// It is no path of a socket.
    #[error("the socket `{path}` {why}")]
    Socket {
        /// The path as written.
        path: String,
        /// What is wrong with it, and what would be right.
        why: &'static str,
    },
    /// Its port is missing or no number from 1 to 65535.
    #[error("the target `{target}` has {port} as its port; write a number from 1 to 65535")]
    Port {
        /// The whole text.
        target: String,
        /// The port as written, in backquotes, or `nothing`.
        port: String,
    },
}

impl Target {
    /// Reads a target of either kind: a URL, `tcp:host:port`, `tcp://host:port` or `host:port`.
    /// Whatever the text doesn't say has its default.
    pub fn parse(text: &str) -> Result<Target, TargetError> {
        let scheme = text.split(['/', '?', '#']).next().and_then(|head| head.split_once(':')).map(|(scheme, _)| scheme);
        match scheme {
            Some(scheme) if is_word(scheme, "http") || is_word(scheme, "https") => {
                HttpTarget::parse(text).map(Box::new).map(Target::Http)
            }
            Some(scheme) if is_word(scheme, "dns") => DnsTarget::parse(text).map(Box::new).map(Target::Dns),
            Some(scheme) if is_word(scheme, "ws") || is_word(scheme, "wss") => WsTarget::parse(text).map(Target::Ws),
            Some(scheme) if is_word(scheme, "tls") => TlsTarget::parse(text).map(Target::Tls),
            Some(scheme) if is_word(scheme, "unix") => UnixTarget::parse(text).map(Target::Unix),
            Some(scheme) if is_word(scheme, "grpc") || is_word(scheme, "grpcs") => {
                GrpcTarget::parse(text).map(Target::Grpc)
            }
            Some(scheme) if is_word(scheme, "icmp") => IcmpTarget::parse(text).map(Target::Icmp),
            _ => TcpTarget::parse(text).map(Target::Tcp),
        }
    }
}

impl HttpTarget {
    /// Reads an absolute `http` or `https` URL; everything else has its default.
    pub fn parse(url: &str) -> Result<HttpTarget, TargetError> {
        check_text(url)?;
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(not_http(url));
        };
        let port_default = match scheme {
            _ if is_word(scheme, "http") => 80,
            _ if is_word(scheme, "https") => 443,
            _ => return Err(not_http(url)),
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
        read_authority(url, authority, Some(port_default))?;
        if rest.contains('\\') {
            return Err(TargetError::Host { host: shown(authority), why: "is followed by a backslash; write `/`" });
        }
        Ok(HttpTarget {
            url: url.into(),
            method: "GET".into(),
            headers: Vec::new(),
            body: None,
            valid_status_codes: Vec::new(),
            valid_versions: Vec::new(),
            secured: Secured::default(),
            content: Vec::new(),
            options: HttpOptions::default(),
        })
    }
}

impl TcpTarget {
    /// Reads `host:port`, with or without `tcp:` or `tcp://` before it; an IPv6 address stands in
    /// brackets. [`TcpTarget::address`] is what follows the scheme.
    pub fn parse(text: &str) -> Result<TcpTarget, TargetError> {
        check_text(text)?;
        let address = match text.split_once(':') {
            Some((scheme, rest)) if is_word(scheme, "tcp") => rest.strip_prefix("//").unwrap_or(rest),
            Some((scheme, rest)) if rest.starts_with("//") => {
                let expected = "`http://`, `https://` or `tcp:host:port`";
                return Err(TargetError::Scheme { target: shown(text), scheme: shown(scheme), expected });
            }
            _ => text,
        };
        let (host, port) = read_authority(text, address, None)?;
        Ok(TcpTarget {
            address: address.into(),
            host: host.into(),
            port,
            route: Route::default(),
            security: Security::Plain,
            tls: TlsRule::default(),
            dialog: Vec::new(),
        })
    }
}

fn not_http(url: &str) -> TargetError {
    let expected = "an absolute URL such as `https://host/path`";
    match url.split_once(':') {
        Some((scheme, _)) => TargetError::Scheme { target: shown(url), scheme: shown(scheme), expected },
        None => TargetError::Form { target: shown(url), expected },
    }
}

pub(super) fn check_text(text: &str) -> Result<(), TargetError> {
    match text {
        "" => Err(TargetError::Empty),
        _ if TARGET_BYTES_MAX < text.len() => Err(TargetError::TooLong(text.len())),
        _ if text.chars().any(|c| c.is_whitespace() || c.is_control()) => Err(TargetError::Space(shown(text))),
        _ => Ok(()),
    }
}

/// The host (without brackets) and port of `authority`; `target` is the whole text, for messages.
pub(super) fn read_authority<'a>(
    target: &str,
    authority: &'a str,
    port_default: Option<u16>,
) -> Result<(&'a str, u16), TargetError> {
    let (host, port) = read_host(target, authority)?;
    let no_port = || TargetError::Port { target: shown(target), port: "nothing".into() };
    Ok((host, port.or(port_default).ok_or_else(no_port)?))
}

/// The host (without brackets) and port of `authority`, if it names one; `target` is the whole text,
/// for messages.
pub(super) fn read_host<'a>(target: &str, authority: &'a str) -> Result<(&'a str, Option<u16>), TargetError> {
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(TargetError::UserInfo(shown(host)));
    }
    let (host, port) = split_port(authority);
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => check_ipv6(address)?,
        None => check_host(host)?,
    }
    let no_port = |digits| TargetError::Port { target: shown(target), port: alloc::format!("`{}`", shown(digits)) };
    let port = port.map(|digits| read_port(digits).ok_or_else(|| no_port(digits))).transpose()?;
    Ok((host.trim_matches(['[', ']']), port))
}

/// Splits at the colon that follows the host: the last one, unless it stands within brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn read_port(digits: &str) -> Option<u16> {
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&port| decimal && port != 0)
}

fn check_ipv6(address: &str) -> Result<(), TargetError> {
    match address.parse::<Ipv6Addr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(TargetError::Host { host: shown(address), why: "is no IPv6 address such as `[2001:db8::1]`" }),
    }
}

fn check_host(host: &str) -> Result<(), TargetError> {
    let refuse = |why| Err(TargetError::Host { host: shown(host), why });
    // A name may end with the root's dot.
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or("");
    match name {
        "" => refuse("is empty; write a name or an address"),
        _ if HOST_BYTES_MAX < name.len() => refuse("is longer than 253 bytes"),
        _ if name.contains(':') => refuse("has a colon; an IPv6 address stands in brackets, such as `[::1]`"),
        _ if !name.split('.').all(is_label) => {
            refuse("is no name: between dots stand 1 to 63 letters, digits or inner `-`")
        }
        _ if looks_numeric(last) && name.parse::<Ipv4Addr>().is_err() => {
            refuse("ends in a number but is no IPv4 address such as `192.0.2.1`")
        }
        _ => Ok(()),
    }
}

fn is_label(label: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let inner = !label.starts_with('-') && !label.ends_with('-');
    !label.is_empty() && label.len() <= LABEL_BYTES_MAX && label.chars().all(letter) && inner
}

/// Whether URL readers would take a host that ends so for an IPv4 address.
fn looks_numeric(label: &str) -> bool {
    let digits = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match digits {
        Some(hex) => hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

pub(super) fn is_word(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

/// `text` as a message may carry it: without user name and password, control characters escaped,
/// cut after 200 characters.
pub(super) fn shown(text: &str) -> String {
    let (user, rest) = text.rsplit_once('@').map_or(("", text), |(_, rest)| ("…@", rest));
    user.chars().chain(rest.chars()).take(200).flat_map(crate::evidence::escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_url_is_an_http_target_with_every_default() {
        for url in [
            "http://a",
            "HTTPS://a.example:8443/x?y#z",
            "http://192.0.2.1/",
            "http://[::1]:80?q",
            "https://한국.example/길",
            "http://a.example./",
        ] {
            let Target::Http(target) = Target::parse(url).unwrap() else { panic!("{url} is no http target") };
            assert_eq!((target.url.as_str(), target.method.as_str()), (url, "GET"));
        }
    }

    #[test]
    fn a_host_and_port_is_a_tcp_target() {
        let check = |text: &str, host: &str, port: u16| {
            let Target::Tcp(target) = Target::parse(text).unwrap() else { panic!("{text} is no tcp target") };
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
        };
        check("tcp:db.example:5432", "db.example", 5432);
        check("tcp://db:1", "db", 1);
        check("localhost:65535", "localhost", 65535);
        check("127.0.0.1:80", "127.0.0.1", 80);
        check("[::1]:53", "::1", 53);
        check("tcp:[2001:db8::1]:53", "2001:db8::1", 53);
        assert_eq!(Target::parse("tcp:db.example:5432").unwrap().address(), "db.example:5432");
    }

    #[test]
    fn what_is_no_target_is_refused_with_what_would_be_right() {
        let check = |text: &str, part: &str| {
            let message = Target::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text:?}: {message}");
        };
        check("", "empty; write `https://host/path`");
        check("ftp://a/", "begins with `ftp:`; write `http://`");
        check("http:/a", "an absolute URL such as");
        check("http://", "is empty; write a name");
        check("http:///path", "is empty; write a name");
        check("http://user:secret@a/", "user name or password");
        check("tcp:me@a:1", "user name or password");
        check("http://a b/", "space or control");
        check("http://a/\n", "space or control character; percent-encode");
        check("http://a:0/", "`0` as its port");
        check("http://a:65536/", "`65536` as its port");
        check("http://a:+1/", "`+1` as its port");
        check("http://a:/", "`` as its port");
        check("tcp:a", "nothing as its port");
        check("a", "nothing as its port");
        check("tcp:::1:80", "in brackets, such as `[::1]`");
        check("http://[::1", "in brackets");
        check("http://[1.2.3.4]/", "no IPv6 address");
        check("http://1.2.3/", "no IPv4 address");
        check("http://0x7f.0.0.0x1/", "no IPv4 address");
        check("http://a..b/", "is no name");
        check("http://-a/", "is no name");
        check("http://a-.b/", "is no name");
        check("http://a\\@b/", "backslash");
        check("http://a%2eb/", "is no name");
    }

    #[test]
    fn a_scheme_names_the_kind_and_the_rest_is_as_that_kind_has_it() {
        let check = |text: &str, kind: &str, address: &str| {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.kind(), target.address()), (kind, address), "{text}");
        };
        check("tls:a.example:443", "tls", "a.example:443");
        check("tls://[::1]:443", "tls", "[::1]:443");
        check("WSS://a.example/x", "ws", "WSS://a.example/x");
        check("unix:/run/a.sock", "unix", "/run/a.sock");
        check("unix:@a", "unix", "@a");
        check("a.example:443", "tcp", "a.example:443");
    }

    #[test]
    fn a_password_is_never_repeated() {
        for text in ["https://user:secret@a.example/", "ftp://user:secret@a/", "http://user:secret@a b/"] {
            let message = Target::parse(text).unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn a_message_is_bounded_and_carries_no_control_character() {
        let hostile = alloc::format!("ftp://\u{1b}[2J{}", "x".repeat(5_000));
        let message = Target::parse(&hostile).unwrap_err().to_string();
        assert!(message.len() < 400 && !message.contains('\u{1b}'), "{message}");
    }
}
