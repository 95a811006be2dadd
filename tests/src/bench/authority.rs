//! A certificate authority for one run: a root, one below it, and the servers that it vouches for.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, client::Resumption};

/// A root that nobody else believes, and a server's chain of two below it.
#[derive(Debug)]
pub(crate) struct Authority {
    root: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    file: PathBuf,
    _dir: TempDir,
}

impl Authority {
    /// Makes a fresh one, for servers at 127.0.0.1.
    pub(crate) fn new() -> Authority {
        let issuer = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, name);
            params
        };
        let root = CertifiedIssuer::self_signed(issuer("root"), KeyPair::generate().unwrap()).unwrap();
        let below = CertifiedIssuer::signed_by(issuer("below"), KeyPair::generate().unwrap(), &root).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &below).unwrap();
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("root.pem");
        std::fs::write(&file, root.pem()).unwrap();
        Authority {
            root: root.der().clone(),
            chain: vec![leaf.der().clone(), below.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            file,
            _dir: dir,
        }
    }

    /// Where its root lies, as PEM.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// A server that it vouches for.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let versions = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let versions = versions.with_safe_default_protocol_versions().unwrap();
        let config = versions.with_no_client_auth().with_single_cert(self.chain.clone(), self.key.clone_key());
        Arc::new(config.unwrap())
    }

    /// A client that believes nobody else and remembers nothing.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let versions = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let versions = versions.with_safe_default_protocol_versions().unwrap();
        let mut config = versions.with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::disabled();
        Arc::new(config)
    }
}
