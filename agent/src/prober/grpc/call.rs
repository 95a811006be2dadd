//! One call over one connection. What the peer can make it hold is bounded: windows and header lists
//! of 16 KiB, and one short message.

use super::message::{self, ANSWER_BYTES_MAX};
use crate::prober::trace::{Break, Trace, fault_of};
use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, Connection};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response, StatusCode};
use rules::evidence::{Facts, Fault, GrpcCode, GrpcStatus, Phase, Said, ServingStatus};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use tokio::io::{AsyncRead, AsyncWrite};

/// The largest header list, window and frame that is taken.
const BYTES_MAX: u32 = 16 * 1024;

/// Calls by `request` with `body` over `stream`, and notes what came of it.
pub(super) async fn call<S>(stream: S, request: Request<()>, body: Bytes, trace: &mut Trace) -> Result<(), Break>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    trace.enter(Phase::FirstByte);
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .max_header_list_size(BYTES_MAX)
        .initial_window_size(BYTES_MAX)
        .initial_connection_window_size(u32::from(u16::MAX))
        .max_concurrent_reset_streams(0);
    let (sender, connection) = builder.handshake::<_, Bytes>(stream).await.map_err(|error| broken(&error))?;
    let mut line = pin!(Some(connection));
    let answer = drive(line.as_mut(), async {
        let (answer, mut sending) = sender.ready().await?.send_request(request, false)?;
        sending.send_data(body, true)?;
        answer.await
    });
    let answer = answer.await.map_err(|error| broken(&error))?;
    trace.first_byte().came();
    let (status, serving) = drive(line, outcome(answer)).await?;
    if let Some(Facts::Grpc(facts)) = &mut trace.evidence.facts {
        (facts.status, facts.serving) = (Some(status), serving);
    }
    Ok(())
}

/// What an answer comes to. Only one that says `OK` has a message that counts.
async fn outcome(answer: Response<RecvStream>) -> Result<(GrpcStatus, Option<ServingStatus>), Break> {
    let (head, mut body) = answer.into_parts();
    if let Some(status) = status_of_http(head.status, &head.headers) {
        return Ok((status, None));
    }
    // A call that fails at once has its status in the head.
    if let Some(status) = status(&head.headers)? {
        return match status.code {
            GrpcCode::OK => Err(Break::new(Fault::Protocol, "the status is OK, and there is no message")),
            _ => Ok((status, None)),
        };
    }
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.map_err(|error| broken(&error))?;
        if ANSWER_BYTES_MAX < message.len() + data.len() {
            return Err(Break::new(Fault::TooLarge, &format!("the answer is larger than {ANSWER_BYTES_MAX} bytes")));
        }
        message.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len()).map_err(|error| broken(&error))?;
    }
    let trailers = body.trailers().await.map_err(|error| broken(&error))?.unwrap_or_default();
    match status(&trailers)? {
        None => Err(Break::new(Fault::Protocol, "the answer ends without a `grpc-status`")),
        Some(status) if status.code == GrpcCode::OK => {
            let serving = message::response(&message)?;
            Ok((status, Some(serving)))
        }
        Some(status) => Ok((status, None)),
    }
}

/// The status that gRPC gives to an answer which is plain HTTP, such as a gateway's own page.
fn status_of_http(http: StatusCode, headers: &HeaderMap) -> Option<GrpcStatus> {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b"missing"[..], |value| value.as_bytes());
    let is_grpc = content_type.starts_with(b"application/grpc");
    let code = match http.as_u16() {
        200 if is_grpc => return None,
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    };
    let content_type = String::from_utf8_lossy(content_type);
    let message = Said::new(&format!("HTTP status {}, content-type {content_type}", http.as_u16()));
    Some(GrpcStatus { code: GrpcCode(code), message })
}

/// The status in `headers`, if there is one.
fn status(headers: &HeaderMap) -> Result<Option<GrpcStatus>, Break> {
    let Some(code) = headers.get("grpc-status") else { return Ok(None) };
    let code = code.to_str().ok().and_then(|code| code.parse().ok());
    let code = code.ok_or_else(|| Break::new(Fault::Protocol, "the `grpc-status` is no number"))?;
    let message = headers.get("grpc-message").map_or(&b""[..], |message| message.as_bytes());
    Ok(Some(GrpcStatus { code: GrpcCode(code), message: Said::new(&percent_decoded(message)) }))
}

fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What h2's complaint means.
fn broken(error: &h2::Error) -> Break {
    let fault = match error.get_io() {
        Some(io) if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => Fault::Tls,
        // h2's own words, without the system's number, for a connection that ended under a stream.
        Some(io) if is_cut(io.kind()) => Fault::Reset,
        Some(io) => fault_of(io).unwrap_or(Fault::Unnamed),
        None if error.is_remote() => Fault::Reset,
        None => Fault::Protocol,
    };
    Break::new(fault, &error.to_string())
}

fn is_cut(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
}

/// A connection that runs until it has nothing more to do.
type Line<'a, S> = Pin<&'a mut Option<Connection<S, Bytes>>>;

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
            // Whatever ended it is told to whoever waits for a stream.
            line.set(None);
        }
        work.as_mut().poll(cx)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_decoded_and_what_is_no_escape_stays() {
        let check = |text: &str, expected: &str| assert_eq!(percent_decoded(text.as_bytes()), expected);
        check("no %EC%95%88 100%", "no 안 100%");
        check("%zz%4", "%zz%4");
        check("%+1", "%+1");
    }

    #[test]
    fn plain_http_has_the_status_that_grpc_gives_it() {
        let check = |http: u16, content_type: Option<&'static str>, expected: Option<u32>| {
            let mut headers = HeaderMap::new();
            headers.extend(content_type.map(|value| (CONTENT_TYPE, value.parse().unwrap())));
            let status = status_of_http(StatusCode::from_u16(http).unwrap(), &headers);
            assert_eq!(status.map(|status| status.code.0), expected, "{http} {content_type:?}");
        };
        check(200, Some("application/grpc+proto"), None);
        check(200, Some("text/html"), Some(2));
        check(200, None, Some(2));
        check(401, Some("application/grpc"), Some(16));
        check(404, None, Some(12));
        check(503, Some("text/html"), Some(14));
        check(500, None, Some(2));
    }
}
