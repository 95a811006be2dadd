//! What becomes of an answer while it comes in, whatever version of HTTP brings it: its head is noted,
//! its body counted, its compression undone, and its bytes kept only if somebody looks at them.

use super::decode::Decoder;
use super::hop::{Hop, Scheme};
use super::jar::Jar;
use crate::prober::trace::{Break, Trace};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, LAST_MODIFIED, LOCATION, SET_COOKIE};
use http::response::Parts;
use http::{HeaderMap, StatusCode, Version};
use rules::check::target::TARGET_BYTES_MAX;
use rules::check::{Compression, HttpOptions, Redirects};
use rules::evidence::{Fault, HttpFacts, HttpVersion, Transport, Way};

/// Whether the body is of use to whoever asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
    /// It is read and counted, and dropped.
    Nothing,
    /// All of it is handed over.
    Body,
}

/// What came of a request.
pub(super) enum Answer {
    /// The whole answer was read and noted.
    Whole(Whole),
    /// It leads elsewhere, and the options say to follow.
    Redirect { status: StatusCode, location: String },
}

/// An answer that was read to its end.
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Takes one answer in.
pub(super) struct Intake<'a> {
    pub(super) trace: &'a mut Trace,
    options: &'a HttpOptions,
    hop: &'a Hop,
    jar: &'a mut Jar,
    keep: Keep,
    followed: usize,
    way: Way,
    /// Present from the head on, if compression is to be undone.
    decoder: Option<Box<Decoder>>,
    kept: Vec<u8>,
    wire_bytes: u64,
    body_bytes: u64,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        options: &'a HttpOptions,
        hop: &'a Hop,
        (followed, way): (usize, Way),
        keep: Keep,
        jar: &'a mut Jar,
        trace: &'a mut Trace,
    ) -> Intake<'a> {
        let decoder = match options.compression {
            None | Some(Compression::Identity) => None,
            Some(compression) => Some(Box::new(Decoder::new(compression, options.body_bytes_max, keep))),
        };
        Intake {
            trace,
            options,
            hop,
            jar,
            keep,
            followed,
            way,
            decoder,
            kept: Vec::new(),
            wire_bytes: 0,
            body_bytes: 0,
        }
    }

    /// Notes the head; `exact` is how long the body will be, where its framing says so.
    pub(super) fn head(&mut self, head: &Parts, exact: Option<u64>) {
        let cookies = head.headers.get_all(SET_COOKIE).iter();
        cookies.for_each(|cookie| self.jar.take(cookie, self.hop, self.trace.wall()));
        let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let modified = head.headers.get(LAST_MODIFIED).and_then(|date| super::date::read(date.as_bytes()));
        self.trace.evidence.http = Some(HttpFacts {
            transport: if self.hop.scheme == Scheme::Https { Transport::Tls } else { Transport::Plain },
            way: self.way,
            redirects: u32::try_from(self.followed).unwrap_or(u32::MAX),
            content_length: announced.or(exact),
            last_modified: modified,
            ..HttpFacts::new(head.status.as_u16(), version(head.version))
        });
    }

    /// Where the answer leads, if it does and the options say to follow.
    pub(super) fn leads_to(&self, head: &Parts) -> Option<String> {
        let leads = matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let location = head.headers.get(LOCATION).filter(|_| leads && self.options.redirects == Redirects::Follow)?;
        let location = location.as_bytes();
        // One byte too many is enough to refuse it.
        let location = &location[..location.len().min(TARGET_BYTES_MAX + 1)];
        Some(String::from_utf8_lossy(location).into_owned())
    }

    /// Refuses a body that is longer than allowed before it comes; a compressed one may still grow.
    pub(super) fn announce(&self, at_least: u64) -> Result<(), Break> {
        let limit = self.options.body_bytes_max;
        if limit < at_least && self.decoder.is_none() { Err(too_large(limit)) } else { Ok(()) }
    }

    /// Takes a piece of the body.
    pub(super) fn take(&mut self, data: &Bytes) -> Result<(), Break> {
        let limit = self.options.body_bytes_max;
        self.wire_bytes = self.wire_bytes.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        let taken = match &mut self.decoder {
            None => {
                self.body_bytes = self.wire_bytes.min(limit);
                if self.trace.body_start.is_empty() {
                    self.trace.body_start = data.clone();
                }
                if self.wire_bytes <= limit { Ok(()) } else { Err(too_large(limit)) }
            }
            Some(decoder) => {
                let taken = decoder.take(data);
                self.body_bytes = decoder.length();
                taken
            }
        };
        if taken.is_ok() && self.keep == Keep::Body && self.decoder.is_none() {
            self.kept.extend_from_slice(data);
        }
        self.note();
        taken
    }

    /// Ends the body.
    pub(super) fn end(mut self, head: Parts) -> Result<Whole, Break> {
        if let Some(decoder) = self.decoder.take() {
            let (length, ended) = decoder.end();
            self.body_bytes = length;
            self.note();
            self.kept = ended?;
        }
        Ok(Whole { status: head.status, headers: head.headers, body: self.kept })
    }

    fn note(&mut self) {
        if let Some(facts) = &mut self.trace.evidence.http {
            facts.wire_bytes = self.wire_bytes;
            facts.body_bytes = self.body_bytes;
        }
        if let Some(decoder) = &self.decoder
            && self.trace.body_start.is_empty()
        {
            self.trace.body_start = decoder.start();
        }
    }
}

/// The body is larger than `limit`.
pub(super) fn too_large(limit: u64) -> Break {
    Break::new(Fault::TooLarge, &format!("the body is larger than {limit} bytes"))
}

fn version(version: Version) -> HttpVersion {
    match version {
        Version::HTTP_10 => HttpVersion::V1_0,
        Version::HTTP_2 => HttpVersion::V2,
        Version::HTTP_3 => HttpVersion::V3,
        _ => HttpVersion::V1_1,
    }
}
