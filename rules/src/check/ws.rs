//! What a `ws` check looks at.

use alloc::string::String;

/// A WebSocket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WsTarget {
    /// What is looked at, as written.
    pub address: String,
}
