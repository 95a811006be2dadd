//! What a `grpc` check looks at: the health protocol of a server, for the whole of it or for one service.

use super::target::{TargetError, check_text, read_host};
use super::{Route, TlsRule};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The port of a server without TLS that names none, as in blackbox_exporter.
const PORT: u16 = 80;
/// The port of a server with TLS that names none.
const PORT_TLS: u16 = 443;

/// A service that answers the gRPC health protocol. The names are blackbox_exporter's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrpcTarget {
    /// `host[:port]`, as written; an IPv6 address stands in brackets.
    pub address: String,
    /// The host of `address`, without brackets.
    pub host: String,
    /// The port of `address`; absent: 443 with TLS, 80 without.
    pub port: Option<u16>,
    /// The service that is asked after; empty: the server as a whole.
    pub service: String,
    /// How the certificate is judged; absent: HTTP/2 in plain text.
    pub tls: Option<TlsRule>,
    /// Sent with the request, in order.
    pub metadata: Metadata,
    /// How connections get there.
    pub route: Route,
}

/// What is sent beside a request, names in lower case. It may be a secret: Debug shows names alone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Metadata(pub Vec<(String, String)>);

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, _)| (name, format_args!("[redacted]")))).finish()
    }
}

impl GrpcTarget {
    /// Reads `host[:port]`, with or without `grpc:` before it, or `grpcs:` for TLS; behind a `/` a
    /// service may stand. Everything else has its default.
    pub fn parse(text: &str) -> Result<GrpcTarget, TargetError> {
        check_text(text)?;
        let is = |scheme: &str, word: &str| scheme.eq_ignore_ascii_case(word);
        let (rest, tls) = match text.split_once(':') {
            Some((scheme, rest)) if is(scheme, "grpc") => (rest, None),
            Some((scheme, rest)) if is(scheme, "grpcs") => (rest, Some(TlsRule::default())),
            _ => (text, None),
        };
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (address, service) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = read_host(text, address)?;
        Ok(GrpcTarget {
            address: address.into(),
            host: host.into(),
            port,
            service: service.into(),
            tls,
            metadata: Metadata::default(),
            route: Route::default(),
        })
    }

    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls.is_some() { PORT_TLS } else { PORT })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    #[test]
    fn a_target_names_its_server_and_perhaps_tls_and_a_service() {
        let check = |text: &str, host: &str, port, is_tls, service: &str| {
            let target = GrpcTarget::parse(text).unwrap();
            assert_eq!((target.host.as_str(), target.port(), target.tls.is_some()), (host, port, is_tls), "{text}");
            assert_eq!(target.service, service);
        };
        check("grpc:a.example:50051", "a.example", 50051, false, "");
        check("grpc://a.example:50051/shop.Orders", "a.example", 50051, false, "shop.Orders");
        check("grpcs:[::1]:1", "::1", 1, true, "");
        check("grpcs:a.example", "a.example", 443, true, "");
        check("a.example", "a.example", 80, false, "");
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in ["grpc:", "grpc:a:0", "grpc:a b:1", "grpc:me@a:1"] {
            assert!(!GrpcTarget::parse(text).unwrap_err().to_string().is_empty(), "{text}");
        }
    }

    #[test]
    fn metadata_is_not_shown_when_debugged() {
        let shown = format!("{:?}", Metadata([("authorization".into(), "hunter2".into())].into()));
        assert!(shown.contains("authorization") && !shown.contains("hunter2"), "{shown}");
    }
}
