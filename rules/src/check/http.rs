//! What an `http` check looks at.

mod options;

pub use options::{
    Compression, HttpAuth, HttpOptions, HttpVersions, OAuth2, Proxy, ProxyChoice, Redirects, ResolvedBy,
};

use super::{ContentRule, SecretSource};
use crate::evidence::HttpVersion;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

/// A page and what is expected of it. The names are blackbox_exporter's where it has them.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpTarget {
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// `GET` unless said otherwise.
    pub method: String,
    /// Sent with the request, in order; their values may be secrets.
    pub headers: Vec<(String, SecretSource)>,
    /// Sent with the request.
    pub body: Option<SecretSource>,
    /// Statuses that are up; empty: 200 to 299.
    pub valid_status_codes: Vec<RangeInclusive<u16>>,
    /// Versions of HTTP that are up; empty: all.
    pub valid_versions: Vec<HttpVersion>,
    /// Whether the last answer must come over TLS.
    pub secured: Secured,
    /// Content that must or must not be there.
    pub content: Vec<ContentRule>,
    /// How HTTP is spoken.
    pub options: HttpOptions,
}

/// Whether the last answer must come over TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Secured {
    /// Either way is good.
    #[default]
    Either,
    /// An answer without TLS is down: `fail_if_not_ssl`.
    Required,
    /// An answer over TLS is down: `fail_if_ssl`.
    Refused,
}
