//! Regular expressions, compiled once.

use alloc::vec::Vec;

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

    /// What its first group matches where it is first found, or all that it matches if it has none.
    pub fn first_group<'h>(&self, haystack: &'h [u8]) -> Option<&'h [u8]> {
        let found = self.0.captures(haystack)?;
        let group = usize::from(1 < self.0.captures_len());
        found.get(group).map(|group| group.as_bytes())
    }

    /// Whether it has a group of this name or number.
    pub fn has_group(&self, name: &str) -> bool {
        let numbered = name.parse().is_ok_and(|number: usize| number < self.0.captures_len());
        numbered || self.0.capture_names().flatten().any(|known| known == name)
    }

    /// The templates with the groups of its first match in `haystack` in the places of `$1` and `${name}`;
    /// absent if it is not found.
    pub fn expand(&self, haystack: &[u8], templates: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
        let captures = self.0.captures(haystack)?;
        let expand = |template: &&[u8]| {
            let mut expanded = Vec::new();
            captures.expand(template, &mut expanded);
            expanded
        };
        Some(templates.iter().map(expand).collect())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.as_str() == other.as_str()
    }
}
