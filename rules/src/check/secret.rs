//! Texts that no output ever shows, and where they come from.

use alloc::string::String;
use core::fmt;

/// A text that no output ever shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes `text` in.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A text that may be a secret: given with the check, or kept in a file of the agent's machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretSource {
    /// It stands in the check.
    Given(Secret),
    /// It is what this file holds whenever a probe needs it, without the line's end.
    File(String),
}

impl SecretSource {
    /// The source that is `text` itself.
    pub fn given(text: impl Into<String>) -> SecretSource {
        SecretSource::Given(Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_when_debugged() {
        let source = SecretSource::given("hunter2");
        assert_eq!(alloc::format!("{source:?}"), "Given([redacted])");
    }
}
