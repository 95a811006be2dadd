//! What an HTTP answer said.

use super::Said;
use crate::time::Timestamp;
use alloc::vec::Vec;

/// What an HTTP answer said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpFacts {
    /// The status of the last answer.
    pub status: u16,
    /// The version of the last answer.
    pub version: HttpVersion,
    /// Whether the last answer came over TLS.
    pub transport: Transport,
    /// Whether a proxy stood before the last answer.
    pub way: Way,
    /// How many redirects were followed.
    pub redirects: u32,
    /// Where they led.
    pub led_to: Option<Said>,
    /// The length that the last answer announced, as sent.
    pub content_length: Option<u64>,
    /// How many bytes of body came, as sent.
    pub wire_bytes: u64,
    /// How many bytes of body there were once their compression was undone; no more than allowed.
    pub body_bytes: u64,
    /// When the page says that it last changed.
    pub last_modified: Option<Timestamp>,
    /// What became of each content rule, in the rules' order; empty if the answer's end was not
    /// reached.
    pub found: Vec<Found>,
    /// How the body of an answer began that was not as expected.
    pub body_start: Option<Said>,
}

impl HttpFacts {
    /// An answer of which nothing but its first line is known.
    pub fn new(status: u16, version: HttpVersion) -> HttpFacts {
        HttpFacts {
            status,
            version,
            transport: Transport::Plain,
            way: Way::Direct,
            redirects: 0,
            led_to: None,
            content_length: None,
            wire_bytes: 0,
            body_bytes: 0,
            last_modified: None,
            found: Vec::new(),
            body_start: None,
        }
    }
}

/// Whether an answer came over TLS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// Without.
    Plain,
    /// Over TLS, or QUIC, which has it within.
    Tls,
}

/// Whether a proxy stood between.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// None did.
    Direct,
    /// One did, and the addresses tried are its.
    Proxy,
}

/// A version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HttpVersion {
    /// HTTP/1.0.
    V1_0,
    /// HTTP/1.1.
    V1_1,
    /// HTTP/2.
    V2,
    /// HTTP/3.
    V3,
}

impl HttpVersion {
    /// The number used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            HttpVersion::V1_0 => "1.0",
            HttpVersion::V1_1 => "1.1",
            HttpVersion::V2 => "2",
            HttpVersion::V3 => "3",
        }
    }
}

/// Whether what a content rule looks for was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Found {
    /// It was.
    Yes,
    /// It was not.
    No,
    /// There was nothing to look at: no such header, or a body of which the condition can't be asked.
    Nothing,
}
