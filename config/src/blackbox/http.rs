//! The `http` part of a module.

use super::client::{Client, canonical};
use super::module::HeaderText;
use super::quantity;
use super::regexp::Regexp;
use super::shape::{Bytes, Field, Reading, Record, Visit};
use super::shown::Shown;
use super::yaml::Node;
use std::collections::BTreeMap;

/// `http`.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpModule {
    /// Statuses that are up; empty: 200 to 299.
    pub valid_status_codes: Vec<i64>,
    /// Versions that are up; empty: all.
    pub valid_http_versions: Vec<String>,
    /// `ip4` or `ip6`; empty: `ip6`.
    pub preferred_ip_protocol: String,
    /// Whether the other family will do.
    pub ip_protocol_fallback: bool,
    /// Whether a proxy resolves the name.
    pub skip_resolve_phase_with_proxy: bool,
    /// Deprecated; [`Client::follow_redirects`] has its meaning.
    pub no_follow_redirects: Option<bool>,
    /// Whether TLS at the end is a failure.
    pub fail_if_ssl: bool,
    /// Whether no TLS at the end is a failure.
    pub fail_if_not_ssl: bool,
    /// `GET` if empty.
    pub method: String,
    /// Sent with the request.
    pub headers: BTreeMap<String, HeaderText>,
    /// The body must not match any.
    pub fail_if_body_matches_regexp: Vec<Regexp>,
    /// The body must match each.
    pub fail_if_body_not_matches_regexp: Vec<Regexp>,
    /// The JSON body must not satisfy it.
    pub fail_if_body_json_matches_cel: Option<String>,
    /// The JSON body must satisfy it.
    pub fail_if_body_json_not_matches_cel: Option<String>,
    /// No header may match.
    pub fail_if_header_matches: Vec<HeaderMatch>,
    /// Each header must match.
    pub fail_if_header_not_matches: Vec<HeaderMatch>,
    /// Sent with the request.
    pub body: Bytes,
    /// A file that is sent with the request.
    pub body_file: String,
    /// How requests are made.
    pub client: Client,
    /// What the body is packed with.
    pub compression: String,
    /// The most bytes of the body, unpacked; zero: no limit.
    pub body_size_limit: Size,
    /// Whether HTTP/3 is spoken.
    pub enable_http3: bool,
}

impl Default for HttpModule {
    fn default() -> HttpModule {
        HttpModule {
            valid_status_codes: Vec::new(),
            valid_http_versions: Vec::new(),
            preferred_ip_protocol: String::new(),
            ip_protocol_fallback: true,
            skip_resolve_phase_with_proxy: false,
            no_follow_redirects: None,
            fail_if_ssl: false,
            fail_if_not_ssl: false,
            method: String::new(),
            headers: BTreeMap::new(),
            fail_if_body_matches_regexp: Vec::new(),
            fail_if_body_not_matches_regexp: Vec::new(),
            fail_if_body_json_matches_cel: None,
            fail_if_body_json_not_matches_cel: None,
            fail_if_header_matches: Vec::new(),
            fail_if_header_not_matches: Vec::new(),
            body: Bytes::default(),
            body_file: String::new(),
            client: Client::default(),
            compression: String::new(),
            body_size_limit: Size::default(),
            enable_http3: false,
        }
    }
}

impl Record for HttpModule {
    const NAME: &'static str = "config.HTTPProbe";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("valid_status_codes", &mut self.valid_status_codes);
        visit.field("valid_http_versions", &mut self.valid_http_versions);
        visit.field("preferred_ip_protocol", &mut self.preferred_ip_protocol);
        visit.field("ip_protocol_fallback", &mut self.ip_protocol_fallback);
        visit.field("skip_resolve_phase_with_proxy", &mut self.skip_resolve_phase_with_proxy);
        visit.field("no_follow_redirects", &mut self.no_follow_redirects);
        visit.field("fail_if_ssl", &mut self.fail_if_ssl);
        visit.field("fail_if_not_ssl", &mut self.fail_if_not_ssl);
        visit.field("method", &mut self.method);
        visit.field("headers", &mut self.headers);
        visit.field("fail_if_body_matches_regexp", &mut self.fail_if_body_matches_regexp);
        visit.field("fail_if_body_not_matches_regexp", &mut self.fail_if_body_not_matches_regexp);
        visit.field("fail_if_body_json_matches_cel", &mut self.fail_if_body_json_matches_cel);
        visit.field("fail_if_body_json_not_matches_cel", &mut self.fail_if_body_json_not_matches_cel);
        visit.field("fail_if_header_matches", &mut self.fail_if_header_matches);
        visit.field("fail_if_header_not_matches", &mut self.fail_if_header_not_matches);
        visit.field("body", &mut self.body);
        visit.field("body_file", &mut self.body_file);
        self.client.fields(visit);
        visit.field("compression", &mut self.compression);
        visit.field("body_size_limit", &mut self.body_size_limit);
        visit.field("enable_http3", &mut self.enable_http3);
    }

    fn check(&mut self) -> Result<(), String> {
        self.client.check()?;
        if let Some(stop) = self.no_follow_redirects {
            self.client.follow_redirects = !stop;
        }
        if !self.body.0.is_empty() && !self.body_file.is_empty() {
            return Err("setting body and body_file both are not allowed".into());
        }
        for (name, HeaderText(value)) in &self.headers {
            if canonical(name) == "Accept-Encoding" && !accepts(value, &self.compression) {
                let compression = &self.compression;
                return Err(format!("invalid configuration \"{name}: {value}\", \"compression: {compression}\""));
            }
        }
        self.check_expressions()?;
        if self.enable_http3 {
            self.check_http3()?;
        }
        Ok(())
    }
}

impl HttpModule {
    fn check_expressions(&self) -> Result<(), String> {
        let expressions = [&self.fail_if_body_json_matches_cel, &self.fail_if_body_json_not_matches_cel];
        match expressions.into_iter().flatten().find(|expression| cel::Program::compile(expression).is_err()) {
            Some(wrong) => Err(format!("\"Could not compile CEL program\" expression=\"{wrong}\"")),
            None => Ok(()),
        }
    }

    fn check_http3(&self) -> Result<(), String> {
        if self.valid_http_versions.iter().any(|version| version != "HTTP/3.0") {
            let why =
                "HTTP/3 and HTTP/2.0/1.1 cannot be used together - only HTTP/3.0 is allowed when enable_http3 is true";
            return Err(why.into());
        }
        if self.client.enable_http2 {
            return Err("when enable_http3 is true, enable_http2 must be set to false".into());
        }
        Ok(())
    }
}

/// Whether an `Accept-Encoding` of `accepted` lets a server answer with `encoding`.
fn accepts(accepted: &str, encoding: &str) -> bool {
    if encoding.is_empty() || accepted.is_empty() {
        return true;
    }
    let quality =
        |given: &str| given.trim().trim_start_matches("q=").parse::<f64>().map_or(0.0, |q| (q * 1000.0).round());
    let offer = |part: &str| match part.rsplit_once(';') {
        Some((name, q)) => (name.trim().to_owned(), quality(q)),
        None => (part.trim().to_owned(), 1000.0),
    };
    let mut offers: Vec<(String, f64)> = accepted.split(',').map(offer).collect();
    offers.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    offers.iter().find(|(name, _)| name == encoding || name == "*").is_some_and(|(_, quality)| 0.0 < *quality)
}

/// An expectation of a header.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HeaderMatch {
    /// Its name.
    pub header: String,
    /// What is looked for in its values.
    pub regexp: Regexp,
    /// Whether it may be missing.
    pub allow_missing: bool,
}

impl Record for HeaderMatch {
    const NAME: &'static str = "config.HeaderMatch";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("header", &mut self.header);
        visit.field("regexp", &mut self.regexp);
        visit.field("allow_missing", &mut self.allow_missing);
    }

    fn check(&mut self) -> Result<(), String> {
        if self.header.is_empty() {
            return Err("header name must be set for HTTP header matchers".into());
        }
        if self.regexp.original.is_empty() {
            return Err("regexp must be set for HTTP header matchers".into());
        }
        Ok(())
    }
}

/// A number of bytes, such as `10MB`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Size(pub u64);

impl Field for Size {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let mut text = String::new();
        let before = reading.mistakes.len();
        text.read(node, reading);
        if reading.mistakes.len() != before {
            return;
        }
        match quantity::size(&text) {
            Ok(bytes) => self.0 = bytes,
            Err(why) => reading.refuse(why),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        (self.0 != 0).then(|| Shown::Bare(quantity::size_text(self.0)))
    }

    fn type_name(&self) -> String {
        "units.Base2Bytes".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packing_must_be_among_those_that_are_asked_for() {
        let check = |encoding: &str, accepted: &str, expected: bool| {
            assert_eq!(accepts(accepted, encoding), expected, "{encoding} by {accepted:?}");
        };
        check("", "gzip", true);
        check("gzip", "", true);
        check("gzip", "gzip", true);
        check("gzip", "gzip;q=1.0", true);
        check("gzip", "gzip, compress", true);
        check("gzip", "compress, gzip", true);
        check("br", "gzip, compress", false);
        check("br", "gzip, compress, *", true);
        check("br", "gzip, compress, *;q=0.1", true);
        check("br", "gzip, compress, br;q=0.0", false);
        check("br", "gzip, compress, *;q=0.0", false);
        check("br", "gzip;q=1.0, compress;q=0.5, br;q=0.1, *;q=0.0", true);
        check("br", "*;q=0.0, compress;q=0.5, br;q=0.1, gzip;q=1.0", true);
        check("br", " gzip;q=1.0, compress; q=0.5, br;q=0.1, *; q=0.0 ", true);
    }
}
