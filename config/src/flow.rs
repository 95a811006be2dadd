//! A flow by itself, for whoever carries one out without a check.

use crate::check;
use crate::reading::{ConfigError, Loaded};
use rules::check::FlowTarget;
use std::path::Path;

/// Reads the file at `path`.
pub fn load(path: &Path) -> Result<Loaded<FlowTarget>, ConfigError> {
    check::flow::load(path)
}
