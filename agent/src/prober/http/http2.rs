//! One request and its answer over one connection, as HTTP/2.
//!
//! It stands on h2 itself rather than on hyper's client, which wants a runtime to spawn tasks on. A
//! hostile answer can't make it hold more than a head of [`HEAD_BYTES_MAX`] and a window of
//! [`WINDOW_BYTES`] beside what the intake keeps.

use super::http1::HEAD_BYTES_MAX;
use super::intake::{Answer, Intake};
use super::line::{AnyStream, drive, stream_fault};
use crate::prober::trace::Break;
use bytes::Bytes;
use h2::Reason;
use h2::client::Builder;
use http::Request;
use rules::evidence::{Fault, Phase};
use std::pin::pin;

/// How much of a body may be under way: 256 KiB over a way of 100 ms is 2.5 MB a second.
const WINDOW_BYTES: u32 = 256 * 1024;

/// Sends `request` over `stream` and reads the answer as far as `intake` wants it.
pub(super) async fn exchange(
    stream: AnyStream,
    request: Request<()>,
    body: Bytes,
    mut intake: Intake<'_>,
) -> Result<Answer, Break> {
    intake.trace.enter(Phase::FirstByte);
    let head_bytes_max = u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX);
    let (sender, connection) = Builder::new()
        .enable_push(false)
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_header_list_size(head_bytes_max)
        .handshake::<_, Bytes>(stream)
        .await
        .map_err(|error| broken(&error))?;
    let mut connection = pin!(Some(connection));
    let sender = drive(connection.as_mut(), sender.ready()).await;
    let mut sender = sender.map_err(|error| broken(&error))?;
    let (answer, mut upload) = sender.send_request(request, body.is_empty()).map_err(|error| broken(&error))?;
    if !body.is_empty() {
        upload.send_data(body, true).map_err(|error| broken(&error))?;
    }
    let answer = drive(connection.as_mut(), answer).await.map_err(|error| broken(&error))?;
    intake.trace.first_byte().came();
    let (head, mut body) = answer.into_parts();
    intake.head(&head, body.is_end_stream().then_some(0));
    if let Some(location) = intake.leads_to(&head) {
        return Ok(Answer::Redirect { status: head.status, location });
    }
    while let Some(data) = drive(connection.as_mut(), body.data()).await {
        let data = data.map_err(|error| broken(&error))?;
        intake.take(&data)?;
        body.flow_control().release_capacity(data.len()).map_err(|error| broken(&error))?;
    }
    intake.end(head).map(Answer::Whole)
}

/// What h2's complaint means.
fn broken(error: &h2::Error) -> Break {
    let fault = match (error.get_io(), error.reason()) {
        (Some(io), _) => stream_fault(io),
        (None, _) if !error.is_remote() => Fault::Protocol,
        (None, Some(Reason::PROTOCOL_ERROR | Reason::FRAME_SIZE_ERROR | Reason::COMPRESSION_ERROR)) => Fault::Protocol,
        (None, _) => Fault::Reset,
    };
    Break::new(fault, &error.to_string())
}
