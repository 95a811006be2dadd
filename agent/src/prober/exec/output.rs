//! What a command writes: the first of it kept, the rest read and dropped, up to a limit.

use rules::evidence::{ExecFacts, ProcessEnd};
use rustix::io::retry_on_intr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStderr, ChildStdout};

/// How much is kept: what Nagios keeps.
const KEPT_BYTES_MAX: usize = 8 * 1024;
/// How much is read in all: a command that writes more is broken, and reading on would burn time.
pub(super) const BYTES_MAX: u64 = 1024 * 1024;
/// How much is read at once.
const PIECE_BYTES: usize = 4 * 1024;

/// Both outputs of a command.
#[derive(Debug)]
pub(super) struct Output {
    out: Stream<ChildStdout>,
    errors: Stream<ChildStderr>,
}

/// What came of waiting for output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// Some came.
    Some,
    /// More came than may.
    TooMuch,
}

impl Output {
    pub(super) fn of(child: &mut Child) -> Output {
        Output { out: Stream::new(child.stdout.take()), errors: Stream::new(child.stderr.take()) }
    }

    /// Waits for more; forever, once both ends are closed. Safe to drop at any time.
    pub(super) async fn take(&mut self) -> Taken {
        tokio::select! {
            () = self.out.take() => {}
            () = self.errors.take() => {}
        }
        if BYTES_MAX < self.out.seen.max(self.errors.seen) { Taken::TooMuch } else { Taken::Some }
    }

    /// Takes what lies in the pipes, without waiting.
    pub(super) fn take_what_is_there(&mut self) {
        self.out.take_what_is_there();
        self.errors.take_what_is_there();
    }

    pub(super) fn facts(&self, end: ProcessEnd) -> ExecFacts {
        let text = |kept: &[u8]| String::from_utf8_lossy(kept).into_owned();
        ExecFacts::read(end, &text(&self.out.kept), &text(&self.errors.kept), self.out.seen)
    }
}

/// One output; absent once it is closed.
#[derive(Debug)]
struct Stream<R> {
    pipe: Option<R>,
    kept: Vec<u8>,
    seen: u64,
}

impl<R: AsyncRead + AsFd + Unpin> Stream<R> {
    fn new(pipe: Option<R>) -> Stream<R> {
        Stream { pipe, kept: Vec::new(), seen: 0 }
    }

    async fn take(&mut self) {
        let mut piece = [0; PIECE_BYTES];
        loop {
            let Some(pipe) = &mut self.pipe else { return std::future::pending().await };
            match pipe.read(&mut piece).await {
                Ok(length) if 0 < length => return self.keep(&piece[..length]),
                Ok(_) | Err(_) => self.pipe = None,
            }
        }
    }

    /// Reads until the pipe is empty, closed or has given as much as may be read. The runtime's own
    /// reading might not know yet that something is there.
    fn take_what_is_there(&mut self) {
        let Some(pipe) = self.pipe.take() else { return };
        let mut piece = [0; PIECE_BYTES];
        while self.seen <= BYTES_MAX {
            match read_now(pipe.as_fd(), &mut piece) {
                Ok(length) if 0 < length => self.keep(&piece[..length]),
                Ok(_) | Err(_) => return,
            }
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = KEPT_BYTES_MAX - self.kept.len();
        self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
        self.seen += piece.len() as u64;
    }
}

/// Reads from a descriptor that never blocks, as those that the runtime holds.
fn read_now(pipe: BorrowedFd<'_>, piece: &mut [u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| rustix::io::read(pipe, &mut *piece))?)
}
