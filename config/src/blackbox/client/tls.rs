//! How TLS is spoken, in Prometheus' words.

use super::{at_most_one, count};
use crate::blackbox::shape::{Field, Reading, Record, Visit};
use crate::blackbox::shown::Shown;
use crate::blackbox::yaml::Node;
use crate::secret::Secret;

/// `tls_config`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TlsConfig {
    /// Authorities, PEM.
    pub ca: String,
    /// The client's certificate, PEM.
    pub cert: String,
    /// Its key, PEM.
    pub key: Secret,
    /// A file of authorities.
    pub ca_file: String,
    /// A file with the client's certificate.
    pub cert_file: String,
    /// A file with its key.
    pub key_file: String,
    /// A name in a secret manager; there is none here.
    pub ca_ref: String,
    /// A name in a secret manager; there is none here.
    pub cert_ref: String,
    /// A name in a secret manager; there is none here.
    pub key_ref: String,
    /// The name asked for and verified.
    pub server_name: String,
    /// Whether any certificate will do.
    pub insecure_skip_verify: bool,
    /// The oldest version spoken.
    pub min_version: TlsVersionText,
    /// The newest version spoken.
    pub max_version: TlsVersionText,
}

impl Record for TlsConfig {
    const NAME: &'static str = "config.TLSConfig";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("ca", &mut self.ca);
        visit.field("cert", &mut self.cert);
        visit.field("key", &mut self.key);
        visit.field("ca_file", &mut self.ca_file);
        visit.field("cert_file", &mut self.cert_file);
        visit.field("key_file", &mut self.key_file);
        visit.field("ca_ref", &mut self.ca_ref);
        visit.field("cert_ref", &mut self.cert_ref);
        visit.field("key_ref", &mut self.key_ref);
        visit.field("server_name", &mut self.server_name);
        visit.always("insecure_skip_verify", &mut self.insecure_skip_verify);
        visit.field("min_version", &mut self.min_version);
        visit.field("max_version", &mut self.max_version);
    }

    fn check(&mut self) -> Result<(), String> {
        let has_cert = count([&self.cert, &self.cert_file, &self.cert_ref]);
        let has_key = count([self.key.expose(), &self.key_file, &self.key_ref]);
        at_most_one("ca, ca_file & ca_ref", count([&self.ca, &self.ca_file, &self.ca_ref]))?;
        at_most_one("cert, cert_file & cert_ref", has_cert)?;
        at_most_one("key and key_file", has_key)?;
        if 0 < has_cert && has_key == 0 {
            return Err(
                "exactly one of key or key_file must be configured when a client certificate is configured".into()
            );
        }
        if 0 < has_key && has_cert == 0 {
            return Err("exactly one of cert or cert_file must be configured when a client key is configured".into());
        }
        Ok(())
    }
}

/// `TLS10` to `TLS13`, or nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsVersionText(pub String);

impl Field for TlsVersionText {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        self.0.read(node, reading);
        if !matches!(self.0.as_str(), "TLS10" | "TLS11" | "TLS12" | "TLS13") {
            reading.refuse(format!("unknown TLS version: {}", self.0));
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        self.0.shown()
    }

    fn type_name(&self) -> String {
        "config.TLSVersion".to_owned()
    }
}
