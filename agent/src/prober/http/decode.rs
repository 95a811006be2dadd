//! Undoes a body's compression piece by piece.
//!
//! It counts what comes out and stops at the limit, so a bomb costs no more than the limit's worth of
//! work. It holds one window: 32 KiB for gzip and deflate, up to 16 MiB for brotli if the server asks.

use super::intake::{Keep, too_large};
use crate::prober::trace::Break;
use brotli_decompressor::DecompressorWriter;
use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use rules::check::Compression;
use rules::evidence::{Fault, SAID_BYTES_MAX};
use std::io::{self, Write};

/// The buffer between brotli and what counts its output.
const BROTLI_BUFFER_BYTES: usize = 4096;

/// Undoes one encoding.
pub(super) struct Decoder {
    compression: Compression,
    state: State,
}

enum State {
    /// Deflate's frame is known from its first byte.
    Undecided(Sink),
    Gzip(MultiGzDecoder<Sink>),
    Zlib(ZlibDecoder<Sink>),
    Bare(DeflateDecoder<Sink>),
    Brotli(Box<DecompressorWriter<Sink>>),
}

impl Decoder {
    pub(super) fn new(compression: Compression, limit: u64, keep: Keep) -> Decoder {
        let sink = Sink { limit, keep, length: 0, kept: Vec::new(), start: Vec::new() };
        let state = match compression {
            Compression::Gzip => State::Gzip(MultiGzDecoder::new(sink)),
            Compression::Brotli => State::Brotli(Box::new(DecompressorWriter::new(sink, BROTLI_BUFFER_BYTES))),
            Compression::Deflate | Compression::Identity => State::Undecided(sink),
        };
        Decoder { compression, state }
    }

    /// Takes a piece as it came.
    pub(super) fn take(&mut self, data: &[u8]) -> Result<(), Break> {
        if let (State::Undecided(sink), Some(first)) = (&mut self.state, data.first()) {
            let sink = sink.moved();
            // Zlib's frame begins with its method, 8, in the low half of a byte; a bare block that
            // did would be of a reserved type.
            self.state = if first & 0x0f == 8 {
                State::Zlib(ZlibDecoder::new(sink))
            } else {
                State::Bare(DeflateDecoder::new(sink))
            };
        }
        let taken = match &mut self.state {
            State::Undecided(_) => Ok(()),
            State::Gzip(decoder) => decoder.write_all(data),
            State::Zlib(decoder) => decoder.write_all(data),
            State::Bare(decoder) => decoder.write_all(data),
            State::Brotli(decoder) => decoder.write_all(data),
        };
        // Brotli hands its output on only when asked to; the others hand on what a full buffer holds.
        let taken = taken.and_then(|()| self.flush());
        taken.map_err(|error| self.broken(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Undecided(_) => Ok(()),
            State::Gzip(decoder) => decoder.flush(),
            State::Zlib(decoder) => decoder.flush(),
            State::Bare(decoder) => decoder.flush(),
            State::Brotli(decoder) => decoder.flush(),
        }
    }

    /// How long the body is so far.
    pub(super) fn length(&self) -> u64 {
        self.sink().length
    }

    /// How the body begins.
    pub(super) fn start(&self) -> Bytes {
        Bytes::copy_from_slice(&self.sink().start)
    }

    /// The body's length, and its bytes if they were to be kept; one that ends too early is broken.
    pub(super) fn end(mut self) -> (u64, Result<Vec<u8>, Break>) {
        let ended = match &mut self.state {
            State::Undecided(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            State::Gzip(decoder) => decoder.try_finish(),
            State::Zlib(decoder) => decoder.try_finish(),
            State::Bare(decoder) => decoder.try_finish(),
            State::Brotli(decoder) => decoder.close(),
        };
        let ended = ended.map_err(|error| self.broken(&error));
        let length = self.length();
        (length, ended.map(|()| std::mem::take(&mut self.sink_mut().kept)))
    }

    fn broken(&self, error: &io::Error) -> Break {
        let sink = self.sink();
        if error.kind() == io::ErrorKind::FileTooLarge {
            return too_large(sink.limit);
        }
        let word = self.compression.as_str();
        Break::new(Fault::Protocol, &format!("the body is not whole in the encoding `{word}`: {error}"))
    }

    fn sink(&self) -> &Sink {
        match &self.state {
            State::Undecided(sink) => sink,
            State::Gzip(decoder) => decoder.get_ref(),
            State::Zlib(decoder) => decoder.get_ref(),
            State::Bare(decoder) => decoder.get_ref(),
            State::Brotli(decoder) => decoder.get_ref(),
        }
    }

    fn sink_mut(&mut self) -> &mut Sink {
        match &mut self.state {
            State::Undecided(sink) => sink,
            State::Gzip(decoder) => decoder.get_mut(),
            State::Zlib(decoder) => decoder.get_mut(),
            State::Bare(decoder) => decoder.get_mut(),
            State::Brotli(decoder) => decoder.get_mut(),
        }
    }
}

/// Counts what comes out, up to the limit.
struct Sink {
    limit: u64,
    keep: Keep,
    length: u64,
    kept: Vec<u8>,
    start: Vec<u8>,
}

impl Sink {
    fn moved(&mut self) -> Sink {
        let (kept, start) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.start));
        Sink { kept, start, ..*self }
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let length = self.length.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        self.length = length.min(self.limit);
        let room = SAID_BYTES_MAX.saturating_sub(self.start.len());
        self.start.extend_from_slice(&data[..room.min(data.len())]);
        if self.limit < length {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.keep == Keep::Body {
            self.kept.extend_from_slice(data);
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
