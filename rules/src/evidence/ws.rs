//! What the upgrade to a WebSocket came to.

/// What the upgrade to a WebSocket came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WsFacts {}
