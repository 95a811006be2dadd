//! Whom a chain of certificates must lead to, and how long those chains that do so last.

use crate::prober::certificate::expires_at;
use crate::prober::trace::Break;
use rules::check::Pem;
use rules::evidence::Fault;
use rules::time::Timestamp;
use rustls::RootCertStore;
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use std::cell::Cell;
use std::sync::Arc;
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

/// Authorities, and the verifier that trusts them.
#[derive(Debug)]
pub(super) struct Authorities {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    /// When each of the roots ends, where that is known.
    ends: Vec<Option<Timestamp>>,
}

impl Authorities {
    /// Those of `pem`, or else the machine's, or else Mozilla's as of this build.
    pub(super) fn read(pem: Option<&Pem>, provider: &Arc<CryptoProvider>) -> Result<Authorities, Break> {
        let (roots, ends) = match pem {
            Some(pem) => given(pem)?,
            None => of_machine(),
        };
        let roots = Arc::new(roots);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
            .build()
            .map_err(|error| Break::new(Fault::Instruction, &format!("the authorities can't be used: {error}")))?;
        Ok(Authorities { verifier, provider: Arc::clone(provider), roots, ends })
    }

    /// Verifies a chain for `name`; when it holds, answers when the last of the chains to an authority ends.
    pub(super) fn verify(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<Timestamp, rustls::Error> {
        match self.last_chain_end(own, others, now) {
            Some(end) => verify_server_name(&ParsedCertificate::try_from(own)?, name).map(|()| end),
            // No chain: the library's own verifier finds the words for why.
            None => {
                let far = Timestamp::MAX;
                rustls::client::danger::ServerCertVerifier::verify_server_cert(
                    &*self.verifier,
                    own,
                    others,
                    name,
                    &[],
                    now,
                )
                .map(|_| expires_at(own).unwrap_or(far))
            }
        }
    }

    /// Looks at every chain to an authority, not only the first: each is turned down once its end is noted,
    /// so that the search goes on. The library bounds how much work that may be.
    fn last_chain_end(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<Timestamp> {
        let certificate = EndEntityCert::try_from(own).ok()?;
        let own_end = expires_at(own)?;
        let last = Cell::new(None);
        let note = |path: &VerifiedPath<'_>| {
            let above = path.intermediate_certificates().filter_map(|above| expires_at(&above.der()));
            let end = above.chain(self.end_of(path.anchor())).fold(own_end, Timestamp::min);
            last.set(last.get().max(Some(end)));
            Err(webpki::Error::UnknownIssuer)
        };
        let algorithms = self.provider.signature_verification_algorithms.all;
        let roots = &self.roots.roots;
        let _ =
            certificate.verify_for_usage(algorithms, roots, others, now, KeyUsage::server_auth(), None, Some(&note));
        last.get()
    }

    fn end_of(&self, anchor: &TrustAnchor<'_>) -> Option<Timestamp> {
        let at = self.roots.roots.iter().position(|root| root == anchor)?;
        self.ends.get(at).copied().flatten()
    }
}

type Roots = (RootCertStore, Vec<Option<Timestamp>>);

fn given(pem: &Pem) -> Result<Roots, Break> {
    let what = described("the authorities", pem);
    let refuse = |why: String| Break::new(Fault::Instruction, &format!("{what}: {why}"));
    let (mut roots, mut ends) = (RootCertStore::empty(), Vec::new());
    for certificate in certificates(pem, "the authorities")? {
        let end = expires_at(&certificate);
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
        ends.push(end);
    }
    Ok((roots, ends))
}

/// The machine's authorities, or Mozilla's if it has none, as in a bare container.
fn of_machine() -> Roots {
    let (mut roots, mut ends) = (RootCertStore::empty(), Vec::new());
    for certificate in rustls_native_certs::load_native_certs().certs {
        let end = expires_at(&certificate);
        // Collections of authorities hold some that are too old to be read; chains to them don't hold.
        if roots.add(certificate).is_ok() {
            ends.push(end);
        }
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    (roots, ends)
}

/// The certificates in `pem`, one at least; `what` is what they are, for messages.
pub(super) fn certificates(pem: &Pem, what: &str) -> Result<Vec<CertificateDer<'static>>, Break> {
    let what = described(what, pem);
    let refuse = |why: &str| Break::new(Fault::Instruction, &format!("{what}: {why}"));
    let read: Result<Vec<_>, _> = match pem {
        Pem::Inline(text) => CertificateDer::pem_slice_iter(text.as_bytes()).collect(),
        Pem::File(file) => CertificateDer::pem_file_iter(file).and_then(Iterator::collect),
    };
    match read {
        Ok(certificates) if certificates.is_empty() => Err(refuse("has no certificate; write them in PEM")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(refuse(&error.to_string())),
    }
}

/// `what`, and the file that it is in; never what is in it.
pub(super) fn described(what: &str, pem: &Pem) -> String {
    match pem {
        Pem::Inline(_) => format!("{what} in the configuration"),
        Pem::File(file) => format!("{what}' file {file}"),
    }
}
