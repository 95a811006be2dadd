//! How long a peer may keep us waiting: for its first bytes, for its body, for reading ours.
//!
//! hyper's own time-outs cover a request's head; these cover the rest. None limits how long a
//! handler thinks, so that a long poll may stay open.

use axum::BoxError;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A connection must bring the length of HTTP/2's preface within this time; any HTTP/1 request
/// with a `Host` is longer.
const OPENING_TIME: Duration = Duration::from_secs(10);
const OPENING_BYTES: usize = 24;
/// A peer that takes nothing for this long is gone, or wants our memory.
const STALL_TIME: Duration = Duration::from_secs(30);
/// From a request's head to the end of its body: a full block in this time is 20 kB/s.
const BODY_TIME: Duration = Duration::from_secs(60);

/// A connection that is given up on when its peer dawdles.
pub(crate) struct PatientIo<S> {
    stream: S,
    opening: Option<Opening>,
    stall: Option<Pin<Box<Sleep>>>,
}

struct Opening {
    bytes_left: usize,
    deadline: Pin<Box<Sleep>>,
}

impl<S> PatientIo<S> {
    pub(crate) fn new(stream: S) -> PatientIo<S> {
        let opening = Opening { bytes_left: OPENING_BYTES, deadline: Box::pin(sleep(OPENING_TIME)) };
        PatientIo { stream, opening: Some(opening), stall: None }
    }

    /// Turns a write that has been pending for too long into an error.
    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(STALL_TIME)));
        ready!(stall.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PatientIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(opening) = &mut self.opening else { return read };
        opening.bytes_left = opening.bytes_left.saturating_sub(buffer.filled().len() - before);
        if opening.bytes_left == 0 {
            self.opening = None;
        } else if read.is_pending() && opening.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer asks nothing")));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PatientIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, shut)
    }
}

/// A request's body that must arrive within [`BODY_TIME`] of being asked for.
pub(crate) struct PatientBody {
    body: Incoming,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl PatientBody {
    pub(crate) fn new(body: Incoming) -> PatientBody {
        PatientBody { body, deadline: None }
    }
}

impl Body for PatientBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = frame {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(BODY_TIME)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Some(Err("the body did not arrive in time".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// A connection with room for 64 bytes either way, whose patience ends after `patience`.
    fn connection(patience: Duration) -> (PatientIo<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (ours, theirs) = duplex(64);
        let opening = Opening { bytes_left: OPENING_BYTES, deadline: Box::pin(sleep(patience)) };
        let stall = Some(Box::pin(sleep(patience)));
        (PatientIo { stream: ours, opening: Some(opening), stall }, theirs)
    }

    #[tokio::test]
    async fn a_peer_that_drips_its_first_bytes_is_given_up_on() {
        let (mut ours, mut theirs) = connection(Duration::from_millis(5));
        theirs.write_all(b"PRI * HTTP/2.0").await.unwrap();
        let error = ours.read_exact(&mut [0; OPENING_BYTES]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_asked_may_be_silent_for_as_long_as_it_likes() {
        let (mut ours, mut theirs) = connection(Duration::from_millis(5));
        theirs.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        ours.read_exact(&mut [0; OPENING_BYTES]).await.unwrap();
        let mut rest = Vec::new();
        let silent = tokio::time::timeout(Duration::from_millis(20), ours.read_to_end(&mut rest)).await;
        assert!(silent.is_err(), "it is still waited for");
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up_on() {
        let (mut ours, _theirs) = connection(Duration::from_millis(5));
        ours.stall = None;
        ours.write_all(&[0; 64]).await.unwrap();
        ours.stall = Some(Box::pin(sleep(Duration::from_millis(5))));
        assert_eq!(ours.write_all(&[0]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
