//! The TLS handshake of a probe: always a full one, with whatever certificate is shown recorded
//! before it is judged, so that its expiry is known also when it is refused.
//!
//! No session is ever resumed and no application data is sent before the verdict.

use super::certificate;
use super::trace::{Break, Trace, fault_of};
use daemon::clock::Clock;
use rules::check::{TlsRule, Verify};
use rules::evidence::{Fault, TlsFacts, TlsVersion};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, DigitallySignedStruct, ProtocolVersion, RootCertStore, SignatureScheme};
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a client offers by ALPN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Alpn {
    /// Nothing.
    None,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, or else HTTP/1.1.
    Http2OrHttp1,
    /// HTTP/2 and nothing else.
    Http2,
}

impl Alpn {
    fn protocols(self) -> Vec<Vec<u8>> {
        let names: &[&str] = match self {
            Alpn::None => &[],
            Alpn::Http1 => &["http/1.1"],
            Alpn::Http2OrHttp1 => &["h2", "http/1.1"],
            Alpn::Http2 => &["h2"],
        };
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }
}

/// The TLS clients of a prober: one for each set of authorities and way to verify.
#[derive(Debug)]
pub(crate) struct Clients {
    clock: Clock,
    provider: Arc<CryptoProvider>,
    /// By the rule, less its server name, and what is offered. An installation has few of them.
    made: Mutex<Vec<(TlsRule, Alpn, Arc<Client>)>>,
}

impl Clients {
    pub(crate) fn new(clock: &Clock) -> Clients {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Clients { clock: clock.clone(), provider, made: Mutex::default() }
    }

    /// The client for `rule`. Authorities are read from disk when they are first asked for.
    pub(crate) fn client(&self, rule: &TlsRule, alpn: Alpn) -> Result<Arc<Client>, Break> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = TlsRule { server_name: None, ..rule.clone() };
        if let Some((.., client)) = made.iter().find(|(known, offered, _)| *known == rule && *offered == alpn) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.make(&rule, alpn)?);
        made.push((rule, alpn, Arc::clone(&client)));
        Ok(client)
    }

    fn make(&self, rule: &TlsRule, alpn: Alpn) -> Result<Client, Break> {
        let judge = match rule.verify {
            Verify::Chain => Some(self.verifier(rule.ca_file.as_deref())?),
            Verify::Nothing => None,
        };
        let schemes = self.provider.signature_verification_algorithms.supported_schemes();
        let witness = Witness { judge, schemes, shown: Arc::default() };
        let time = Arc::new(WallTime(self.clock.clone()));
        let mut config = ClientConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_safe_default_protocol_versions()
            .map_err(|error| Break::new(Fault::Instruction, &error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(witness.clone()))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = alpn.protocols();
        Ok(Client { config, witness })
    }

    fn verifier(&self, ca_file: Option<&str>) -> Result<Arc<WebPkiServerVerifier>, Break> {
        let roots = match ca_file {
            Some(file) => roots_of_file(file)?,
            None => roots_of_machine(),
        };
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Break::new(Fault::Instruction, &format!("the authorities can't be used: {error}")))
    }
}

fn roots_of_file(file: &str) -> Result<RootCertStore, Break> {
    let refuse = |why: String| Break::new(Fault::Instruction, &format!("the authorities' file {file}: {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| refuse(error.to_string()))? {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("has no certificate; write them in PEM".into()));
    }
    Ok(roots)
}

/// The machine's authorities, or Mozilla's as of this build if it has none, as in a bare container.
fn roots_of_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// What makes handshakes under one rule.
#[derive(Debug)]
pub(crate) struct Client {
    config: ClientConfig,
    witness: Witness,
}

impl Client {
    /// Shakes hands over `stream`; what was shown is noted whatever comes of it.
    pub(crate) async fn handshake<S>(
        &self,
        stream: S,
        name: ServerName<'static>,
        trace: &mut Trace,
    ) -> Result<TlsStream<S>, Break>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let shown = Arc::default();
        let witness = Witness { shown: Arc::clone(&shown), ..self.witness.clone() };
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(Arc::new(witness));
        let mut noted = Noted { trace, shown, version: None };
        match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
            Ok(stream) => {
                noted.version = stream.get_ref().1.protocol_version().and_then(version);
                Ok(stream)
            }
            Err(error) => Err(broken(&error)),
        }
    }
}

/// Writes down what was shown when the handshake ends, also if the deadline ends it.
struct Noted<'a> {
    trace: &'a mut Trace,
    shown: Arc<OnceLock<Vec<CertificateDer<'static>>>>,
    version: Option<TlsVersion>,
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        let certificate = self.shown.get().and_then(|chain| certificate::facts(chain)).map(Arc::new);
        self.trace.evidence.tls = Some(TlsFacts { version: self.version, certificate });
    }
}

fn version(version: ProtocolVersion) -> Option<TlsVersion> {
    let spoken = [(ProtocolVersion::TLSv1_2, TlsVersion::V1_2), (ProtocolVersion::TLSv1_3, TlsVersion::V1_3)];
    spoken.into_iter().find(|(theirs, _)| *theirs == version).map(|(_, ours)| ours)
}

fn broken(error: &io::Error) -> Break {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Break::new(Fault::Certificate, &error.to_string()),
        Some(_) => Break::new(Fault::Tls, &error.to_string()),
        None => Break::new(fault_of(error).unwrap_or(Fault::Tls), &error.to_string()),
    }
}

/// Records the chain of one handshake, then judges it as the rule says.
#[derive(Clone, Debug)]
struct Witness {
    /// Absent if any certificate will do, even one whose key can't be read.
    judge: Option<Arc<WebPkiServerVerifier>>,
    schemes: Vec<SignatureScheme>,
    shown: Arc<OnceLock<Vec<CertificateDer<'static>>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        // A handshake shows one chain; the first stands.
        let _ = self.shown.set(chain.map(|certificate| certificate.clone().into_owned()).collect());
        match &self.judge {
            Some(judge) => judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.judge {
            Some(judge) => judge.verify_tls12_signature(message, cert, dss),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.judge {
            Some(judge) => judge.verify_tls13_signature(message, cert, dss),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// The agent's clock, as rustls asks for it.
#[derive(Debug)]
struct WallTime(Clock);

impl TimeProvider for WallTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.0.wall().as_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}
