//! How HTTP is spoken, whatever is asked and expected: the same for every kind that speaks it.

use crate::check::{BODY_BYTES_DEFAULT, Route, Secret, SecretSource, TlsRule};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// How HTTP is spoken.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpOptions {
    /// How connections get there.
    pub route: Route,
    /// How the certificate is judged.
    pub tls: TlsRule,
    /// Which versions are offered.
    pub versions: HttpVersions,
    /// Whether a proxy stands between.
    pub proxy: Proxy,
    /// Who asks.
    pub auth: HttpAuth,
    /// The encoding that is asked for and undone; absent: none is asked for, and none is undone.
    pub compression: Option<Compression>,
    /// Whether redirects are followed, [`crate::check::REDIRECTS_MAX`] at most.
    pub redirects: Redirects,
    /// A body larger than this, once its compression is undone, fails.
    pub body_bytes_max: u64,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            route: Route::default(),
            tls: TlsRule::default(),
            versions: HttpVersions::default(),
            proxy: Proxy::default(),
            auth: HttpAuth::default(),
            compression: None,
            redirects: Redirects::default(),
            body_bytes_max: BODY_BYTES_DEFAULT,
        }
    }
}

/// Which versions of HTTP are offered to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HttpVersions {
    /// HTTP/1.1: `enable_http2: false`.
    Http1,
    /// Over TLS HTTP/2, or else HTTP/1.1; without TLS HTTP/1.1.
    #[default]
    Http2OrHttp1,
    /// HTTP/3 over QUIC and nothing else: `enable_http3`.
    Http3,
}

/// Whether a redirect is an answer or a way to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Redirects {
    /// They are followed and the last answer is judged.
    #[default]
    Follow,
    /// The first answer is judged.
    Stop,
}

/// An encoding of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// As the program gzip writes it.
    Gzip,
    /// Brotli.
    Brotli,
    /// Deflate, bare or within zlib's frame.
    Deflate,
    /// None: asked for by name, and nothing is undone.
    Identity,
}

impl Compression {
    /// The word in configuration and in the header `Accept-Encoding`.
    pub fn as_str(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Brotli => "br",
            Compression::Deflate => "deflate",
            Compression::Identity => "identity",
        }
    }
}

/// Whether a proxy stands between.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Proxy {
    /// Which one.
    pub choice: ProxyChoice,
    /// Sent to it with a request for a tunnel, in order.
    pub connect_headers: Vec<(String, Secret)>,
    /// Who turns the target's name into an address.
    pub resolved_by: ResolvedBy,
}

/// Which proxy stands between.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ProxyChoice {
    /// None.
    #[default]
    Direct,
    /// This one, but for the hosts of `except`.
    At {
        /// An `http`, `https` or `socks5` URL; it may carry a user name and password.
        url: Secret,
        /// Hosts, domains and networks that are reached without it, separated by commas.
        except: Option<String>,
    },
    /// The one that the agent's environment names: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`.
    FromEnvironment,
}

/// Who turns a target's name into an address when a proxy stands between.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ResolvedBy {
    /// The agent does, and asks the proxy for the address.
    #[default]
    Agent,
    /// The proxy is asked for the name: `skip_resolve_phase_with_proxy`.
    Proxy,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum HttpAuth {
    /// Nobody in particular.
    #[default]
    Nobody,
    /// A user with a password.
    Basic {
        /// The user's name.
        username: SecretSource,
        /// The password; absent: an empty one.
        password: Option<SecretSource>,
    },
    /// Whoever holds this: the header `Authorization` as `scheme credentials`.
    Credentials {
        /// `Bearer`, for the most part.
        scheme: String,
        /// What follows it.
        credentials: SecretSource,
    },
    /// Whoever a token server says, by client credentials.
    OAuth2(Box<OAuth2>),
}

/// How a token is had by client credentials (RFC 6749, section 4.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OAuth2 {
    /// Where tokens are given out: an absolute `http` or `https` URL.
    pub token_url: String,
    /// The client's name there.
    pub client_id: String,
    /// The client's secret there.
    pub client_secret: SecretSource,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What else the token server wants to be told, in order.
    pub endpoint_params: Vec<(String, Secret)>,
    /// How the token server's certificate is judged.
    pub tls: TlsRule,
    /// Whether a proxy stands before the token server.
    pub proxy: Proxy,
}
