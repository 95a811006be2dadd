//! Texts with `${name}` in them.
//!
//! Expansion is one pass: what a name stands for is put in as it is and never read again, so a text
//! from the network can't bring in another name. `$$` is a dollar sign.

use alloc::string::String;
use alloc::vec::Vec;

/// The longest name in a template.
const NAME_BYTES_MAX: usize = 64;

/// A text with names in it, read once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Name(String),
}

/// Why a template can't be read or expanded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// A `${` is never closed.
    #[error("`${{` has no `}}` after it; write `${{name}}`, or `$$` for a dollar sign")]
    Open,
    /// What stands between the braces is no name.
    #[error("`${{{0}}}` holds no name; write letters, digits and `_`, beginning with a letter, at most 64")]
    Name(String),
    /// A name stands for nothing.
    #[error("nothing is known as `{0}`")]
    Unknown(String),
    /// What comes out is too long.
    #[error("what `${{name}}` stands for makes the text longer than {0} bytes")]
    TooLong(usize),
}

/// Whether `text` may stand between the braces.
pub(crate) fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= NAME_BYTES_MAX && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(inner)
}

impl Template {
    /// Reads `source`.
    pub fn parse(source: &str) -> Result<Template, TemplateError> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(dollar) = rest.find('$') {
            text.push_str(&rest[..dollar]);
            let after = &rest[dollar + 1..];
            if let Some(after) = after.strip_prefix('{') {
                let (name, after) = after.split_once('}').ok_or(TemplateError::Open)?;
                if !is_name(name) {
                    let shown = name.chars().take(NAME_BYTES_MAX).flat_map(crate::evidence::escaped);
                    return Err(TemplateError::Name(shown.collect()));
                }
                if !text.is_empty() {
                    pieces.push(Piece::Text(core::mem::take(&mut text)));
                }
                pieces.push(Piece::Name(name.into()));
                rest = after;
            } else {
                text.push('$');
                rest = after.strip_prefix('$').unwrap_or(after);
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Template { source: source.into(), pieces })
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The names in it, in order; one that stands there twice comes twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Name(name) => Some(name.as_str()),
        })
    }

    /// The text with what `known` says in the place of each name, if that is at most `bytes_max` long.
    pub fn expand<'v>(
        &self,
        known: impl Fn(&str) -> Option<&'v str>,
        bytes_max: usize,
    ) -> Result<String, TemplateError> {
        let mut out = String::new();
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(text) => text,
                Piece::Name(name) => known(name).ok_or_else(|| TemplateError::Unknown(name.clone()))?,
            };
            if bytes_max < out.len() + part.len() {
                return Err(TemplateError::TooLong(bytes_max));
            }
            out.push_str(part);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<&'static str> {
        match name {
            "a" => Some("1"),
            "hostile" => Some("${a}$$"),
            _ => None,
        }
    }

    #[test]
    fn a_name_is_replaced_once_and_what_it_stands_for_is_not_read_again() {
        let check = |source: &str, expected: &str| {
            let template = Template::parse(source).unwrap();
            assert_eq!(template.expand(known, 100).unwrap(), expected, "{source}");
            assert_eq!(template.as_str(), source);
        };
        check("", "");
        check("x", "x");
        check("${a}", "1");
        check("x${a}y${a}", "x1y1");
        check("${hostile}", "${a}$$");
        check("$${a} $5 $$5 $", "${a} $5 $5 $");
        check("{\"a\": {\"b\": ${a}}}", "{\"a\": {\"b\": 1}}");
    }

    #[test]
    fn the_names_of_a_template_are_known_before_it_is_expanded() {
        let template = Template::parse("${b}/${a}$${c}").unwrap();
        assert!(template.names().eq(["b", "a"]));
        assert_eq!(template.expand(known, 100), Err(TemplateError::Unknown("b".into())));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        assert_eq!(Template::parse("${a"), Err(TemplateError::Open));
        for (source, name) in [("${}", ""), ("${1}", "1"), ("${a b}", "a b"), ("${a.b}", "a.b"), ("${가}", "가")] {
            assert_eq!(Template::parse(source), Err(TemplateError::Name(name.into())));
        }
    }

    #[test]
    fn an_expansion_is_bounded() {
        let template = Template::parse("${a}${a}${a}").unwrap();
        assert_eq!(template.expand(known, 3).unwrap(), "111");
        assert_eq!(template.expand(known, 2), Err(TemplateError::TooLong(2)));
    }
}
