//! The people who may see and record things through the console and the API.

use rules::id::AgreementId;
use std::collections::BTreeSet;

/// One person, or one program in a person's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The name under which the record keeps what the user did.
    pub user: String,
    /// What the user may do.
    pub role: Role,
    /// SHA-256 of the user's token, which signs in to the console and to the API.
    pub token_sha256: [u8; 32],
    /// The agreements the user sees; absent: all. A viewer always has a list.
    pub agreements: Option<BTreeSet<AgreementId>>,
}

/// What a user may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Sees its own agreements.
    Viewer,
    /// Records exclusions, incidents and effort, and approves what others claimed.
    Operator,
    /// Also rotates keys, issues amendments, returns and erases evidence.
    Admin,
}
