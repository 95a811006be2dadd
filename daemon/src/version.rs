//! Which build this is. It never asks git or a build script: the manifest's version is the answer.

/// The version of every program of this workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a program sends as `User-Agent`, unless a check says otherwise.
pub const USER_AGENT: &str = concat!("nines/", env!("CARGO_PKG_VERSION"));
