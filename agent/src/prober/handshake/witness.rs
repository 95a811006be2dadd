//! Sees what a handshake shows, then has it judged.
//!
//! The verdict on a certificate is given together with that on the handshake's signature: the
//! protocol asks for both in one step, and by then the version is known too. Nothing of ours has
//! been sent before, not even a client's certificate.

use super::authorities::Authorities;
use super::told;
use crate::prober::certificate;
use rules::evidence::{ClientCertificate, Said, TlsFacts, TlsVersion, Trust};
use rules::time::Timestamp;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConnection, DigitallySignedStruct, ProtocolVersion, SignatureScheme, SupportedCipherSuite};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What one handshake showed so far; shared between those who see it and who asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(Arc<ShownParts>);

#[derive(Debug, Default)]
struct ShownParts {
    chain: OnceLock<Chain>,
    version: OnceLock<TlsVersion>,
    cipher: OnceLock<&'static str>,
    client_certificate: Mutex<ClientCertificate>,
}

/// The certificates of one handshake and what was said to them; no verdict: any would have done.
#[derive(Debug)]
struct Chain {
    seen_at: Timestamp,
    certificates: Vec<CertificateDer<'static>>,
    verdict: Option<Result<Timestamp, rustls::Error>>,
}

impl Shown {
    /// What is known by now.
    pub(crate) fn facts(&self) -> TlsFacts {
        let parts = &self.0;
        let chain = parts.chain.get();
        let certificate = chain.and_then(|chain| certificate::facts(&chain.certificates)).map(Arc::new);
        let trust = match chain.and_then(|chain| chain.verdict.as_ref()) {
            // The verifier read more of it than we can: its end is not known.
            Some(Ok(_)) if certificate.is_none() => Trust::Unasked,
            None => Trust::Unasked,
            Some(Ok(last_chain_expires_at)) => Trust::Verified { last_chain_expires_at: *last_chain_expires_at },
            Some(Err(error)) => Trust::Refused(Said::new(&told(error))),
        };
        TlsFacts {
            version: parts.version.get().copied(),
            cipher: parts.cipher.get().copied(),
            seen_at: chain.map(|chain| chain.seen_at),
            certificate,
            trust,
            client_certificate: *self.client_certificate(),
        }
    }

    /// Notes what a completed handshake agreed on.
    pub(crate) fn agreed(&self, connection: &ClientConnection) {
        if let Some(version) = connection.protocol_version().and_then(version) {
            let _ = self.0.version.set(version);
        }
        if let Some(cipher) = connection.negotiated_cipher_suite().and_then(registered_name) {
            let _ = self.0.cipher.set(cipher);
        }
    }

    fn client_certificate(&self) -> MutexGuard<'_, ClientCertificate> {
        self.0.client_certificate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(version: ProtocolVersion) -> Option<TlsVersion> {
    let spoken = [(ProtocolVersion::TLSv1_2, TlsVersion::V1_2), (ProtocolVersion::TLSv1_3, TlsVersion::V1_3)];
    spoken.into_iter().find(|(theirs, _)| *theirs == version).map(|(_, ours)| ours)
}

/// The name that IANA has for `suite`; the library puts the version into those of TLS 1.3.
fn registered_name(suite: SupportedCipherSuite) -> Option<&'static str> {
    match suite.suite().as_str()? {
        "TLS13_AES_128_GCM_SHA256" => Some("TLS_AES_128_GCM_SHA256"),
        "TLS13_AES_256_GCM_SHA384" => Some("TLS_AES_256_GCM_SHA384"),
        "TLS13_CHACHA20_POLY1305_SHA256" => Some("TLS_CHACHA20_POLY1305_SHA256"),
        name => Some(name),
    }
}

/// Records the chain of one handshake, and judges it as the rule says.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    /// Absent if any certificate will do, even one whose key can't be read.
    pub(super) authorities: Option<Arc<Authorities>>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) shown: Shown,
}

impl Witness {
    /// The verdict on the chain, now that `version` is known.
    fn verdict(&self, version: TlsVersion) -> Result<(), rustls::Error> {
        let _ = self.shown.0.version.set(version);
        match self.shown.0.chain.get() {
            Some(Chain { verdict: Some(Err(error)), .. }) => Err(error.clone()),
            Some(_) => Ok(()),
            None => Err(rustls::Error::General("a handshake was signed that showed no certificate".into())),
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        let certificates = chain.map(|certificate| certificate.clone().into_owned()).collect();
        let seen_at = Timestamp::from_millis(i64::try_from(now.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000));
        let judge = self.authorities.as_ref();
        let verdict = judge.map(|judge| judge.verify(end_entity, intermediates, server_name, now));
        // A handshake shows one chain; the first stands.
        let _ = self.shown.0.chain.set(Chain { seen_at, certificates, verdict });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verdict(TlsVersion::V1_2)?;
        match &self.authorities {
            Some(judge) => judge.verifier.verify_tls12_signature(message, cert, dss),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verdict(TlsVersion::V1_3)?;
        match &self.authorities {
            Some(judge) => judge.verifier.verify_tls13_signature(message, cert, dss),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// Shows our certificate to a target that asks for one, and notes that it asked.
#[derive(Debug)]
pub(super) struct Presenter {
    /// Who we are, if the rule says.
    pub(super) identity: Option<Arc<CertifiedKey>>,
    pub(super) shown: Shown,
}

impl ResolvesClientCert for Presenter {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fitting = self.identity.as_ref().filter(|identity| identity.key.choose_scheme(schemes).is_some());
        *self.shown.client_certificate() = match fitting {
            Some(_) => ClientCertificate::Shown,
            None => ClientCertificate::Missing,
        };
        fitting.cloned()
    }

    fn has_certs(&self) -> bool {
        // Asked in any case, so that the question is noted.
        true
    }
}
