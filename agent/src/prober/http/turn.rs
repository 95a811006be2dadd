//! One request of a fetch, by whichever way leads to its place: straight or through a proxy, with TLS or
//! without, over TCP or QUIC.

use super::ask::Ask;
use super::fetch::Client;
use super::hop::{Hop, Scheme};
#[cfg(feature = "http3")]
use super::http3;
use super::intake::{Answer, Intake, Keep};
use super::jar::Jar;
use super::line::{AnyStream, Stream};
use super::proxy::{Server, Speaks};
use super::{http1, http2, tunnel};
use crate::prober::Means;
use crate::prober::connect::permit;
use crate::prober::handshake::Alpn;
use crate::prober::trace::{Break, Trace};
use rules::check::{HttpVersions, ResolvedBy};
use rules::evidence::{Phase, Way};
use std::time::Duration;

/// One request of a fetch.
pub(super) struct Turn<'a> {
    pub(super) client: &'a Client,
    pub(super) means: &'a Means,
    pub(super) budget: Duration,
    pub(super) keep: Keep,
    pub(super) followed: usize,
}

impl Turn<'_> {
    /// Sends `ask` over a connection of its own.
    pub(super) async fn take(&self, ask: &Ask, to: &Hop, jar: &mut Jar, trace: &mut Trace) -> Result<Answer, Break> {
        let options = &self.client.options;
        // The states of all ways but the plainest are large, and most probes of a plain page never
        // have them: they are boxed.
        if let Some(proxy) = self.client.proxies.before(to) {
            return Box::pin(self.through(proxy, ask, to, jar, trace)).await;
        }
        #[cfg(feature = "http3")]
        if options.versions == HttpVersions::Http3 {
            return Box::pin(self.over_quic(ask, to, jar, trace)).await;
        }
        let stream = self.means.connect(&to.host, to.port, &options.route, self.budget, trace).await?;
        match to.scheme {
            Scheme::Http => {
                let request = ask.request(to, jar);
                http1::exchange(stream, request, self.intake(to, Way::Direct, jar, trace)).await
            }
            Scheme::Https => Box::pin(self.over_tls(stream, Way::Direct, ask, to, jar, trace)).await,
        }
    }

    /// Sends `ask` over TLS, in the version of HTTP that the server chooses.
    async fn over_tls<S: Stream + 'static>(
        &self,
        stream: S,
        way: Way,
        ask: &Ask,
        to: &Hop,
        jar: &mut Jar,
        trace: &mut Trace,
    ) -> Result<Answer, Break> {
        let options = &self.client.options;
        trace.enter(Phase::Tls);
        let client = self.means.clients.client(&options.tls, alpn(options.versions))?;
        let stream = client.handshake(stream, to.server_name()?, trace).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream: AnyStream = Box::new(stream);
        if is_http2 {
            let request = ask.framed(to, jar)?;
            http2::exchange(stream, request, ask.body.clone(), self.intake(to, way, jar, trace)).await
        } else {
            let request = ask.request(to, jar);
            http1::exchange(stream, request, self.intake(to, way, jar, trace)).await
        }
    }

    #[cfg(feature = "http3")]
    async fn over_quic(&self, ask: &Ask, to: &Hop, jar: &mut Jar, trace: &mut Trace) -> Result<Answer, Break> {
        let options = &self.client.options;
        let (endpoint, connection) = http3::connect(to, options, self.means, self.budget, trace).await?;
        let request = ask.framed(to, jar)?;
        let intake = self.intake(to, Way::Direct, jar, trace);
        let answer = http3::exchange(connection, request, ask.body.clone(), intake).await;
        drop(endpoint);
        answer
    }

    /// Sends `ask` through `proxy`: as it is to an HTTP proxy, and through a tunnel over TLS or SOCKS.
    async fn through(
        &self,
        proxy: &Server,
        ask: &Ask,
        to: &Hop,
        jar: &mut Jar,
        trace: &mut Trace,
    ) -> Result<Answer, Break> {
        let options = &self.client.options;
        let host = match options.proxy.resolved_by {
            ResolvedBy::Proxy => to.host_text().to_owned(),
            ResolvedBy::Agent => {
                trace.enter(Phase::Resolve);
                // The proxy is asked for one address; whether it answers is the proxy's to find out.
                let addresses = self.means.resolvers.addresses(&to.host, options.route.ip).await?;
                permit(&self.means.reach, addresses[0])?;
                addresses[0].to_string()
            }
        };
        let stream = self.means.connect(&proxy.host, proxy.port, &options.route, self.budget, trace).await?;
        let mut stream: AnyStream = match proxy.speaks {
            Speaks::Http | Speaks::Socks5 => Box::new(stream),
            Speaks::Https => {
                let name = Hop::read(&format!("https://{}/", proxy.place()))?.server_name()?;
                let client = self.means.clients.client(&options.tls, Alpn::Http1)?;
                // What the proxy shows is not what the target shows.
                let before = trace.evidence.tls.take();
                let stream = client.handshake(stream, name, trace).await?;
                trace.evidence.tls = before;
                Box::new(stream)
            }
        };
        match (proxy.speaks, to.scheme) {
            (Speaks::Http | Speaks::Https, Scheme::Http) => {
                let request = ask.proxied(&host, proxy, to, jar)?;
                return http1::exchange(stream, request, self.intake(to, Way::Proxy, jar, trace)).await;
            }
            (Speaks::Http | Speaks::Https, Scheme::Https) => {
                tunnel::connect(&mut stream, proxy, (&host, to.port), &options.proxy.connect_headers).await?;
            }
            (Speaks::Socks5, _) => tunnel::socks5(&mut stream, proxy, (&host, to.port)).await?,
        }
        match to.scheme {
            Scheme::Https => self.over_tls(stream, Way::Proxy, ask, to, jar, trace).await,
            Scheme::Http => {
                let request = ask.request(to, jar);
                http1::exchange(stream, request, self.intake(to, Way::Proxy, jar, trace)).await
            }
        }
    }

    fn intake<'i>(&'i self, to: &'i Hop, way: Way, jar: &'i mut Jar, trace: &'i mut Trace) -> Intake<'i> {
        Intake::new(&self.client.options, to, (self.followed, way), self.keep, jar, trace)
    }
}

/// What is offered to a server by TLS.
pub(super) fn alpn(versions: HttpVersions) -> Alpn {
    match versions {
        HttpVersions::Http1 => Alpn::Http1,
        HttpVersions::Http2OrHttp1 => Alpn::Http2OrHttp1,
        HttpVersions::Http3 => Alpn::Http3,
    }
}
