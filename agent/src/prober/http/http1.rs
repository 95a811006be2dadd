//! One request and its answer over one connection, as HTTP/1.1.
//!
//! A hostile answer can't make it hold more than a head of [`HEAD_BYTES_MAX`] and what the intake
//! keeps.

use super::intake::{Answer, Intake};
use super::line::{Stream, Tap, drive, stream_fault};
use crate::prober::trace::Break;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::client::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use rules::evidence::{Fault, Phase};
use std::error::Error as _;
use std::io;
use std::pin::pin;

/// The largest head of an answer, and the read buffer: several times what large cookies need.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Sends `request` over `stream` and reads the answer as far as `intake` wants it.
pub(super) async fn exchange<S: Stream>(
    stream: S,
    request: Request<Full<Bytes>>,
    mut intake: Intake<'_>,
) -> Result<Answer, Break> {
    intake.trace.enter(Phase::FirstByte);
    let io = TokioIo::new(Tap { stream, first_byte: intake.trace.first_byte() });
    let (mut sender, connection) =
        Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(io).await.map_err(|error| broken(&error))?;
    let mut line = pin!(Some(connection));
    let answer = drive(line.as_mut(), sender.send_request(request)).await.map_err(|error| broken(&error))?;
    let (head, mut body) = answer.into_parts();
    intake.head(&head, body.size_hint().exact());
    if let Some(location) = intake.leads_to(&head) {
        return Ok(Answer::Redirect { status: head.status, location });
    }
    intake.announce(body.size_hint().lower())?;
    while let Some(frame) = drive(line.as_mut(), body.frame()).await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        intake.take(&data)?;
    }
    intake.end(head).map(Answer::Whole)
}

/// What hyper's complaint means.
fn broken(error: &hyper::Error) -> Break {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let fault = match io {
        _ if error.is_parse_too_large() => Fault::TooLarge,
        _ if error.is_parse() => Fault::Protocol,
        _ if error.is_user() => Fault::Instruction,
        Some(io) => stream_fault(io),
        None if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => Fault::Reset,
        None => Fault::Protocol,
    };
    match io {
        Some(io) => Break::new(fault, &format!("{error}: {io}")),
        None => Break::new(fault, &error.to_string()),
    }
}
