//! Modules and their parts, with blackbox_exporter's keys, order and defaults.

use super::client::{Client, HeaderValues, TlsConfig};
use super::dns::DnsModule;
use super::http::HttpModule;
use super::regexp::Regexp;
use super::shape::{Bytes, Field, Reading, Record, Visit};
use super::shown::{SECRET, Shown};
use super::yaml::Node;
use std::collections::BTreeMap;
use std::time::Duration;

/// Headers whose values are nobody's secret; every other value is hidden where modules are shown.
const HARMLESS_HEADERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-type",
    "host",
    "origin",
    "pragma",
    "referer",
    "user-agent",
];

/// The words of `prober`.
const PROBERS: &[&str] = &["http", "tcp", "icmp", "dns", "grpc", "unix", "websocket"];

/// The time to live of echo requests when a module doesn't say.
const TTL_DEFAULT: i64 = 64;

/// A module: how a target is probed that is named later.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Module {
    /// Which of the parts counts.
    pub prober: String,
    /// The longest that a probe may take; zero: as long as the scrape.
    pub timeout: Duration,
    /// For `prober: http`.
    pub http: HttpModule,
    /// For `prober: tcp`.
    pub tcp: TcpModule,
    /// For `prober: unix`.
    pub unix: UnixModule,
    /// For `prober: icmp`.
    pub icmp: IcmpModule,
    /// For `prober: dns`.
    pub dns: DnsModule,
    /// For `prober: grpc`; absent: the defaults.
    pub grpc: Option<GrpcModule>,
    /// For `prober: websocket`; absent: the defaults.
    pub websocket: Option<WebsocketModule>,
}

impl Record for Module {
    const NAME: &'static str = "config.Module";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("prober", &mut self.prober);
        visit.field("timeout", &mut self.timeout);
        visit.field("http", &mut self.http);
        visit.field("tcp", &mut self.tcp);
        visit.field("icmp", &mut self.icmp);
        visit.field("dns", &mut self.dns);
        visit.field("grpc", &mut self.grpc);
        visit.field("unix", &mut self.unix);
        visit.field("websocket", &mut self.websocket);
    }

    fn check(&mut self) -> Result<(), String> {
        if !PROBERS.contains(&self.prober.as_str()) {
            return Err(format!("prober '{}' is not valid", self.prober));
        }
        Ok(())
    }
}

/// The file.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct File {
    pub(super) modules: BTreeMap<String, Module>,
}

impl Record for File {
    const NAME: &'static str = "config.Config";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("modules", &mut self.modules);
    }
}

/// A header's value: shown only if the header is one that never holds a secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HeaderText(pub String);

impl std::fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Field for HeaderText {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        self.0.read(node, reading);
    }

    fn shown(&mut self) -> Option<Shown> {
        self.0.shown()
    }

    fn type_name(&self) -> String {
        "string".to_owned()
    }
}

/// `shown` without the values of headers that may hold secrets.
pub(super) fn conceal(shown: &mut Shown) {
    match shown {
        Shown::Bare(_) | Shown::Text(_) => {}
        Shown::List(items) => items.iter_mut().for_each(conceal),
        Shown::Map(entries) => {
            for (key, value) in entries {
                match key.as_str() {
                    "headers" | "metadata" => conceal_headers(value),
                    _ => conceal(value),
                }
            }
        }
    }
}

fn conceal_headers(shown: &mut Shown) {
    let Shown::Map(entries) = shown else { return };
    for (name, value) in entries {
        if !HARMLESS_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            *value = Shown::text(SECRET);
        }
    }
}

/// One exchange of a dialog.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct QueryResponse {
    /// Lines are read until one matches.
    pub expect: Option<Regexp>,
    /// What is read must be these bytes.
    pub expect_bytes: Bytes,
    /// Labels of `probe_expect_info`, from what matched.
    pub labels: Vec<Label>,
    /// What is sent then.
    pub send: Bytes,
    /// Whether TLS begins then.
    pub starttls: bool,
}

impl Record for QueryResponse {
    const NAME: &'static str = "config.QueryResponse";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("expect", &mut self.expect);
        visit.field("expect_bytes", &mut self.expect_bytes);
        visit.field("labels", &mut self.labels);
        visit.field("send", &mut self.send);
        visit.field("starttls", &mut self.starttls);
    }
}

/// A label of `probe_expect_info`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its value, in which `${1}` is what the first group matched.
    pub value: String,
}

impl Record for Label {
    const NAME: &'static str = "config.Label";
    const TYPE: &'static str = "config.Label";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("name", &mut self.name);
        visit.field("value", &mut self.value);
    }
}

/// `tcp`.
#[derive(Clone, PartialEq, Debug)]
pub struct TcpModule {
    /// `ip4` or `ip6`; empty: `ip6`.
    pub preferred_ip_protocol: String,
    /// Whether the other family will do.
    pub ip_protocol_fallback: bool,
    /// Where connections come from.
    pub source_ip_address: String,
    /// What is said.
    pub query_response: Vec<QueryResponse>,
    /// Whether TLS is spoken from the beginning.
    pub tls: bool,
    /// How.
    pub tls_config: TlsConfig,
}

impl Default for TcpModule {
    fn default() -> TcpModule {
        TcpModule {
            preferred_ip_protocol: String::new(),
            ip_protocol_fallback: true,
            source_ip_address: String::new(),
            query_response: Vec::new(),
            tls: false,
            tls_config: TlsConfig::default(),
        }
    }
}

impl Record for TcpModule {
    const NAME: &'static str = "config.TCPProbe";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("preferred_ip_protocol", &mut self.preferred_ip_protocol);
        visit.field("ip_protocol_fallback", &mut self.ip_protocol_fallback);
        visit.field("source_ip_address", &mut self.source_ip_address);
        visit.field("query_response", &mut self.query_response);
        visit.field("tls", &mut self.tls);
        visit.field("tls_config", &mut self.tls_config);
    }
}

/// `unix`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UnixModule {
    /// What is said.
    pub query_response: Vec<QueryResponse>,
    /// Whether TLS is spoken from the beginning.
    pub tls: bool,
    /// How.
    pub tls_config: TlsConfig,
}

impl Record for UnixModule {
    const NAME: &'static str = "config.UnixProbe";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("query_response", &mut self.query_response);
        visit.field("tls", &mut self.tls);
        visit.field("tls_config", &mut self.tls_config);
    }
}

/// `icmp`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IcmpModule {
    /// `ip4` or `ip6`; empty: `ip6`.
    pub preferred_ip_protocol: String,
    /// Whether the other family will do.
    pub ip_protocol_fallback: bool,
    /// Where packets come from.
    pub source_ip_address: String,
    /// Bytes of payload; zero: as many as the prober likes.
    pub payload_size: i64,
    /// Whether routers may not split packets.
    pub dont_fragment: bool,
    /// How many routers a packet may pass; zero: the system's default.
    pub ttl: i64,
}

impl Default for IcmpModule {
    fn default() -> IcmpModule {
        IcmpModule {
            preferred_ip_protocol: String::new(),
            ip_protocol_fallback: true,
            source_ip_address: String::new(),
            payload_size: 0,
            dont_fragment: false,
            ttl: TTL_DEFAULT,
        }
    }
}

impl Record for IcmpModule {
    const NAME: &'static str = "config.ICMPProbe";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("preferred_ip_protocol", &mut self.preferred_ip_protocol);
        visit.field("ip_protocol_fallback", &mut self.ip_protocol_fallback);
        visit.field("source_ip_address", &mut self.source_ip_address);
        visit.field("payload_size", &mut self.payload_size);
        visit.field("dont_fragment", &mut self.dont_fragment);
        visit.field("ttl", &mut self.ttl);
    }

    fn check(&mut self) -> Result<(), String> {
        match self.ttl {
            ..0 => Err("\"ttl\" cannot be negative".into()),
            0..=255 => Ok(()),
            _ => Err("\"ttl\" cannot exceed 255".into()),
        }
    }
}

/// `grpc`.
#[derive(Clone, PartialEq, Debug)]
pub struct GrpcModule {
    /// Whose health is asked for; empty: the server's.
    pub service: String,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// How.
    pub tls_config: TlsConfig,
    /// Whether the other family will do.
    pub ip_protocol_fallback: bool,
    /// `ip4` or `ip6`; empty: `ip6`.
    pub preferred_ip_protocol: String,
    /// Sent with the call.
    pub metadata: BTreeMap<String, Vec<HeaderText>>,
}

impl Default for GrpcModule {
    fn default() -> GrpcModule {
        GrpcModule {
            service: String::new(),
            tls: false,
            tls_config: TlsConfig::default(),
            ip_protocol_fallback: true,
            preferred_ip_protocol: String::new(),
            metadata: BTreeMap::new(),
        }
    }
}

impl Record for GrpcModule {
    const NAME: &'static str = "config.GRPCProbe";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("service", &mut self.service);
        visit.field("tls", &mut self.tls);
        visit.field("tls_config", &mut self.tls_config);
        visit.field("ip_protocol_fallback", &mut self.ip_protocol_fallback);
        visit.field("preferred_ip_protocol", &mut self.preferred_ip_protocol);
        visit.field("metadata", &mut self.metadata);
    }
}

/// `websocket`.
#[derive(Clone, PartialEq, Debug)]
pub struct WebsocketModule {
    /// How the request is made.
    pub http_config: Client,
    /// Sent with the request.
    pub headers: BTreeMap<String, HeaderValues>,
    /// What is said.
    pub query_response: Vec<QueryResponse>,
    /// `ip4` or `ip6`; empty: `ip6`.
    pub preferred_ip_protocol: String,
    /// Whether the other family will do.
    pub ip_protocol_fallback: bool,
}

impl Default for WebsocketModule {
    fn default() -> WebsocketModule {
        WebsocketModule {
            http_config: Client::default(),
            headers: BTreeMap::new(),
            query_response: Vec::new(),
            preferred_ip_protocol: String::new(),
            ip_protocol_fallback: true,
        }
    }
}

impl Record for WebsocketModule {
    const NAME: &'static str = "config.WebsocketProbe";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("http_config", &mut self.http_config);
        visit.field("headers", &mut self.headers);
        visit.field("query_response", &mut self.query_response);
        visit.field("preferred_ip_protocol", &mut self.preferred_ip_protocol);
        visit.field("ip_protocol_fallback", &mut self.ip_protocol_fallback);
    }
}
