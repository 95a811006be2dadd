//! What a `page` check looks at.

use super::target::TargetError;
use super::{HttpOptions, HttpTarget, SecretSource};
use alloc::string::String;
use alloc::vec::Vec;

/// How many assets are fetched when a check doesn't say: three times what a heavy page has.
pub const ASSETS_DEFAULT: u32 = 300;
/// How many assets a check may ask for at most.
pub const ASSETS_MAX: u32 = 5_000;
/// How many bytes a page may come to, all in all, when a check doesn't say: ten times a heavy page.
pub const PAGE_BYTES_DEFAULT: u64 = 50 * 1024 * 1024;

/// A page with everything that a browser would fetch for it.
#[derive(Clone, PartialEq, Debug)]
pub struct PageTarget {
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// Sent to the page's own origin with each request, in order; their values may be secrets.
    pub headers: Vec<(String, SecretSource)>,
    /// Whose assets are fetched.
    pub origins: Origins,
    /// A page that needs more assets fails.
    pub assets_max: u32,
    /// A page that comes to more bytes, with its assets, fails.
    pub bytes_max: u64,
    /// How many assets may fail before the page does.
    pub assets_may_fail: u32,
    /// How the page and its assets are asked for.
    pub options: HttpOptions,
}

impl PageTarget {
    /// Reads an absolute `http` or `https` URL; everything else has its default.
    pub fn parse(url: &str) -> Result<PageTarget, TargetError> {
        HttpTarget::parse(url).map(|HttpTarget { url, headers, options, .. }| PageTarget {
            url,
            headers,
            origins: Origins::default(),
            assets_max: ASSETS_DEFAULT,
            bytes_max: PAGE_BYTES_DEFAULT,
            assets_may_fail: 0,
            options,
        })
    }
}

/// Whose assets are fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Origins {
    /// Every server's that the page names.
    #[default]
    Any,
    /// Those of the page's own scheme, host and port: `same_origin: true`.
    Same,
}
