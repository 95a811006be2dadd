//! Paragraphs into lines.
//!
//! Lines break at spaces, as Korean and English both do; a word too long for a line breaks within,
//! after a hyphen or slash if there is one. No line begins with closing punctuation or ends with an
//! opening one. Nothing is hyphenated: a hyphen that is not in the source would be read as one.

use super::faces::{Letter, letters};
use super::sheet::Style;

/// A line of a paragraph, without the spaces that it ends with but one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    pub(super) letters: Vec<Letter>,
    /// How wide it is, in points; a space at its end takes none.
    pub(super) width: f32,
}

/// Breaks `text` into lines of at most `width` points; one empty line if there is no text.
pub(super) fn lines(text: &str, style: Style, width: f32) -> Vec<Line> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut rest = &*letters(&legible(paragraph), style.weight);
        while !rest.is_empty() {
            let (line, after) = rest.split_at(line_end(rest, width / style.size));
            lines.push(line_of(line, style.size));
            rest = after;
        }
    }
    if lines.is_empty() {
        lines.push(Line { letters: Vec::new(), width: 0.0 });
    }
    lines
}

/// `text` on one line, cut with an ellipsis where it would be wider than `width` points.
pub(super) fn one_line(text: &str, style: Style, width: f32) -> Line {
    let mut all = letters(&legible(text), style.weight);
    let wide = |letters: &[Letter]| letters.iter().map(|letter| letter.advance).sum::<f32>() * style.size;
    if width < wide(&all) {
        let ellipsis = letters("…", style.weight);
        let mut reached = wide(&ellipsis);
        let fits = |letter: &&Letter| {
            reached += letter.advance * style.size;
            reached <= width
        };
        let kept = all.iter().take_while(fits).count();
        all.truncate(kept);
        all.extend(ellipsis);
    }
    line_of(&all, style.size)
}

/// The widths in points of the widest word and of the whole on one line.
pub(super) fn extent(text: &str, style: Style) -> (f32, f32) {
    let (mut word, mut widest_word, mut line, mut widest_line) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    for paragraph in text.split('\n') {
        for letter in letters(&legible(paragraph), style.weight) {
            word = if breaks_after(letter) { 0.0 } else { word + letter.advance };
            line += letter.advance;
            widest_word = widest_word.max(word);
            widest_line = widest_line.max(line);
        }
        (word, line) = (0.0, 0.0);
    }
    (widest_word * style.size, widest_line * style.size)
}

/// `text` as a file of this kind can hold it: jamo joined to syllables, and what has no meaning
/// outside its author's machine or is no character at all written out.
pub(super) fn legible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match out.chars().next_back().and_then(|last| syllable(last, c)) {
            Some(joined) => {
                out.pop();
                out.push(joined);
            }
            None if is_unspeakable(c) => out.extend(c.escape_unicode()),
            None => out.push(c),
        }
    }
    out
}

/// Controls, the byte order mark, private characters and those that never will be characters.
fn is_unspeakable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..='\u{10ffff}')
        || 0xfffe <= u32::from(c) & 0xffff
}

/// The Hangul syllable that `last` and `next` make, by the arithmetic of the Unicode standard.
fn syllable(last: char, next: char) -> Option<char> {
    const VOWELS: u32 = 21;
    const ENDS: u32 = 28;
    let (of, with) = (u32::from(last), u32::from(next));
    match (of, with) {
        (0x1100..=0x1112, 0x1161..=0x1175) => {
            char::from_u32(0xac00 + ((of - 0x1100) * VOWELS + (with - 0x1161)) * ENDS)
        }
        (0xac00..=0xd7a3, 0x11a8..=0x11c2) if (of - 0xac00).is_multiple_of(ENDS) => {
            char::from_u32(of + (with - 0x11a7))
        }
        _ => None,
    }
}

fn line_of(letters: &[Letter], size: f32) -> Line {
    let text = letters.iter().rposition(|letter| !breaks_after(*letter)).map_or(0, |last| last + 1);
    let width = letters[..text].iter().map(|letter| letter.advance).sum::<f32>() * size;
    Line { letters: letters[..letters.len().min(text + 1)].to_vec(), width }
}

/// How many letters of `rest` the next line takes: at least one, at most `width` ems of them and
/// the spaces that follow.
fn line_end(rest: &[Letter], width: f32) -> usize {
    let (mut reached, mut at_space, mut at_unit, mut at_sign, mut within) = (0.0, None, None, None, None);
    for (index, letter) in rest.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|before| rest[before])
            && !breaks_after(*letter)
            && !is_closing(letter.character)
            && !is_opening(before.character)
        {
            if begins_unit(rest, index) {
                at_unit = Some(index);
            } else if breaks_after(before) {
                at_space = Some(index);
            } else if is_joint(before.character) && !letter.character.is_ascii_digit() {
                at_sign = Some(index);
            } else {
                within = Some(index);
            }
        }
        reached += letter.advance;
        if width < reached && !breaks_after(*letter) && 0 < index {
            // A sign is worth breaking at if the line isn't left mostly empty.
            let at_sign = at_sign.filter(|at| index < at * 2);
            return at_space.or(at_unit).or(at_sign).or(within).unwrap_or(index).min(index);
        }
    }
    rest.len()
}

fn breaks_after(letter: Letter) -> bool {
    letter.character.is_whitespace() && !matches!(letter.character, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Whether a unit of time begins at `index`, after its number and a space: it stays with its number.
fn begins_unit(letters: &[Letter], index: usize) -> bool {
    const UNITS: [&str; 5] = ["d", "h", "min", "s", "ms"];
    let word: String =
        letters[index..].iter().take(4).map(|letter| letter.character).take_while(char::is_ascii_alphabetic).collect();
    let [.., number, space] = letters[..index] else { return false };
    number.character.is_ascii_digit() && breaks_after(space) && UNITS.contains(&word.as_str())
}

/// What stays with what is before it.
fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '}' | '!' | '?' | ',' | '.' | ':' | ';' | '%' | '°' | '’' | '”' | '»' | '…' | '·')
        || matches!(
            c,
            '、' | '。'
                | '〉'
                | '》'
                | '」'
                | '』'
                | '】'
                | '〕'
                | '！'
                | '）'
                | '，'
                | '．'
                | '：'
                | '；'
                | '？'
                | '％'
        )
}

/// What stays with what is after it.
fn is_opening(c: char) -> bool {
    matches!(
        c,
        '(' | '['
            | '{'
            | '‘'
            | '“'
            | '«'
            | '〈'
            | '《'
            | '「'
            | '『'
            | '【'
            | '〔'
            | '（'
            | '≤'
            | '≥'
            | '<'
            | '¿'
            | '¡'
    )
}

/// Where a long word is best broken.
fn is_joint(c: char) -> bool {
    matches!(c, '-' | '/' | '_' | '.' | ',' | ':' | ';' | '?' | '&' | '=' | '@' | '–' | '—' | '+' | '|')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::pdf::sheet::BODY;
    use proptest::prelude::*;

    fn said(line: &Line) -> String {
        line.letters.iter().map(|letter| letter.character).collect()
    }

    /// Breaks `text` at the width of `sample`.
    fn broken(text: &str, sample: &str) -> Vec<String> {
        lines(text, BODY, extent(sample, BODY).1 + 0.01).iter().map(said).collect()
    }

    #[test]
    fn lines_break_at_spaces_in_both_languages() {
        assert_eq!(broken("the month runs on", "the month"), ["the month ", "runs on"]);
        assert_eq!(broken("월 이용요금 할인율", "월 이용요금 할"), ["월 이용요금 ", "할인율"]);
        assert_eq!(broken("", "a"), [""]);
        assert_eq!(broken("a\nb", "a b"), ["a", "b"]);
    }

    #[test]
    fn a_long_word_breaks_within_and_best_after_a_sign() {
        assert_eq!(broken("production-one-two", "production-on"), ["production-", "one-two"]);
        assert_eq!(broken("가나다라마바사", "가나다라"), ["가나다라", "마바사"]);
    }

    #[test]
    fn no_line_begins_with_closing_punctuation_nor_ends_with_an_opening_one() {
        assert_eq!(broken("가나다 99.9 %", "가나다 99.9"), ["가나다 ", "99.9 %"]);
        assert_eq!(broken("가나다라)마", "가나다라"), ["가나다", "라)마"]);
        assert_eq!(broken("가나다(라마", "가나다("), ["가나다", "(라마"]);
    }

    #[test]
    fn a_unit_stays_with_its_number() {
        assert_eq!(broken("2 h 38 min 44 s", "2 h 38 min 44"), ["2 h 38 min ", "44 s"]);
        assert_eq!(broken("44 s", "44"), ["44 ", "s"]);
        assert_eq!(broken("the 44 sets", "the 44"), ["the 44 ", "sets"]);
    }

    #[test]
    fn what_a_file_cannot_hold_is_written_out_and_jamo_are_joined() {
        assert_eq!(legible("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"), "한글");
        assert_eq!(legible("a\u{0}\u{feff}\u{e000}\u{ffff}b"), r"a\u{0}\u{feff}\u{e000}\u{ffff}b");
    }

    #[test]
    fn what_is_cut_says_so() {
        let cut = one_line(&"long ".repeat(100), BODY, 50.0);
        assert!(cut.width <= 50.0 && said(&cut).ends_with('…'), "{cut:?}");
        assert_eq!(said(&one_line("short", BODY, 50.0)), "short");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_no_letter_is_lost(text in ".{0,300}", width in 25.0_f32..400.0) {
            let lines = lines(&text, BODY, width);
            for line in &lines {
                prop_assert!(line.width <= width + 0.01 || line.letters.len() <= 2, "{line:?}");
            }
            let kept: String = lines.iter().map(said).collect();
            let seen = |text: &str| legible(text).chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(seen(&kept), seen(&text));
        }
    }
}
