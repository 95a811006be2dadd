//! Which proxy stands before a place, if one does: by the options or by the agent's environment, less
//! the places that are reached without.
//!
//! The exceptions are read as Go's programs read `NO_PROXY`: `*`, a host with what is below it, `.host`
//! with only what is below it, an address or a network, each with or without a port. Where there are
//! exceptions, this machine itself is one.

use super::hop::{Hop, Scheme};
use crate::prober::resolve::Host;
use crate::prober::trace::Break;
use rules::check::{Proxy, ProxyChoice, Secret};
use rules::evidence::Fault;
use std::net::IpAddr;
use url::Url;

/// The proxies of a client.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    plain: Option<Server>,
    secured: Option<Server>,
    except: Option<Vec<Exception>>,
}

/// A proxy.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) speaks: Speaks,
    pub(super) host: Host,
    pub(super) name: String,
    pub(super) port: u16,
    /// A user name and password.
    pub(super) who: Option<(Secret, Secret)>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Speaks {
    Http,
    Https,
    Socks5,
}

/// A place that is reached without a proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Exception {
    place: Place,
    port: Option<u16>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Everywhere,
    /// A name, or any below it.
    Within(String),
    /// Any name below this.
    Below(String),
    /// A network, by its first address and the length of its prefix.
    Network(IpAddr, u8),
}

impl Proxies {
    /// Reads what `proxy` says; the environment is looked at now.
    pub(super) fn prepare(proxy: &Proxy) -> Result<Proxies, Break> {
        match &proxy.choice {
            ProxyChoice::Direct => Ok(Proxies::default()),
            ProxyChoice::At { url, except } => {
                let server = Server::read("`proxy_url`", url.expose())?;
                let except = except.as_deref().map(exceptions);
                Ok(Proxies { plain: Some(server.clone()), secured: Some(server), except })
            }
            ProxyChoice::FromEnvironment => Proxies::named(|name| std::env::var(name).ok()),
        }
    }

    /// The proxies that an environment names.
    fn named(variable: impl Fn(&str) -> Option<String>) -> Result<Proxies, Break> {
        let of = |name: &str| {
            let value = variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
            value.filter(|value| !value.is_empty())
        };
        let server = |name: &str| of(name).map(|url| Server::read(name, &url)).transpose();
        let except = of("NO_PROXY").unwrap_or_default();
        Ok(Proxies { plain: server("HTTP_PROXY")?, secured: server("HTTPS_PROXY")?, except: Some(exceptions(&except)) })
    }

    /// The proxy before `to`.
    pub(super) fn before(&self, to: &Hop) -> Option<&Server> {
        let server = match to.scheme {
            Scheme::Http => self.plain.as_ref(),
            Scheme::Https => self.secured.as_ref(),
        }?;
        let Some(except) = &self.except else { return Some(server) };
        let host = to.host_text().to_ascii_lowercase();
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let excepted = here || except.iter().any(|exception| exception.holds(&host, to.port));
        (!excepted).then_some(server)
    }
}

impl Server {
    fn read(what: &str, url: &str) -> Result<Server, Break> {
        // The URL may carry a password: it is never said.
        let refuse = |why: &str| Break::new(Fault::Instruction, &format!("{what} names no proxy: {why}"));
        let with_scheme = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let url = Url::parse(&with_scheme).map_err(|error| refuse(&error.to_string()))?;
        let (speaks, port_default) = match url.scheme() {
            "http" => (Speaks::Http, 80),
            "https" => (Speaks::Https, 443),
            "socks5" | "socks5h" => (Speaks::Socks5, 1080),
            _ => return Err(refuse("its scheme is not http, https or socks5")),
        };
        let name = url.host_str().unwrap_or("").trim_matches(['[', ']']).to_owned();
        let host = Host::read(&name).map_err(|_| refuse("it has no host"))?;
        let decoded = |text: &str| percent_decoded(text).map(Secret::new).ok_or_else(|| refuse("its user is no text"));
        let who = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some((decoded(user)?, decoded(password.unwrap_or(""))?)),
        };
        Ok(Server { speaks, host, name, port: url.port().unwrap_or(port_default), who })
    }

    /// Its host and port, for messages.
    pub(super) fn place(&self) -> String {
        authority(&self.name, self.port)
    }
}

/// A host and port as a request line has them.
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        (bytes, rest) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                (bytes, after)
            }
            (byte, after) => {
                bytes.push(*byte);
                (bytes, after)
            }
        };
    }
    String::from_utf8(bytes).ok()
}

fn exceptions(text: &str) -> Vec<Exception> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).filter_map(exception).collect()
}

/// One entry; one that can't be read stands for nothing, as in other programs.
fn exception(entry: &str) -> Option<Exception> {
    let entry = entry.to_ascii_lowercase();
    if entry == "*" {
        return Some(Exception { place: Place::Everywhere, port: None });
    }
    if let Some((address, length)) = entry.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let length = length.parse().ok().filter(|length| *length <= bits(address).1)?;
        return Some(Exception { place: Place::Network(address, length), port: None });
    }
    let whole = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if whole(&entry).is_none() => (host.to_owned(), Some(port.parse().ok()?)),
        _ => (entry, None),
    };
    let place = match whole(&host) {
        Some(address) => Place::Network(address, bits(address).1),
        None => match host.strip_prefix("*.").or_else(|| host.strip_prefix('.')) {
            Some(domain) => Place::Below(domain.to_owned()),
            None => Place::Within(host),
        },
    };
    Some(Exception { place, port })
}

impl Exception {
    fn holds(&self, host: &str, port: u16) -> bool {
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        let there = match &self.place {
            Place::Everywhere => true,
            Place::Within(domain) => host == domain || below(domain),
            Place::Below(domain) => below(domain),
            Place::Network(network, length) => {
                host.parse().is_ok_and(|address: IpAddr| is_in(address, *network, *length))
            }
        };
        there && self.port.is_none_or(|own| own == port)
    }
}

fn is_in(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let ((address, width), (network, same)) = (bits(address), bits(network));
    let rest = u32::from(width - length.min(width));
    width == same && address.checked_shr(rest).unwrap_or(0) == network.checked_shr(rest).unwrap_or(0)
}

/// An address as a number, and of how many bits.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(except: Option<&str>) -> Proxies {
        let url = Secret::new("http://proxy.example:3128");
        let choice = ProxyChoice::At { url, except: except.map(str::to_owned) };
        Proxies::prepare(&Proxy { choice, ..Proxy::default() }).unwrap()
    }

    #[test]
    fn an_exception_is_reached_without_the_proxy() {
        let check = |except: &str, url: &str, proxied: bool| {
            let proxies = at(Some(except));
            assert_eq!(proxies.before(&Hop::read(url).unwrap()).is_some(), proxied, "{except} {url}");
        };
        check("*", "http://a/", false);
        check("a.example", "http://a.example/", false);
        check("a.example", "http://x.A.example/", false);
        check("a.example", "http://ba.example/", true);
        check(".a.example", "http://a.example/", true);
        check("*.a.example, b", "http://x.a.example/", false);
        check("a:8080", "http://a/", true);
        check("a:8080", "http://a:8080/", false);
        check("10.0.0.0/8", "http://10.2.3.4/", false);
        check("10.0.0.0/8", "http://11.2.3.4/", true);
        check("0.0.0.0/0", "http://[2001:db8::1]/", true);
        check("2001:db8::/32", "http://[2001:db8::1]/", false);
        check("192.0.2.1", "http://192.0.2.1:81/", false);
        check("nonsense/99,:x", "http://a/", true);
        check("b", "http://localhost/", false);
        check("b", "http://127.0.0.9/", false);
    }

    #[test]
    fn without_exceptions_this_machine_too_is_reached_through_the_proxy() {
        assert!(at(None).before(&Hop::read("http://localhost/").unwrap()).is_some());
    }

    #[test]
    fn the_environment_names_a_proxy_for_each_scheme() {
        let variables = |name: &str| match name {
            "http_proxy" => Some("plain:1".to_owned()),
            "HTTPS_PROXY" => Some("socks5://me:p%40ss@secure".to_owned()),
            _ => None,
        };
        let proxies = Proxies::named(variables).unwrap();
        let plain = proxies.before(&Hop::read("http://a/").unwrap()).unwrap();
        assert_eq!((plain.speaks, plain.place().as_str()), (Speaks::Http, "plain:1"));
        let secured = proxies.before(&Hop::read("https://a/").unwrap()).unwrap();
        assert_eq!((secured.speaks, secured.place().as_str()), (Speaks::Socks5, "secure:1080"));
        let (user, password) = secured.who.as_ref().unwrap();
        assert_eq!((user.expose(), password.expose()), ("me", "p@ss"));
        assert!(proxies.before(&Hop::read("http://localhost/").unwrap()).is_none());
    }

    #[test]
    fn a_url_that_names_no_proxy_is_refused_without_its_password() {
        for url in ["ftp://me:secret@a", "http://me:secret@", "http://me:secret@a:99999"] {
            let broken = Server::read("`proxy_url`", url).unwrap_err();
            assert!(!broken.detail.as_str().contains("secret"), "{}", broken.detail);
        }
    }
}
