//! From a module and an address to what a prober looks at.
//!
//! An address that makes no target fails the probe, as it does in the peer; it is no mistake in the file.
//! Files are named and not read here.

mod dialog;
mod dns;
mod grpc;
mod http;
mod icmp;

use super::client::TlsConfig;
use super::module::Module;
use rules::check::{IpPreference, Pem, Route, Target, TlsIdentity, TlsRule, TlsVersions, Verify};
use rules::evidence::TlsVersion;

/// Why a module and an address make no target.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The module is none for any prober.
    #[error("unknown prober `{0}`")]
    Prober(String),
    /// The address, or the module for it, can't be used.
    #[error("{0}")]
    Target(String),
}

impl Refusal {
    fn new(why: impl Into<String>) -> Refusal {
        Refusal::Target(why.into())
    }
}

impl Module {
    /// What a prober looks at to probe `address` by this module.
    pub fn target(&self, address: &str) -> Result<Target, Refusal> {
        match self.prober.as_str() {
            "http" => http::target(&self.http, address).map(Box::new).map(Target::Http),
            "tcp" => dialog::tcp(&self.tcp, address).map(Target::Tcp),
            "unix" => dialog::unix(&self.unix, address).map(Target::Unix),
            "websocket" => dialog::websocket(&self.websocket.clone().unwrap_or_default(), address).map(Target::Ws),
            "grpc" => grpc::target(&self.grpc.clone().unwrap_or_default(), address).map(Target::Grpc),
            "icmp" => icmp::target(&self.icmp, address).map(Target::Icmp),
            "dns" => dns::target(&self.dns, address).map(Box::new).map(Target::Dns),
            prober => Err(Refusal::Prober(prober.to_owned())),
        }
    }
}

/// The way to a target: IPv6 is preferred unless a module says otherwise.
fn route(preferred: &str, falls_back: bool, source: &str) -> Result<Route, Refusal> {
    let ip = match (preferred, falls_back) {
        ("" | "ip6", true) => IpPreference::PreferV6,
        ("" | "ip6", false) => IpPreference::OnlyV6,
        (_, true) => IpPreference::PreferV4,
        (_, false) => IpPreference::OnlyV4,
    };
    let source = match source {
        "" => None,
        given => {
            let source = given.parse();
            Some(source.map_err(|_| Refusal::new(format!("the source address `{given}` is no address")))?)
        }
    };
    Ok(Route { ip, source })
}

/// How TLS is spoken.
fn tls(config: &TlsConfig) -> Result<TlsRule, Refusal> {
    let references = [&config.ca_ref, &config.cert_ref, &config.key_ref];
    if references.iter().any(|reference| !reference.is_empty()) {
        return Err(Refusal::new(
            "there is no secret manager here; name files instead of `ca_ref`, `cert_ref` and `key_ref`",
        ));
    }
    let verify = if config.insecure_skip_verify { Verify::Nothing } else { Verify::Chain };
    let identity = pem(&config.cert, &config.cert_file)
        .zip(pem(config.key.expose(), &config.key_file))
        .map(|(certificate, key)| TlsIdentity { certificate, key });
    let min = match config.min_version.0.as_str() {
        "TLS13" => TlsVersion::V1_3,
        _ => TlsVersion::V1_2,
    };
    let max = match config.max_version.0.as_str() {
        "TLS10" | "TLS11" => return Err(Refusal::new("TLS below 1.2 is not spoken here; raise `max_version`")),
        "TLS12" => TlsVersion::V1_2,
        _ => TlsVersion::V1_3,
    };
    let versions = TlsVersions::new(min, max);
    Ok(TlsRule {
        verify,
        ca: pem(&config.ca, &config.ca_file),
        identity,
        server_name: (!config.server_name.is_empty()).then(|| config.server_name.clone()),
        versions: versions.ok_or_else(|| Refusal::new("`min_version` is newer than `max_version`"))?,
    })
}

fn pem(text: &str, file: &str) -> Option<Pem> {
    match (text, file) {
        ("", "") => None,
        ("", file) => Some(Pem::File(file.to_owned())),
        (text, _) => Some(Pem::Inline(text.to_owned())),
    }
}
