//! What the upgrade to a WebSocket came to.

use super::DialogFacts;

/// What the upgrade to a WebSocket came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WsFacts {
    /// The status of the answer to the request to upgrade: 101 if it is granted.
    pub status: u16,
    /// What was said once it was open.
    pub dialog: DialogFacts,
}

impl WsFacts {
    /// The status that grants an upgrade.
    pub const SWITCHING: u16 = 101;
}
