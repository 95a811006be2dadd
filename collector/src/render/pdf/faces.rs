//! The faces statements are set in, and the glyph that stands for a character.
//!
//! NanumSquare has every Hangul syllable and plain Latin; DejaVu Sans has the accents, signs and
//! scripts that it lacks. Nothing is shaped: a character is a glyph, which is right for Hangul,
//! Latin, Greek and Cyrillic and a makeshift for scripts whose letters join. A character that
//! neither face has is drawn as a replacement sign and still read as itself.

use krilla::text::Font;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};
use std::sync::LazyLock;

/// How heavy letters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// One of the faces that are embedded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Face {
    Nanum(Weight),
    DejaVu(Weight),
}

/// A character with the glyph that is drawn for it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Letter {
    pub(super) character: char,
    pub(super) face: Face,
    pub(super) glyph: u32,
    /// How far the next letter stands, in ems.
    pub(super) advance: f32,
}

/// The widest glyph that is drawn, in ems; a few ornaments would be wider than a table's column.
const ADVANCE_MAX: f32 = 2.0;
/// What is drawn for a character without a glyph.
const REPLACEMENT: char = '\u{fffd}';

struct Program {
    font: Font,
    charmap: Charmap<'static>,
    metrics: GlyphMetrics<'static>,
    units_per_em: f32,
}

static NANUM_REGULAR: LazyLock<Program> =
    LazyLock::new(|| program(include_bytes!("../../../fonts/NanumSquareR.ttf")));
static NANUM_BOLD: LazyLock<Program> = LazyLock::new(|| program(include_bytes!("../../../fonts/NanumSquareB.ttf")));
static DEJAVU_REGULAR: LazyLock<Program> = LazyLock::new(|| program(include_bytes!("../../../fonts/DejaVuSans.ttf")));
static DEJAVU_BOLD: LazyLock<Program> = LazyLock::new(|| program(include_bytes!("../../../fonts/DejaVuSans-Bold.ttf")));

fn program(data: &'static [u8]) -> Program {
    let font = Font::new(data.into(), 0).expect("the embedded fonts are whole");
    let parsed = FontRef::new(data).expect("the embedded fonts are whole");
    Program {
        units_per_em: font.units_per_em(),
        font,
        charmap: parsed.charmap(),
        metrics: parsed.glyph_metrics(Size::unscaled(), LocationRef::default()),
    }
}

impl Face {
    /// The face as it is embedded.
    pub(super) fn font(self) -> Font {
        self.program().font.clone()
    }

    fn program(self) -> &'static Program {
        match self {
            Face::Nanum(Weight::Regular) => &NANUM_REGULAR,
            Face::Nanum(Weight::Bold) => &NANUM_BOLD,
            Face::DejaVu(Weight::Regular) => &DEJAVU_REGULAR,
            Face::DejaVu(Weight::Bold) => &DEJAVU_BOLD,
        }
    }

    fn letter(self, character: char) -> Option<Letter> {
        let program = self.program();
        let glyph = program.charmap.map(drawn_as(character)).filter(|glyph| glyph.to_u32() != 0)?;
        let advance = program.metrics.advance_width(glyph)? / program.units_per_em;
        (advance <= ADVANCE_MAX).then_some(Letter { character, face: self, glyph: glyph.to_u32(), advance })
    }
}

/// Sets `text` letter by letter. A word of which Nanum lacks a letter is set in the other face as a
/// whole, if that has all of it: one word in two faces looks like a mistake.
pub(super) fn letters(text: &str, weight: Weight) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let nanum = |c| Face::Nanum(weight).letter(c);
        let other = |c| Face::DejaVu(weight).letter(c);
        if word.chars().any(|c| nanum(c).is_none())
            && let Some(whole) = word.chars().map(other).collect::<Option<Vec<Letter>>>()
        {
            letters.extend(whole);
            continue;
        }
        letters.extend(word.chars().map(|c| nanum(c).or_else(|| other(c)).unwrap_or_else(|| replaced(c, weight))));
    }
    letters
}

fn replaced(character: char, weight: Weight) -> Letter {
    let (drawn, advance) = if is_ignorable(character) { (' ', Some(0.0)) } else { (REPLACEMENT, None) };
    let letter = Face::DejaVu(weight).letter(drawn).expect("DejaVu has a space and a replacement sign");
    Letter { character, advance: advance.unwrap_or(letter.advance), ..letter }
}

/// The character whose glyph is drawn for `character`; it is still read as itself.
fn drawn_as(character: char) -> char {
    match character {
        // Nanum has no minus; its en dash is as wide and as high.
        '\u{2212}' => '\u{2013}',
        '\u{2010}' | '\u{2011}' => '-',
        c if c.is_whitespace() && c != '\u{3000}' => ' ',
        c => c,
    }
}

/// Whether a character is meant to have no shape of its own.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_syllable_of_hangul_has_a_glyph_in_both_weights() {
        for weight in [Weight::Regular, Weight::Bold] {
            assert!(('가'..='힣').all(|c| Face::Nanum(weight).letter(c).is_some()), "{weight:?}");
        }
    }

    #[test]
    fn digits_are_equally_wide_so_that_columns_of_figures_align() {
        for weight in [Weight::Regular, Weight::Bold] {
            let widths = letters("0123456789", weight);
            assert!(widths.iter().all(|letter| letter.advance == widths[0].advance), "{weight:?}");
        }
    }

    #[test]
    fn a_word_is_set_in_one_face_and_nothing_goes_missing() {
        let set = letters("Müller GmbH 가용률 \u{10ffff}", Weight::Regular);
        assert!(set[..6].iter().all(|letter| letter.face == Face::DejaVu(Weight::Regular)));
        assert!(set[7..11].iter().all(|letter| letter.face == Face::Nanum(Weight::Regular)));
        let (last, sign) = (set[set.len() - 1], Face::DejaVu(Weight::Regular).letter(REPLACEMENT).unwrap());
        assert_eq!((last.character, last.glyph), ('\u{10ffff}', sign.glyph));
        assert!(set.iter().all(|letter| letter.glyph != 0));
    }
}
