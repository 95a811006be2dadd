//! A private authority and what it signs, as files.

use config::agent::{Identity, UplinkTls};
use daemon::tls::{Tls, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;

/// An authority, its certificate for a server at `localhost`, and one for an agent.
pub(crate) struct Certificates(tempfile::TempDir);

impl Certificates {
    pub(crate) fn of_agent(agent: &str) -> Certificates {
        let made = Certificates(tempfile::tempdir().unwrap());
        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "test authority");
        made.write("ca.pem", &authority.self_signed(&key).unwrap().pem());
        let issuer = Issuer::new(authority, key);
        for (file, common, names) in [("server", "server", vec!["localhost".to_owned()]), ("agent", agent, Vec::new())]
        {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(names).unwrap();
            params.distinguished_name.push(DnType::CommonName, common);
            made.write(&format!("{file}.pem"), &params.signed_by(&key, &issuer).unwrap().pem());
            made.write(&format!("{file}.key"), &key.serialize_pem());
        }
        made
    }

    fn write(&self, name: &str, pem: &str) {
        std::fs::write(self.path(name), pem).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The server's side: it asks agents for certificates of this authority, and lets others in.
    pub(crate) fn server(&self) -> Tls {
        let (cert_file, key_file) = (self.path("server.pem"), self.path("server.key"));
        Tls::load(&TlsFiles { cert_file, key_file, client_ca_file: Some(self.path("ca.pem")) }).unwrap()
    }

    /// An agent's side that trusts this authority and shows nothing.
    pub(crate) fn anonymous(&self) -> UplinkTls {
        UplinkTls { identity: None, ca_file: Some(self.path("ca.pem")) }
    }

    /// An agent's side that trusts this authority and shows its certificate.
    pub(crate) fn agent(&self) -> UplinkTls {
        let identity = Identity { cert_file: self.path("agent.pem"), key_file: self.path("agent.key") };
        UplinkTls { identity: Some(identity), ..self.anonymous() }
    }
}
