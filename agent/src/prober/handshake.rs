//! The TLS handshake of a probe: always a full one, with whatever certificate is shown recorded
//! before it is judged, so that its expiry is known also when it is refused.
//!
//! No session is ever resumed and no application data is sent before the verdict.

mod authorities;
mod witness;

use super::trace::{Break, Trace, fault_of};
use authorities::{Authorities, certificates, described};
use daemon::clock::Clock;
use rules::check::{Pem, TlsIdentity, TlsRule, TlsVersions, Verify};
use rules::evidence::{Fault, TlsVersion};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, SupportedProtocolVersion};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
pub(crate) use witness::Shown;
use witness::{Presenter, Witness};

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
    /// HTTP/3 and nothing else, over QUIC.
    Http3,
}

impl Alpn {
    fn protocols(self) -> Vec<Vec<u8>> {
        let names: &[&str] = match self {
            Alpn::None => &[],
            Alpn::Http1 => &["http/1.1"],
            Alpn::Http2OrHttp1 => &["h2", "http/1.1"],
            Alpn::Http2 => &["h2"],
            Alpn::Http3 => &["h3"],
        };
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }
}

/// The TLS clients of a prober: one for each set of authorities, identity and way to verify.
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

    /// The client for `rule`. Authorities, certificates and keys are read when they are first asked for.
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
        let authorities = match rule.verify {
            Verify::Chain => Some(Arc::new(Authorities::read(rule.ca.as_ref(), &self.provider)?)),
            Verify::Nothing => None,
        };
        let schemes = self.provider.signature_verification_algorithms.supported_schemes();
        let identity = rule.identity.as_ref().map(|identity| self.identity(identity)).transpose()?;
        let witness = Witness { authorities, schemes, shown: Shown::default() };
        let time = Arc::new(WallTime(self.clock.clone()));
        let mut config = ClientConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_protocol_versions(&protocol_versions(rule.versions))
            .map_err(|error| Break::new(Fault::Instruction, &error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(witness.clone()))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = alpn.protocols();
        Ok(Client { config, witness, identity })
    }

    fn identity(&self, TlsIdentity { certificate, key }: &TlsIdentity) -> Result<Arc<CertifiedKey>, Break> {
        let chain = certificates(certificate, "the client's certificates")?;
        let what = described("the client's keys", key);
        let refuse = |why: String| Break::new(Fault::Instruction, &format!("{what}: {why}"));
        let key = match key {
            Pem::Inline(text) => PrivateKeyDer::from_pem_slice(text.as_bytes()),
            Pem::File(file) => PrivateKeyDer::from_pem_file(file),
        };
        let key = key.map_err(|error| refuse(error.to_string()))?;
        let identity = CertifiedKey::from_der(chain, key, &self.provider).map_err(|error| refuse(error.to_string()))?;
        Ok(Arc::new(identity))
    }
}

fn protocol_versions(versions: TlsVersions) -> Vec<&'static SupportedProtocolVersion> {
    let spoken = TlsVersion::ALL.into_iter().filter(|&version| versions.contain(version));
    spoken
        .map(|version| match version {
            TlsVersion::V1_2 => &rustls::version::TLS12,
            TlsVersion::V1_3 => &rustls::version::TLS13,
        })
        .collect()
}

/// What makes handshakes under one rule.
#[derive(Debug)]
pub(crate) struct Client {
    config: ClientConfig,
    witness: Witness,
    identity: Option<Arc<CertifiedKey>>,
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
        let (config, shown) = self.witnessed();
        let noted = Noted { trace, shown };
        match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
            Ok(stream) => {
                noted.shown.agreed(stream.get_ref().1);
                Ok(stream)
            }
            Err(error) => Err(broken(&error)),
        }
    }

    /// What one handshake is made with, and where what it shows will be told: for transports that
    /// shake hands themselves, as QUIC does.
    pub(crate) fn witnessed(&self) -> (ClientConfig, Shown) {
        let shown = Shown::default();
        let mut config = self.config.clone();
        let witness = Witness { shown: shown.clone(), ..self.witness.clone() };
        config.dangerous().set_certificate_verifier(Arc::new(witness));
        config.client_auth_cert_resolver =
            Arc::new(Presenter { identity: self.identity.clone(), shown: shown.clone() });
        (config, shown)
    }
}

/// The name that a certificate must be for: the rule's, or else the target's host.
pub(crate) fn server_name(rule: &TlsRule, host: &str) -> Result<ServerName<'static>, Break> {
    let name = rule.server_name.as_deref().unwrap_or(host);
    ServerName::try_from(name.to_owned())
        .map_err(|error| Break::new(Fault::Instruction, &format!("the server name `{name}`: {error}")))
}

/// Writes down what was shown when the handshake ends, also if the deadline ends it.
struct Noted<'a> {
    trace: &'a mut Trace,
    shown: Shown,
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.trace.evidence.tls = Some(self.shown.facts());
    }
}

/// What a failed handshake means.
pub(crate) fn broken(error: &io::Error) -> Break {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(refusal @ rustls::Error::InvalidCertificate(_)) => Break::new(Fault::Certificate, &told(refusal)),
        Some(_) => Break::new(Fault::Tls, &error.to_string()),
        None => Break::new(fault_of(error).unwrap_or(Fault::Tls), &error.to_string()),
    }
}

/// What TLS failed by, in words. A reason that rustls has no word of its own for would come as Rust's `Debug`.
fn told(error: &rustls::Error) -> String {
    if let rustls::Error::InvalidCertificate(CertificateError::Other(reason)) = error {
        return format!("invalid peer certificate: {reason}");
    }
    error.to_string()
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
