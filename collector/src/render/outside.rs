//! Text from outside (names, reasons, notes) made harmless for people: nothing in it steers a
//! terminal, reorders a line, hides, or breaks a page by its length.
//!
//! What could do so is written out (`\u{202e}`), never dropped: a reader sees that it is there. The
//! JSON form holds such text whole and as it came.

/// How many characters of a text a printed form shows: three lines of a page. What is longer is cut
/// with an ellipsis and its length; the JSON form has all of it.
const TEXT_CHARS_MAX: usize = 300;
/// How many characters a cell of a spreadsheet takes: Excel's limit is 32 767.
const CELL_CHARS_MAX: usize = 32_000;

/// All of `text`, with everything written out that could steer, reorder or hide.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

/// As much of `text` as a printed form shows.
pub(crate) fn shown(text: &str) -> String {
    cut(text, TEXT_CHARS_MAX)
}

/// As much of `text` as a cell of a spreadsheet takes.
pub(crate) fn cell(text: &str) -> String {
    cut(text, CELL_CHARS_MAX)
}

fn cut(text: &str, chars_max: usize) -> String {
    let whole = printable(text);
    match whole.char_indices().nth(chars_max) {
        None => whole,
        Some((end, _)) => format!("{}… [{}]", &whole[..end], text.chars().count()),
    }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let unseen = is_unseen(c);
    let escape = unseen.then(|| c.escape_unicode());
    let plain = (!unseen).then(|| rules::evidence::escaped(c));
    escape.into_iter().flatten().chain(plain.into_iter().flatten())
}

/// Whether `c` takes no room of its own on a page, so that two texts that look alike can differ by it.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_reorders_or_hides_is_written_out() {
        assert_eq!(printable("오픈마루 <b> \u{1b}[31m\r\n"), "오픈마루 <b> \\u{1b}[31m\\r\\n");
        assert_eq!(printable("a\u{202e}b\u{2067}c\u{200b}d\u{3164}"), "a\\u{202e}b\\u{2067}c\\u{200b}d\\u{3164}");
        assert_eq!(printable("\u{2028}\u{feff}\u{e0041}"), "\\u{2028}\\u{feff}\\u{e0041}");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_how_long_it_was() {
        let word = "가".repeat(10_240);
        assert_eq!(shown(&word), format!("{}… [10240]", "가".repeat(TEXT_CHARS_MAX)));
        assert_eq!(shown(&word[..900]), "가".repeat(300));
        assert_eq!(cell(&word), word);
    }
}
