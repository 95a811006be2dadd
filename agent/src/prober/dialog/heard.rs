//! What a target says, in lines or bytes, with bounds on both.

use super::broken_off;
use crate::prober::trace::{Break, FirstByte};
use bytes::{Bytes, BytesMut};
use rules::check::Pattern;
use rules::evidence::{Ending, Fault};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest line, as in blackbox_exporter.
pub(super) const LINE_BYTES_MAX: usize = 64 * 1024;
/// The most that is read in one dialog: no greeting is near it, and a machine that prints for ever
/// passes it in a moment.
pub(super) const DIALOG_BYTES_MAX: usize = 1024 * 1024;
/// What is asked of the system at a time.
const READ_BYTES: usize = 4 * 1024;
/// How many of the first bytes are held against what must not come.
const REJECT_BYTES: usize = 1024;

/// A connection of any make.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A connection, and what came over it that was not listened to yet.
pub(super) struct Heard {
    wire: Box<dyn Wire>,
    waiting: BytesMut,
    /// How much of what waits is known not to hold what is looked for.
    scanned: usize,
    total: usize,
    first_byte: Arc<FirstByte>,
}

impl Heard {
    pub(super) fn new(wire: Box<dyn Wire>, first_byte: Arc<FirstByte>) -> Heard {
        Heard { wire, waiting: BytesMut::new(), scanned: 0, total: 0, first_byte }
    }

    /// Whether nothing ever came.
    pub(super) fn is_silent(&self) -> bool {
        self.total == 0
    }

    /// The connection, for TLS or for its end. What was said ahead in plain text would be taken for a
    /// part of what follows, so it is refused.
    pub(super) fn into_wire(self) -> Result<Box<dyn Wire>, Break> {
        if !self.waiting.is_empty() {
            let detail = "the target went on in plain text where TLS should begin";
            return Err(Break::new(Fault::Protocol, detail));
        }
        Ok(self.wire)
    }

    /// The next line without its end; absent if there is no more.
    pub(super) async fn line(&mut self) -> Result<Option<Bytes>, Break> {
        loop {
            if let Some(at) = self.waiting[self.scanned..].iter().position(|&byte| byte == b'\n') {
                let mut line = self.waiting.split_to(self.scanned + at + 1);
                self.scanned = 0;
                line.truncate(line.len() - 1);
                return Ok(Some(without_return(line)));
            }
            self.scanned = self.waiting.len();
            if LINE_BYTES_MAX <= self.scanned {
                return Err(Break::new(Fault::TooLarge, &format!("a line is longer than {LINE_BYTES_MAX} bytes")));
            }
            if !self.more().await? {
                self.scanned = 0;
                let rest = self.waiting.split();
                return Ok((!rest.is_empty()).then(|| without_return(rest)));
            }
        }
    }

    /// Reads until `wanted` came; answers with what came, and how it ended if that was not among it.
    pub(super) async fn bytes(
        &mut self,
        wanted: &[u8],
        reject: Option<&Pattern>,
    ) -> Result<(Bytes, Option<Ending>), Break> {
        self.scanned = 0;
        loop {
            let from = self.scanned.saturating_sub(wanted.len());
            if let Some(at) = self.waiting[from..].windows(wanted.len().max(1)).position(|seen| seen == wanted) {
                let came = self.waiting.split_to(from + at + wanted.len());
                self.scanned = 0;
                return Ok((came.freeze(), None));
            }
            let first = &self.waiting[..self.waiting.len().min(REJECT_BYTES)];
            if self.scanned < REJECT_BYTES && !first.is_empty() && reject.is_some_and(|reject| reject.is_found(first)) {
                return Ok((self.waiting.split().freeze(), Some(Ending::Rejected)));
            }
            self.scanned = self.waiting.len();
            if LINE_BYTES_MAX <= self.scanned {
                // What was looked through is let go, but for what may be the beginning of what is wanted.
                let _ = self.waiting.split_to(self.scanned - wanted.len().min(self.scanned));
                self.scanned = self.waiting.len();
            }
            if !self.more().await? {
                self.scanned = 0;
                return Ok((self.waiting.split().freeze(), Some(Ending::Closed)));
            }
        }
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) -> Result<(), Break> {
        let said = async {
            self.wire.write_all(bytes).await?;
            self.wire.flush().await
        };
        said.await.map_err(|error| broken_off(&error))
    }

    /// Reads what comes next; false if nothing comes any more.
    async fn more(&mut self) -> Result<bool, Break> {
        self.waiting.reserve(READ_BYTES);
        let read = match self.wire.read_buf(&mut self.waiting).await {
            Ok(read) => read,
            // TLS without its farewell: servers often leave so, and the dialog shows whether all was said.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(broken_off(&error)),
        };
        if read == 0 {
            return Ok(false);
        }
        self.first_byte.came();
        self.total += read;
        if DIALOG_BYTES_MAX < self.total {
            let detail = format!("the target said more than {DIALOG_BYTES_MAX} bytes, and not what was expected");
            return Err(Break::new(Fault::TooLarge, &detail));
        }
        Ok(true)
    }
}

fn without_return(mut line: BytesMut) -> Bytes {
    if line.last() == Some(&b'\r') {
        line.truncate(line.len() - 1);
    }
    line.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prober::trace::Trace;
    use daemon::clock::Clock;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::io::ReadBuf;

    /// What is heard of `pieces`, each of which comes in a read of its own.
    fn heard(pieces: &[&[u8]]) -> Heard {
        let pieces = pieces.iter().rev().map(|piece| piece.to_vec()).collect();
        Heard::new(Box::new(Pieces(pieces)), Trace::begin(&Clock::system()).first_byte())
    }

    struct Pieces(Vec<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            if let Some(piece) = self.0.pop() {
                let (now, later) = piece.split_at(piece.len().min(buf.remaining()));
                buf.put_slice(now);
                if !later.is_empty() {
                    self.0.push(later.to_vec());
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Pieces {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn lines_come_whole_however_they_are_cut() {
        let mut heard = heard(&[b"one\r", b"\ntw", b"o\n\nfour"]);
        for expected in [&b"one"[..], b"two", b"", b"four"] {
            assert_eq!(heard.line().await.unwrap().unwrap(), expected);
        }
        assert_eq!(heard.line().await.unwrap(), None);
    }

    #[tokio::test]
    async fn bytes_are_found_across_reads_and_what_follows_stays() {
        let mut found = heard(&[b"xxA", b"B", b"Crest\n"]);
        assert_eq!(found.bytes(b"ABC", None).await.unwrap(), (Bytes::from_static(b"xxABC"), None));
        assert_eq!(found.line().await.unwrap().unwrap(), &b"rest"[..]);
        let mut missing = heard(&[b"AB", b"AB"]);
        assert_eq!(missing.bytes(b"ABC", None).await.unwrap().1, Some(Ending::Closed));
        let reject = Pattern::new("^N").unwrap();
        let mut rejected = heard(&[b"No"]);
        assert_eq!(rejected.bytes(b"S", Some(&reject)).await.unwrap().1, Some(Ending::Rejected));
    }

    #[tokio::test]
    async fn bytes_are_found_after_more_than_is_held() {
        let mut pieces: Vec<&[u8]> = vec![&[b'x'; READ_BYTES]; 40];
        pieces.extend([&b"A"[..], b"B"]);
        let mut heard = heard(&pieces);
        assert_eq!(heard.bytes(b"AB", None).await.unwrap().1, None);
        assert!(heard.waiting.capacity() <= 2 * LINE_BYTES_MAX, "{}", heard.waiting.capacity());
    }

    #[tokio::test]
    async fn a_line_or_a_dialog_without_end_is_cut_off() {
        let fault = heard(&[&[b'x'; 2 * LINE_BYTES_MAX]]).line().await.unwrap_err().fault;
        assert_eq!(fault, Fault::TooLarge);
        let mut endless = heard(&[&[b'\n'; DIALOG_BYTES_MAX + 1]]);
        let broken = loop {
            if let Err(broken) = endless.line().await {
                break broken;
            }
        };
        assert_eq!(broken.fault, Fault::TooLarge);
    }

    #[tokio::test]
    async fn what_was_said_ahead_of_tls_is_refused() {
        let mut heard = heard(&[b"220 go ahead\r\n250 injected\r\n"]);
        heard.line().await.unwrap();
        assert_eq!(heard.into_wire().err().unwrap().fault, Fault::Protocol);
    }
}
