//! What a `ws` check looks at.

use super::target::{TargetError, check_text, is_word, read_authority, shown};
use super::{DialogStep, HttpAuth, Route, SecretSource, TlsRule};
use alloc::string::String;
use alloc::vec::Vec;

/// A WebSocket that must open, and hold a dialog if there is one.
#[derive(Clone, PartialEq, Debug)]
pub struct WsTarget {
    /// An absolute `ws` or `wss` URL.
    pub address: String,
    /// Sent with the request to upgrade, in order; their values may be secrets.
    pub headers: Vec<(String, SecretSource)>,
    /// Who asks; never by way of a token server.
    pub auth: HttpAuth,
    /// What is said once it is open, a message a step.
    pub dialog: Vec<DialogStep>,
    /// How connections get there.
    pub route: Route,
    /// How TLS is spoken.
    pub tls: TlsRule,
}

impl WsTarget {
    /// Reads an absolute `ws` or `wss` URL; everything else has its default.
    pub fn parse(url: &str) -> Result<WsTarget, TargetError> {
        check_text(url)?;
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let (port_default, rest) = match url.split_once("://") {
            Some((scheme, rest)) if is_word(scheme, "ws") => (80, rest),
            Some((scheme, rest)) if is_word(scheme, "wss") => (443, rest),
            _ => {
                let scheme = shown(scheme.or_else(|| url.split(':').next()).unwrap_or(url));
                let expected = "an absolute URL such as `wss://host/path`";
                return Err(TargetError::Scheme { target: shown(url), scheme, expected });
            }
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
        read_authority(url, authority, Some(port_default))?;
        if rest.contains('\\') {
            return Err(TargetError::Host { host: shown(authority), why: "is followed by a backslash; write `/`" });
        }
        Ok(WsTarget {
            address: url.into(),
            headers: Vec::new(),
            auth: HttpAuth::Nobody,
            dialog: Vec::new(),
            route: Route::default(),
            tls: TlsRule::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn only_absolute_urls_of_websockets_are_read() {
        assert_eq!(WsTarget::parse("wss://a.example/x?y").unwrap().address, "wss://a.example/x?y");
        assert!(WsTarget::parse("ws://[::1]:8080").is_ok());
        for (text, why) in [
            ("https://a/", "`wss://host/path`"),
            ("ws:a", "`wss://host/path`"),
            ("wss://", "host"),
            ("ws://u:secret@a/", "user name"),
            ("ws://a:0/", "as its port"),
        ] {
            let message = WsTarget::parse(text).unwrap_err().to_string();
            assert!(message.contains(why) && !message.contains("secret"), "{text}: {message}");
        }
    }
}
