//! What the versions of HTTP over one connection share: the connection is driven by the same task that
//! waits for it, so nothing is left behind when a deadline drops them.

use crate::prober::trace::{FirstByte, fault_of};
use rules::evidence::Fault;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of whatever kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A stream whose kind nobody needs to know any more: through a proxy, or with TLS.
pub(super) type AnyStream = Box<dyn Stream>;

/// Runs `work` together with the connection that it waits for.
pub(super) async fn drive<C: Future, W: Future>(mut connection: Pin<&mut Option<C>>, work: W) -> W::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Some(running) = connection.as_mut().as_pin_mut()
            && running.poll(cx).is_ready()
        {
            // Whatever ended it was told to whoever waits; dropping it tells the rest.
            connection.set(None);
        }
        work.as_mut().poll(cx)
    })
    .await
}

/// What an error of the stream below HTTP means.
pub(super) fn stream_fault(error: &io::Error) -> Fault {
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return Fault::Tls;
    }
    if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) {
        return Fault::Protocol;
    }
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Fault::Reset;
    }
    fault_of(error).unwrap_or(Fault::Unnamed)
}

/// A stream that reports when something first came.
pub(super) struct Tap<S> {
    pub(super) stream: S,
    pub(super) first_byte: Arc<FirstByte>,
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
