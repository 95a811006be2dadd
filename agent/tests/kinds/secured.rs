//! Servers on loopback that follow a script, and the certificates that some of them show.

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rules::check::{Pem, TlsIdentity};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

/// Both versions that are spoken.
pub(crate) const ANY: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Serves each connection by `script` in a thread of its own, until the test's process ends.
pub(crate) fn serve(script: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            std::thread::spawn(move || script(stream));
        }
    });
    address
}

/// As [`serve`], at a path.
pub(crate) fn serve_unix(path: &Path, script: impl Fn(UnixStream) + Send + Sync + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            std::thread::spawn(move || script(stream));
        }
    });
}

/// Says `said`, and then listens until the peer leaves.
pub(crate) fn says(said: impl Into<Vec<u8>>) -> SocketAddr {
    let said = said.into();
    serve(move |mut stream| {
        let _ = stream.write_all(&said);
        linger(&mut stream);
    })
}

/// Listens until the peer leaves.
pub(crate) fn linger(stream: &mut impl Read) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// The next line that comes, with its end.
pub(crate) fn line(stream: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && matches!(stream.read(&mut byte), Ok(1)) {
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

/// An authority made for one test.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// One that everybody may trust, until the year `year` begins.
    pub(crate) fn new(year: i32) -> Authority {
        let params = authority_params("an authority for tests", year);
        Authority { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// What trusts it.
    pub(crate) fn pem(&self) -> Pem {
        Pem::Inline(self.issuer.pem())
    }

    /// A certificate for `names` that is valid from 2020 until the year `year` begins.
    pub(crate) fn issue(&self, names: &[&str], year: i32) -> Identity {
        let (params, key) = request(names, year);
        Identity { chain: vec![der(&params.signed_by(&key, &self.issuer).unwrap())], key }
    }

    /// The certificate of an authority below this one, with `key` as its own.
    pub(crate) fn vouch(&self, name: &str, key: &KeyPair, year: i32) -> CertificateDer<'static> {
        der(&authority_params(name, year).signed_by(key, &self.issuer).unwrap())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        Arc::new(roots)
    }
}

pub(crate) fn authority_params(name: &str, year: i32) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn request(names: &[&str], year: i32) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(names.iter().map(|&name| name.into()).collect::<Vec<String>>()).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    (params, KeyPair::generate().unwrap())
}

fn der(certificate: &Certificate) -> CertificateDer<'static> {
    certificate.der().clone()
}

/// A chain of certificates with the key of the first.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
}

impl Identity {
    /// A certificate that nobody vouches for.
    pub(crate) fn self_signed(names: &[&str], year: i32) -> Identity {
        let (params, key) = request(names, year);
        Identity { chain: vec![der(&params.self_signed(&key).unwrap())], key }
    }

    /// The same for a client to show.
    pub(crate) fn client(&self) -> TlsIdentity {
        let certificate = x509(&self.chain[0]);
        TlsIdentity { certificate: Pem::Inline(certificate), key: Pem::Inline(self.key.serialize_pem()) }
    }
}

fn x509(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// How a server speaks TLS: who it is, in which versions, and whose clients it takes.
#[derive(Clone)]
pub(crate) struct Secured(Arc<ServerConfig>);

impl Secured {
    pub(crate) fn new(identity: &Identity) -> Secured {
        Secured::with(identity, ANY, None)
    }

    pub(crate) fn with(
        identity: &Identity,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Authority>,
    ) -> Secured {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(authority.roots(), provider).build().unwrap(),
            ),
        };
        Secured(Arc::new(builder.with_single_cert(identity.chain.clone(), key).unwrap()))
    }

    /// TLS over `stream`; it begins with the first byte that is read or written.
    pub(crate) fn over<S: Read + Write>(&self, stream: S) -> StreamOwned<ServerConnection, S> {
        StreamOwned::new(ServerConnection::new(Arc::clone(&self.0)).unwrap(), stream)
    }

    /// Shakes hands, and then listens until the peer leaves.
    pub(crate) fn serve(self) -> SocketAddr {
        serve(move |stream| linger(&mut self.over(stream)))
    }
}
