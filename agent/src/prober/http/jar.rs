//! The cookies of one probe: taken from answers, sent with later requests, forgotten with the probe.
//!
//! As RFC 6265 has it, but without a list of public suffixes: a cookie for a domain without a dot is
//! kept for the host alone.

use super::hop::{Hop, Scheme};
use http::HeaderValue;
use rules::time::Timestamp;

/// How many cookies of a probe are kept, and how long one may be: what browsers keep for a site.
const COOKIES_MAX: usize = 50;
const COOKIE_BYTES_MAX: usize = 4096;

/// The cookies of one probe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(Vec<Cookie>);

#[derive(Clone, Debug)]
struct Cookie {
    name: Vec<u8>,
    /// Name and value, as they are sent.
    pair: Vec<u8>,
    host: String,
    below: Below,
    path: String,
    only_secured: Scheme,
}

/// Whether hosts below a cookie's own get it too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Below {
    Yes,
    No,
}

impl Jar {
    /// Takes the cookie that `header` sets at `hop`.
    pub(super) fn take(&mut self, header: &HeaderValue, hop: &Hop, now: Timestamp) {
        let bytes = header.as_bytes();
        if COOKIE_BYTES_MAX < bytes.len() {
            return;
        }
        let mut parts = bytes.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let pair = parts.next().unwrap_or(b"");
        let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { return };
        let name = pair[..equals].trim_ascii().to_vec();
        let mut cookie = Cookie {
            name,
            pair: pair.to_vec(),
            host: hop.host_text().to_ascii_lowercase(),
            below: Below::No,
            path: default_path(hop.path()).to_owned(),
            only_secured: Scheme::Http,
        };
        let mut age = None;
        let mut expired = false;
        for part in parts {
            let part = String::from_utf8_lossy(part);
            let (key, value) = part.split_once('=').unwrap_or((&part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" if !cookie.set_domain(value) => return,
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.only_secured = Scheme::Https,
                "max-age" => age = value.parse::<i64>().ok(),
                "expires" => expired = super::date::read(value.as_bytes()).is_some_and(|then| then <= now),
                _ => {}
            }
        }
        let same =
            |known: &Cookie| (&known.name, &known.host, &known.path) == (&cookie.name, &cookie.host, &cookie.path);
        self.0.retain(|known| !same(known));
        let is_over = age.map_or(expired, |age| age <= 0);
        if !is_over && self.0.len() < COOKIES_MAX {
            self.0.push(cookie);
        }
    }

    /// What goes with a request to `hop`, after `own`, which the check itself sends.
    pub(super) fn header(&self, hop: &Hop, own: Option<&HeaderValue>) -> Option<HeaderValue> {
        let mut fitting: Vec<&Cookie> = self.0.iter().filter(|cookie| cookie.fits(hop)).collect();
        if fitting.is_empty() {
            return None;
        }
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs = own.map(HeaderValue::as_bytes).into_iter();
        let pairs: Vec<&[u8]> = pairs.chain(fitting.into_iter().map(|cookie| &cookie.pair[..])).collect();
        HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok()
    }
}

impl Cookie {
    /// Widens the cookie to a domain; refused if its host is not within.
    fn set_domain(&mut self, domain: &str) -> bool {
        let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
        if domain.is_empty() || domain == self.host {
            let named = !domain.is_empty() && domain.contains('.') && domain.parse::<std::net::IpAddr>().is_err();
            self.below = if named { Below::Yes } else { Below::No };
            return true;
        }
        let within = domain.contains('.') && is_below(&self.host, &domain);
        self.host = domain;
        self.below = Below::Yes;
        within
    }

    fn fits(&self, hop: &Hop) -> bool {
        let host = hop.host_text().to_ascii_lowercase();
        let at_home = host == self.host || (self.below == Below::Yes && is_below(&host, &self.host));
        let secured = self.only_secured == Scheme::Http || hop.scheme == Scheme::Https;
        at_home && secured && is_within(hop.path(), &self.path)
    }
}

/// Whether `host` is a name below `domain`; an address is below nothing.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')) && host.parse::<std::net::IpAddr>().is_err()
}

/// The path of a cookie that names none: up to the request's last slash.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(last) => &path[..last],
    }
}

fn is_within(path: &str, cookie: &str) -> bool {
    path.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent to `to` after `from` set `cookies` at noon.
    fn sent(from: &str, cookies: &[&'static str], to: &str) -> Option<String> {
        let mut jar = Jar::default();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        for cookie in cookies {
            jar.take(&HeaderValue::from_static(cookie), &Hop::read(from).unwrap(), now);
        }
        jar.header(&Hop::read(to).unwrap(), None).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_goes_where_it_belongs_and_nowhere_else() {
        let check = |from: &str, cookie: &'static str, to: &str, expected: bool| {
            assert_eq!(sent(from, &[cookie], to).is_some(), expected, "{from} {cookie} {to}");
        };
        check("http://a.example/", "s=1", "http://a.example/x", true);
        check("http://a.example/", "s=1", "http://b.example/", false);
        check("http://a.example/", "s=1", "http://x.a.example/", false);
        check("http://x.a.example/", "s=1; Domain=.a.example", "http://y.a.example/", true);
        check("http://x.a.example/", "s=1; domain=A.example", "http://a.example/", true);
        check("http://a.example/", "s=1; Domain=b.example", "http://b.example/", false);
        check("http://a.example/", "s=1; Domain=example", "http://b.example/", false);
        check("http://127.0.0.1:1/", "s=1; Domain=0.0.1", "http://127.0.0.1/", false);
        check("http://127.0.0.1:1/", "s=1; Domain=127.0.0.1", "http://127.0.0.1:2/", true);
        check("http://a/x/y", "s=1", "http://a/x/z", true);
        check("http://a/x/y", "s=1", "http://a/z", false);
        check("http://a/x/y", "s=1; Path=/", "http://a/z", true);
        check("http://a/", "s=1; Path=/x", "http://a/xy", false);
        check("https://a/", "s=1; Secure", "http://a/", false);
        check("http://a/", "s=1; Secure; HttpOnly", "https://a/", true);
        check("http://a/", "no-pair", "http://a/", false);
    }

    #[test]
    fn a_cookie_is_replaced_by_its_like_and_ends_when_it_says() {
        assert_eq!(sent("http://a/", &["s=1", "t=2", "s=3"], "http://a/").as_deref(), Some("t=2; s=3"));
        for end in ["s=; Max-Age=0", "s=; max-age=-1", "s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(sent("http://a/", &["s=1", end], "http://a/"), None, "{end}");
        }
        assert!(sent("http://a/", &["s=1; Expires=Sun, 22 Nov 2026 12:00:01 GMT"], "http://a/").is_some());
        assert!(sent("http://a/", &["s=1; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "http://a/").is_some());
    }

    #[test]
    fn a_jar_has_an_end() {
        let mut jar = Jar::default();
        let hop = Hop::read("http://a/").unwrap();
        for number in 0..1000 {
            jar.take(&HeaderValue::from_str(&format!("c{number}=1")).unwrap(), &hop, Timestamp::from_millis(0));
        }
        assert_eq!(jar.0.len(), COOKIES_MAX);
    }
}
