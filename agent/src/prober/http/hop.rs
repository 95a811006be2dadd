//! Where a request goes: the URL that is asked for, or one that a redirect names.

use crate::prober::resolve::Host;
use crate::prober::trace::Break;
use http::{HeaderValue, Uri};
use rules::check::target::TARGET_BYTES_MAX;
use rules::evidence::Fault;
use rustls::pki_types::ServerName;
use url::{Position, Url};

/// A place that a request goes to, read once.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    url: Url,
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// What stands in the `Host` header.
    pub(crate) authority: HeaderValue,
    /// What stands in the request line: path and query.
    pub(crate) uri: Uri,
    /// The name to verify instead of the host.
    server_name: Option<String>,
}

/// With TLS or without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Hop {
    /// The place that `url` names.
    pub(crate) fn read(url: &str) -> Result<Hop, Break> {
        let refuse = |why: &str| Break::new(Fault::Instruction, &format!("the URL can't be asked for: {why}"));
        let url = Url::parse(url).map_err(|error| refuse(&error.to_string()))?;
        Hop::to(url).map_err(refuse)
    }

    /// The same place with `name` to verify instead of the host.
    pub(crate) fn named(self, name: Option<String>) -> Hop {
        Hop { server_name: name, ..self }
    }

    /// The same place over TLS.
    pub(crate) fn secured(self) -> Hop {
        let mut url = self.url.clone();
        match url.set_scheme("https").ok().and_then(|()| Hop::to(url).ok()) {
            Some(hop) => hop.named(self.server_name),
            None => self,
        }
    }

    /// Where `location` leads from here.
    pub(crate) fn follow(&self, location: &str) -> Result<Hop, Break> {
        if TARGET_BYTES_MAX < location.len() {
            let detail = format!("a redirect to a place of more than {TARGET_BYTES_MAX} bytes");
            return Err(Break::new(Fault::Redirect, &detail));
        }
        let refuse = |why: &str| Break::new(Fault::Redirect, &format!("a redirect to `{location}`: {why}"));
        let url = self.url.join(location).map_err(|error| refuse(&error.to_string()))?;
        let mut hop = Hop::to(url).map_err(refuse)?;
        if hop.url.host() == self.url.host() {
            hop.server_name.clone_from(&self.server_name);
        }
        Ok(hop)
    }

    fn to(url: Url) -> Result<Hop, &'static str> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err("only http and https can be asked for"),
        };
        let host = match url.host().ok_or("it has no host")? {
            url::Host::Ipv4(address) => Host::Address(address.into()),
            url::Host::Ipv6(address) => Host::Address(address.into()),
            url::Host::Domain(name) => Host::read(name).map_err(|_| "its host is no name")?,
        };
        let port = url.port_or_known_default().filter(|&port| port != 0).ok_or("it has no port")?;
        let authority = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
        let uri = url[Position::BeforePath..Position::AfterQuery].parse();
        Ok(Hop {
            scheme,
            host,
            port,
            authority: authority.map_err(|_| "its host is no name")?,
            uri: uri.map_err(|_| "its path can't be sent")?,
            server_name: None,
            url,
        })
    }

    /// The URL.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The host, without brackets.
    pub(crate) fn host_text(&self) -> &str {
        self.url.host_str().unwrap_or("").trim_matches(['[', ']'])
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    /// Whether what was meant for here may be told there.
    pub(crate) fn trusts(&self, other: &Hop) -> bool {
        let weaker = self.scheme == Scheme::Https && other.scheme == Scheme::Http;
        self.url.host() == other.url.host() && !weaker
    }

    /// The name that the certificate must be for, as text.
    pub(crate) fn verified_name(&self) -> &str {
        self.server_name.as_deref().unwrap_or(self.host_text())
    }

    /// The name that the certificate must be for.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, Break> {
        let name = self.verified_name();
        ServerName::try_from(name.to_owned())
            .map_err(|error| Break::new(Fault::Instruction, &format!("the server name `{name}`: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(url: &str) -> Hop {
        Hop::read(url).unwrap()
    }

    #[test]
    fn a_request_line_holds_path_and_query_and_the_host_header_the_rest() {
        let check = |url: &str, uri: &str, authority: &str, port: u16| {
            let hop = hop(url);
            assert_eq!(
                (hop.uri.to_string().as_str(), hop.authority.to_str().unwrap(), hop.port),
                (uri, authority, port)
            );
        };
        check("http://a.example", "/", "a.example", 80);
        check("https://a.example:8443/x?y=1#z", "/x?y=1", "a.example:8443", 8443);
        check("https://[::1]:443/길", "/%EA%B8%B8", "[::1]", 443);
        check("http://한국.example/", "/", "xn--3e0b707e.example", 80);
    }

    #[test]
    fn a_redirect_is_read_against_where_it_came_from() {
        let check = |location: &str, expected: &str| {
            assert_eq!(hop("https://a.example/x/y?q").follow(location).unwrap().url.as_str(), expected);
        };
        check("z", "https://a.example/x/z");
        check("//b.example/", "https://b.example/");
        check("http://b.example:8080", "http://b.example:8080/");
        for bad in ["ftp://a/", "file:///etc/passwd", "http://", "http://a:0/"] {
            assert_eq!(hop("http://a/").follow(bad).unwrap_err().fault, Fault::Redirect, "{bad}");
        }
    }

    #[test]
    fn only_the_same_host_without_loss_of_tls_is_trusted() {
        let check = |from: &str, to: &str, expected: bool| assert_eq!(hop(from).trusts(&hop(to)), expected);
        check("http://a/", "https://a/x", true);
        check("https://a/", "http://a/", false);
        check("https://a/", "https://b/", false);
    }
}
