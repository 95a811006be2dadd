//! One request and its answer over one connection.
//!
//! A hostile answer can't make it hold more than a head of [`HEAD_BYTES_MAX`] and, only if a rule
//! looks at the body, the target's `body_bytes_max`. The connection is driven by the same task that
//! reads, so nothing is left behind when a deadline drops it.

use crate::prober::trace::{Break, FirstByte, Trace, fault_of};
use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Builder, Connection};
use hyper_util::rt::TokioIo;
use rules::check::{ContentPart, ContentRule, HttpTarget, Redirects};
use rules::evidence::{Fault, Found, HttpFacts, HttpVersion, Phase};
use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The largest head of an answer, and the read buffer: several times what large cookies need.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What came of a request.
pub(crate) enum Answer {
    /// The whole answer was read and noted.
    Whole,
    /// It leads elsewhere, and the target's rule is to follow.
    Redirect { status: StatusCode, location: String },
}

/// Sends `request` over `stream` and reads the answer as far as `target` asks for it.
pub(crate) async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    target: &HttpTarget,
    followed: usize,
    trace: &mut Trace,
) -> Result<Answer, Break>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    trace.enter(Phase::FirstByte);
    let io = TokioIo::new(Tap { stream, first_byte: trace.first_byte() });
    let (mut sender, connection) =
        Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(io).await.map_err(|error| broken(&error))?;
    let mut line = pin!(Some(connection));
    let answer = drive(line.as_mut(), sender.send_request(request)).await.map_err(|error| broken(&error))?;
    let (head, body) = answer.into_parts();
    trace.evidence.http = Some(HttpFacts {
        status: head.status.as_u16(),
        version: version(head.version),
        redirects: u32::try_from(followed).unwrap_or(u32::MAX),
        content_length: body.size_hint().exact(),
        body_bytes: 0,
        found: Vec::new(),
    });
    if let (Redirects::Follow, Some(location)) = (target.redirects, leads_to(head.status, &head.headers)) {
        return Ok(Answer::Redirect { status: head.status, location });
    }
    let kept = read(line, body, target, trace).await?;
    if let Some(facts) = &mut trace.evidence.http {
        facts.found = target.content.iter().map(|rule| look_for(rule, &head.headers, &kept)).collect();
    }
    Ok(Answer::Whole)
}

/// Reads `body` to its end; returns it if a rule looks at it, and nothing otherwise.
async fn read<S>(
    mut line: Line<'_, S>,
    mut body: Incoming,
    target: &HttpTarget,
    trace: &mut Trace,
) -> Result<Vec<u8>, Break>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limit = target.body_bytes_max;
    let too_large = || Break::new(Fault::TooLarge, &format!("the body is larger than {limit} bytes"));
    if limit < body.size_hint().lower() {
        return Err(too_large());
    }
    let keep = target.content.iter().any(|rule| rule.part == ContentPart::Body);
    let mut kept = Vec::new();
    let mut length = 0_u64;
    while let Some(frame) = drive(line.as_mut(), body.frame()).await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        length = length.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if let Some(facts) = &mut trace.evidence.http {
            facts.body_bytes = length;
        }
        if limit < length {
            return Err(too_large());
        }
        if keep {
            kept.extend_from_slice(&data);
        }
    }
    Ok(kept)
}

fn look_for(rule: &ContentRule, headers: &HeaderMap, body: &[u8]) -> Found {
    let found = match &rule.part {
        ContentPart::Body => rule.pattern.is_found(body),
        ContentPart::Header(name) => {
            headers.get_all(name.as_str()).iter().any(|value| rule.pattern.is_found(value.as_bytes()))
        }
    };
    if found { Found::Yes } else { Found::No }
}

fn leads_to(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let leads = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = headers.get(LOCATION).filter(|_| leads)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

fn version(version: Version) -> HttpVersion {
    match version {
        Version::HTTP_10 => HttpVersion::V1_0,
        Version::HTTP_2 => HttpVersion::V2,
        Version::HTTP_3 => HttpVersion::V3,
        _ => HttpVersion::V1_1,
    }
}

/// What hyper's complaint means.
fn broken(error: &hyper::Error) -> Break {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let fault = match io {
        _ if error.is_parse_too_large() => Fault::TooLarge,
        _ if error.is_parse() => Fault::Protocol,
        _ if error.is_user() => Fault::Instruction,
        Some(io) if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => Fault::Tls,
        Some(io) if matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Fault::Protocol,
        Some(io) => fault_of(io).unwrap_or(Fault::Unnamed),
        None if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => Fault::Reset,
        None => Fault::Protocol,
    };
    match io {
        Some(io) => Break::new(fault, &format!("{error}: {io}")),
        None => Break::new(fault, &error.to_string()),
    }
}

/// A connection that runs until it has nothing more to do.
type Line<'a, S> = Pin<&'a mut Option<Connection<TokioIo<Tap<S>>, Full<Bytes>>>>;

/// Runs `work` together with the connection that it waits for.
async fn drive<S, W>(mut line: Line<'_, S>, work: W) -> W::Output
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: Future,
{
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Some(connection) = line.as_mut().as_pin_mut()
            && connection.poll(cx).is_ready()
        {
            // Whatever ended it was told to whoever waits; dropping it tells the rest.
            line.set(None);
        }
        work.as_mut().poll(cx)
    })
    .await
}

/// A stream that reports when something first came.
struct Tap<S> {
    stream: S,
    first_byte: Arc<FirstByte>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if before < buf.filled().len() {
            self.first_byte.came();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
