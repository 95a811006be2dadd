//! What a page and its assets came to.

use super::{Failure, Said};
use alloc::vec::Vec;
use core::time::Duration;

/// How many assets, and how many failures, are told one by one: the first of each.
pub const ASSETS_TOLD_MAX: usize = 64;

/// What a page and its assets came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PageFacts {
    /// The status of the page itself; absent if it did not come.
    pub status: Option<u16>,
    /// How many assets the page needs, as far as they were found, less those left out.
    pub assets: u32,
    /// How many were left out because they are another origin's.
    pub left_out: u32,
    /// How many came or failed.
    pub ended: u32,
    /// How many failed.
    pub failed: u32,
    /// Bytes of body, of the page and its assets.
    pub bytes: u64,
    /// From the start to the last byte of the page itself; absent if it did not come.
    pub document: Option<Duration>,
    /// The assets that ended first, in that order.
    pub told: Vec<AssetFacts>,
    /// The asset that took longest.
    pub slowest: Option<AssetFacts>,
    /// The assets that failed first, in that order.
    pub failures: Vec<AssetFailure>,
    /// A limit of the whole that was passed.
    pub excess: Option<Excess>,
}

/// One asset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssetFacts {
    /// Where it is.
    pub url: Said,
    /// Its status, if it answered.
    pub status: Option<u16>,
    /// Bytes of body.
    pub bytes: u64,
    /// From the start of the probe to the start of its fetch.
    pub began: Duration,
    /// How long its fetch took.
    pub elapsed: Duration,
}

/// An asset that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssetFailure {
    /// Where it is.
    pub url: Said,
    /// What went wrong.
    pub trouble: Trouble,
}

/// What went wrong with an asset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// It was answered with a status that is not 200 to 299.
    Status(u16),
    /// It did not come.
    Broken(Failure),
}

/// A limit of the whole that was passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Excess {
    /// The page needs more assets than allowed.
    Assets,
    /// The page and its assets came to more bytes than allowed.
    Bytes,
}
