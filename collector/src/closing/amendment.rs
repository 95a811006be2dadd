//! What an amended statement says of the one it takes the place of (`accounting.md` section 12).

/// How a version differs from its predecessor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amendment {
    /// The predecessor's version.
    pub predecessor: u32,
    /// SHA-256 of its canonical JSON.
    pub sha256: [u8; 32],
    /// Every figure that changed, in the order of the statement.
    pub changes: Vec<Change>,
    /// What is owed more (or less) than the predecessor said, in minor units.
    pub credit_difference: i128,
}

/// One figure that changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where it stands in the canonical JSON, such as `services[apm-prod].availability.downtime_ms`.
    pub place: String,
    /// What the predecessor said; nothing if it was not there.
    pub before: Option<String>,
    /// What is said now; nothing if it is gone.
    pub after: Option<String>,
}
