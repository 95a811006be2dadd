//! TLS for servers: certificates from files, and who the client's certificate says it is.
//!
//! rustls with aws-lc-rs and nothing else; it never falls back to plain text.

use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The files a server's TLS is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The server's certificate chain, PEM.
    pub cert_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
    /// Authorities of client certificates, PEM; none: clients show no certificate.
    pub client_ca_file: Option<PathBuf>,
}

/// TLS files that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or is no PEM.
    #[error("read {what} from `{file}` (PEM)")]
    File {
        /// What it should hold.
        what: &'static str,
        /// Which file.
        file: PathBuf,
        /// Why not.
        source: rustls_pki_types::pem::Error,
    },
    /// A file holds none of what it should hold.
    #[error("find {what} in `{file}`; it has none")]
    Empty {
        /// What it should hold.
        what: &'static str,
        /// Which file.
        file: PathBuf,
    },
    /// Certificate and key don't fit each other or the provider.
    #[error("use the certificate `{cert_file}` with its key")]
    Unusable {
        /// The certificate's file.
        cert_file: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// The client authorities are unusable.
    #[error("use the client authorities in `{file}`")]
    ClientAuthorities {
        /// Which file.
        file: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Who the verified client certificate says the peer is; a request extension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerIdentity {
    /// The subject's common name and every DNS name and URI among its alternative names.
    pub names: Vec<String>,
}

/// A server's TLS, ready to accept; cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads and checks `files`. Offers HTTP/2 and HTTP/1.1.
    pub fn load(files: &TlsFiles) -> Result<Tls, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let unusable = |source| TlsError::Unusable { cert_file: files.cert_file.clone(), source };
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match &files.client_ca_file {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let refuse = |source| TlsError::ClientAuthorities { file: file.clone(), source };
                let mut roots = RootCertStore::empty();
                for authority in certificates("client authorities", file)? {
                    roots.add(authority).map_err(|error| refuse(error.into()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| refuse(error.into()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = certificates("a certificate", &files.cert_file)?;
        let key = PrivateKeyDer::from_pem_file(&files.key_file).map_err(|source| TlsError::File {
            what: "a private key",
            file: files.key_file.clone(),
            source,
        })?;
        let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

fn certificates(what: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::File { what, file: file.to_owned(), source };
    let found: Vec<_> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(unreadable)?;
    match found.is_empty() {
        true => Err(TlsError::Empty { what, file: file.to_owned() }),
        false => Ok(found),
    }
}

/// The names in a certificate that rustls has verified.
pub(crate) fn identity(certificate: &CertificateDer<'_>) -> Option<PeerIdentity> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let others = alternative.iter().flat_map(|extension| &extension.value.general_names);
    let others = others.filter_map(|name| {
        if let GeneralName::DNSName(name) | GeneralName::URI(name) = name { Some(*name) } else { None }
    });
    Some(PeerIdentity { names: common.chain(others).map(str::to_owned).collect() })
}
