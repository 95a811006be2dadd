//! What a `tls` check looks at.

use super::target::{TargetError, check_text, is_word, read_authority};
use super::{Route, StartTls, TlsRule};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A port that speaks TLS, and what is expected of its certificate.
#[derive(Clone, PartialEq, Debug)]
pub struct TlsTarget {
    /// `host:port`, as written; an IPv6 address stands in brackets.
    pub address: String,
    /// The host of `address`, without brackets.
    pub host: String,
    /// The port of `address`.
    pub port: u16,
    /// The protocol that leads to TLS; absent: TLS is spoken from the start.
    pub starttls: Option<StartTls>,
    /// How long the chain must still be valid; nothing: until now will do.
    pub expires_in_at_least: Duration,
    /// Names that the certificate must be valid for, besides the one that is verified.
    pub names: Vec<String>,
    /// The certificate must be one of these, by the SHA-256 of its DER; empty: any.
    pub fingerprints: Vec<[u8; 32]>,
    /// How connections get there.
    pub route: Route,
    /// How TLS is spoken, and whether the chain is verified.
    pub tls: TlsRule,
}

impl TlsTarget {
    /// Reads `host:port`, with or without `tls:` or `tls://` before it.
    pub fn parse(text: &str) -> Result<TlsTarget, TargetError> {
        check_text(text)?;
        let address = match text.split_once(':') {
            Some((scheme, rest)) if is_word(scheme, "tls") => rest.strip_prefix("//").unwrap_or(rest),
            _ => text,
        };
        let (host, port) = read_authority(text, address, None)?;
        Ok(TlsTarget {
            address: address.into(),
            host: host.into(),
            port,
            starttls: None,
            expires_in_at_least: Duration::ZERO,
            names: Vec::new(),
            fingerprints: Vec::new(),
            route: Route::default(),
            tls: TlsRule::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_read_with_and_without_its_scheme() {
        for text in ["tls:a.example:443", "tls://a.example:443", "a.example:443"] {
            let target = TlsTarget::parse(text).unwrap();
            assert_eq!((target.host.as_str(), target.port), ("a.example", 443), "{text}");
            assert_eq!(target.address, "a.example:443");
        }
        assert!(matches!(TlsTarget::parse("tls:a.example"), Err(TargetError::Port { .. })));
    }
}
