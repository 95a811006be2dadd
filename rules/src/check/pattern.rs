//! Regular expressions, compiled once.

/// A regular expression that compiled, over bytes.
#[derive(Clone, Debug)]
pub struct Pattern(regex::bytes::Regex);

impl Pattern {
    /// Compiles `source`; the error is the regular expression library's own text.
    pub fn new(source: &str) -> Result<Pattern, regex::Error> {
        regex::bytes::Regex::new(source).map(Pattern)
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is found anywhere in `haystack`.
    pub fn is_found(&self, haystack: &[u8]) -> bool {
        self.0.is_match(haystack)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.as_str() == other.as_str()
    }
}
