//! What an `http` check looks at.

use super::{ContentRule, Route, TlsRule};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

/// A page and what is expected of it. The names are blackbox_exporter's where it has them.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpTarget {
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// `GET` unless said otherwise.
    pub method: String,
    /// Sent with the request, in order.
    pub headers: Vec<(String, String)>,
    /// Sent with the request.
    pub body: Option<String>,
    /// Statuses that are up; empty: 200 to 299.
    pub valid_status_codes: Vec<RangeInclusive<u16>>,
    /// Whether redirects are followed, [`super::REDIRECTS_MAX`] at most.
    pub redirects: Redirects,
    /// Content that must or must not be there.
    pub content: Vec<ContentRule>,
    /// A body larger than this fails.
    pub body_bytes_max: u64,
    /// How connections get there.
    pub route: Route,
    /// How the certificate is judged.
    pub tls: TlsRule,
}

/// Whether a redirect is an answer or a way to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redirects {
    /// They are followed and the last answer is judged.
    Follow,
    /// The first answer is judged.
    Stop,
}
