//! What is sent: the same request in the words of each version of HTTP, with or without a proxy.

use super::credentials::{basic, secret_header};
use super::hop::Hop;
use super::jar::Jar;
use super::proxy::{Server, authority};
use crate::prober::trace::Break;
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::Full;
use rules::evidence::Fault;

/// What is sent, but for where it goes.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Ask {
    /// As HTTP/1.1 has it.
    pub(super) fn request(&self, to: &Hop, jar: &Jar) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = to.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        headers.entry(HOST).or_insert_with(|| to.authority.clone());
        if let Some(cookies) = jar.header(to, self.headers.get(COOKIE)) {
            headers.insert(COOKIE, cookies);
        }
        request
    }

    /// As an HTTP proxy is asked: for the whole URL, with `host` in it.
    pub(super) fn proxied(
        &self,
        host: &str,
        proxy: &Server,
        to: &Hop,
        jar: &Jar,
    ) -> Result<http::Request<Full<Bytes>>, Break> {
        let mut request = self.request(to, jar);
        *request.uri_mut() = whole("http", &authority(host, to.port), to)?;
        if let Some((user, password)) = &proxy.who {
            let who = secret_header(&basic(user.expose(), password.expose()))?;
            request.headers_mut().insert(PROXY_AUTHORIZATION, who);
        }
        Ok(request)
    }

    /// As HTTP/2 and later are asked: the host stands in the URL, and nothing is said of connections.
    pub(super) fn framed(&self, to: &Hop, jar: &Jar) -> Result<http::Request<()>, Break> {
        let mut request = self.request(to, jar).map(drop);
        let host = request.headers_mut().remove(HOST).unwrap_or_else(|| to.authority.clone());
        request.headers_mut().remove(CONNECTION);
        *request.uri_mut() = whole("https", &String::from_utf8_lossy(host.as_bytes()), to)?;
        Ok(request)
    }

    /// Changes what is sent as browsers do when they are sent elsewhere: a form is not posted twice,
    /// and secrets meant for one host are not told to another.
    pub(super) fn redirect(&mut self, status: StatusCode, from: &Hop, to: &Hop) {
        let keeps = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if !keeps && self.method != Method::HEAD && self.method != Method::GET {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(CONTENT_TYPE);
        }
        if !from.trusts(to) {
            // Any header of the operator's own may be a key to the host that it was written for.
            let told = [USER_AGENT, ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_TYPE];
            let kept = told.into_iter().filter_map(|name| self.headers.remove(&name).map(|value| (name, value)));
            self.headers = kept.collect();
        }
    }
}

/// The whole URL of `to` at `authority`.
fn whole(scheme: &str, authority: &str, to: &Hop) -> Result<http::Uri, Break> {
    let uri = format!("{scheme}://{authority}{}", to.uri);
    uri.parse().map_err(|_| Break::new(Fault::Instruction, &format!("the host `{authority}` can't be asked for")))
}
