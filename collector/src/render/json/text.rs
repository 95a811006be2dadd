//! Texts and numbers as they stand in a statement's JSON.

use std::time::Duration;

/// The longest text from outside, in characters: as long as the longest that a record takes (a report
/// afterwards), so that nothing on record is cut here.
const TEXT_CHARS_MAX: usize = 64_000;

/// A text from outside as it is; what is too long is cut and ends with `…`. Cutting what is cut
/// changes nothing, so that a statement drawn up from its own terms has the same texts.
pub(super) fn bounded(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.to_owned(),
        Some(_) => text.chars().take(TEXT_CHARS_MAX - 1).chain(['…']).collect(),
    }
}

/// Whole microseconds of `length`.
pub(super) fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_once() {
        let long = "가".repeat(TEXT_CHARS_MAX + 1);
        let cut = bounded(&long);
        assert_eq!(cut.chars().count(), TEXT_CHARS_MAX);
        assert!(cut.ends_with('…'));
        assert_eq!(bounded(&cut), cut);
        assert_eq!(bounded("<b>\u{202e}"), "<b>\u{202e}");
    }
}
