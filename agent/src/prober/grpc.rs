//! Probes a gRPC server by its health protocol (`grpc.health.v1.Health/Check`).
//!
//! It speaks HTTP/2 by h2, which needs no task of its own: connection and call run in the probe and
//! end with it, so the deadline is real. The server is told of it too. What the answer means is for
//! [`rules::judge`].

mod call;
mod message;

use super::Means;
use super::handshake::{Alpn, Client, server_name};
use super::resolve::Host;
use super::trace::{Break, Trace};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use call::call;
use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use rules::check::{GrpcTarget, Metadata, Route};
use rules::evidence::{Facts, Fault, Phase};
use rustls::pki_types::ServerName;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// A server and a service, ready to be probed.
#[derive(Debug)]
pub(crate) struct Grpc {
    host: Host,
    port: u16,
    route: Route,
    tls: Option<(Arc<Client>, ServerName<'static>)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Grpc {
    pub(crate) fn prepare(target: &GrpcTarget, means: &Means) -> Result<Grpc, Break> {
        let tls = match &target.tls {
            None => None,
            Some(rule) => Some((means.clients.client(rule, Alpn::Http2)?, server_name(rule, &target.host)?)),
        };
        let host = Host::read(&target.host)?;
        let port = target.port();
        let authority = match &host {
            Host::Address(IpAddr::V6(address)) => format!("[{address}]:{port}"),
            Host::Address(IpAddr::V4(address)) => format!("{address}:{port}"),
            Host::Name(name) => format!("{}:{port}", name.to_ascii().trim_end_matches('.')),
        };
        let uri = Uri::builder()
            .scheme(if tls.is_some() { "https" } else { "http" })
            .authority(authority)
            .path_and_query("/grpc.health.v1.Health/Check")
            .build()
            .map_err(|error| Break::new(Fault::Instruction, &format!("the host `{}`: {error}", target.host)))?;
        let headers = headers(&target.metadata)?;
        let body = message::request(&target.service);
        Ok(Grpc { host, port, route: target.route.clone(), tls, uri, headers, body })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        trace.evidence.facts = Some(Facts::Grpc(Box::default()));
        let stream = means.connect(&self.host, self.port, &self.route, budget, trace).await?;
        match &self.tls {
            None => call(stream, self.request(budget, trace), self.body.clone(), trace).await,
            Some((client, name)) => {
                trace.enter(Phase::Tls);
                let stream = client.handshake(stream, name.clone(), trace).await?;
                Box::pin(call(stream, self.request(budget, trace), self.body.clone(), trace)).await
            }
        }
    }

    /// The request, which says how much of `budget` is left.
    fn request(&self, budget: Duration, trace: &Trace) -> Request<()> {
        let mut request = Request::new(());
        *request.version_mut() = Version::HTTP_2;
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let left = budget.saturating_sub(trace.elapsed());
        request.headers_mut().insert(HeaderName::from_static("grpc-timeout"), timeout(left));
        request
    }
}

/// The header that tells a server how long its answer is waited for: at most eight digits.
fn timeout(left: Duration) -> HeaderValue {
    let (millis, seconds) = (left.as_millis(), left.as_secs().min(99_999_999));
    let text = if millis <= 99_999_999 { format!("{millis}m") } else { format!("{seconds}S") };
    HeaderValue::from_str(&text).expect("digits and a letter are a header's value")
}

fn headers(Metadata(entries): &Metadata) -> Result<HeaderMap, Break> {
    let refuse = |name: &str| Break::new(Fault::Instruction, &format!("the metadata `{name}` can't be sent"));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(USER_AGENT, HeaderValue::from_static(daemon::version::USER_AGENT));
    for (name, value) in entries {
        let parsed: HeaderName = name.parse().map_err(|_| refuse(name))?;
        let binary = name.ends_with("-bin").then(|| STANDARD_NO_PAD.encode(value));
        // The value may be a secret: only its name is said.
        let mut value: HeaderValue = binary.as_ref().unwrap_or(value).parse().map_err(|_| refuse(name))?;
        value.set_sensitive(true);
        headers.append(parsed, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_travels_in_at_most_eight_digits() {
        let check = |left: Duration, expected: &str| assert_eq!(timeout(left), expected);
        check(Duration::from_micros(9_999_999), "9999m");
        check(Duration::ZERO, "0m");
        check(Duration::from_secs(100_000), "100000S");
        check(Duration::MAX, "99999999S");
    }

    #[test]
    fn binary_metadata_travels_as_base64() {
        let entries = [("x-key-bin", "안"), ("x-key", "plain"), ("x-key", "twice")];
        let entries = entries.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers = headers(&Metadata(entries.to_vec())).unwrap();
        assert_eq!(headers["x-key-bin"], "7JWI");
        assert!(headers.get_all("x-key").iter().eq(["plain", "twice"]));
        let error = super::headers(&Metadata(vec![("x-key".into(), "se\ncret".into())])).unwrap_err();
        assert!(!error.detail.as_str().contains("cret"), "{error:?}");
    }
}
