//! The faces statements are set in, and the glyph that stands for a character.
//!
//! Pretendard has every Hangul syllable, Latin with its accents, Greek and Cyrillic; DejaVu Sans has
//! the signs and scripts that it lacks. Nothing is shaped: a character is a glyph, which is right for
//! these and a makeshift for scripts whose letters join. A character that neither face has (Han, most
//! of all) is drawn as a replacement sign and still read as itself.

use krilla::text::Font;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::raw::TableProvider;
use skrifa::raw::tables::gsub::{SingleSubst, SubstitutionSubtables};
use skrifa::{FontRef, GlyphId, MetadataProvider, Tag};
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
    Pretendard(Weight),
    DejaVu,
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
    /// Digits of equal width, if the font keeps them beside its ordinary ones.
    digits: [Option<GlyphId>; 10],
}

static REGULAR: LazyLock<Program> = LazyLock::new(|| program(include_bytes!("../../../fonts/Pretendard-Regular.otf")));
static BOLD: LazyLock<Program> = LazyLock::new(|| program(include_bytes!("../../../fonts/Pretendard-Bold.otf")));
static OTHER: LazyLock<Program> = LazyLock::new(|| program(include_bytes!("../../../fonts/DejaVuSans.ttf")));

fn program(data: &'static [u8]) -> Program {
    let font = Font::new(data.into(), 0).expect("the embedded fonts are whole");
    let parsed = FontRef::new(data).expect("the embedded fonts are whole");
    let (charmap, metrics) = (parsed.charmap(), parsed.glyph_metrics(Size::unscaled(), LocationRef::default()));
    let mut digits = [None; 10];
    for (digit, character) in digits.iter_mut().zip('0'..='9') {
        *digit = charmap.map(character).and_then(|glyph| tabular(&parsed, glyph));
    }
    Program { units_per_em: font.units_per_em(), font, charmap, metrics, digits }
}

/// What the font's feature `tnum` puts in the place of `glyph`.
fn tabular(font: &FontRef<'_>, glyph: GlyphId) -> Option<GlyphId> {
    let table = font.gsub().ok()?;
    let features = table.feature_list().ok()?;
    let record = features.feature_records().iter().find(|record| record.feature_tag() == Tag::new(b"tnum"))?;
    let feature = record.feature(features.offset_data()).ok()?;
    let lookups = table.lookup_list().ok()?;
    let wanted = feature.lookup_list_indices().iter();
    let mut found = wanted.filter_map(|index| lookups.lookups().get(index.get().into()).ok()?.subtables().ok());
    found.find_map(|subtables| match subtables {
        SubstitutionSubtables::Single(tables) => tables.iter().flatten().find_map(|table| match table {
            SingleSubst::Format1(table) => {
                table.coverage().ok()?.get(glyph)?;
                let moved = i32::try_from(glyph.to_u32()).ok()? + i32::from(table.delta_glyph_id());
                u32::try_from(moved).ok().map(GlyphId::new)
            }
            SingleSubst::Format2(table) => {
                let index = table.coverage().ok()?.get(glyph)?;
                table.substitute_glyph_ids().get(usize::from(index)).map(|glyph| glyph.get().into())
            }
        }),
        SubstitutionSubtables::Multiple(_)
        | SubstitutionSubtables::Alternate(_)
        | SubstitutionSubtables::Ligature(_)
        | SubstitutionSubtables::Contextual(_)
        | SubstitutionSubtables::ChainContextual(_)
        | SubstitutionSubtables::Reverse(_) => None,
    })
}

impl Face {
    /// The face as it is embedded.
    pub(super) fn font(self) -> Font {
        self.program().font.clone()
    }

    fn program(self) -> &'static Program {
        match self {
            Face::Pretendard(Weight::Regular) => &REGULAR,
            Face::Pretendard(Weight::Bold) => &BOLD,
            Face::DejaVu => &OTHER,
        }
    }

    fn letter(self, character: char) -> Option<Letter> {
        let program = self.program();
        let digit =
            character.to_digit(10).and_then(|digit| program.digits.get(usize::try_from(digit).ok()?).copied()?);
        let glyph = digit.or_else(|| program.charmap.map(drawn_as(character)))?;
        let advance = program.metrics.advance_width(glyph)? / program.units_per_em;
        let letter = Letter { character, face: self, glyph: glyph.to_u32(), advance };
        (glyph != GlyphId::NOTDEF && advance <= ADVANCE_MAX).then_some(letter)
    }
}

/// Sets `text` letter by letter. A word of which Pretendard lacks a letter is set in the other face
/// as a whole, if that has all of it: one word in two faces looks like a mistake.
pub(super) fn letters(text: &str, weight: Weight) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let main = |c| Face::Pretendard(weight).letter(c);
        let other = |c| Face::DejaVu.letter(c);
        let began = letters.len();
        letters.extend(word.chars().map_while(main));
        if letters.len() - began == word.chars().count() {
            continue;
        }
        letters.truncate(began);
        match word.chars().map(other).collect::<Option<Vec<Letter>>>() {
            Some(whole) => letters.extend(whole),
            None => letters.extend(word.chars().map(|c| main(c).or_else(|| other(c)).unwrap_or_else(|| replaced(c)))),
        }
    }
    letters
}

fn replaced(character: char) -> Letter {
    let (drawn, advance) = if is_ignorable(character) { (' ', Some(0.0)) } else { (REPLACEMENT, None) };
    let letter = Face::DejaVu.letter(drawn).expect("DejaVu has a space and a replacement sign");
    Letter { character, advance: advance.unwrap_or(letter.advance), ..letter }
}

/// The character whose glyph is drawn for `character`; it is still read as itself.
fn drawn_as(character: char) -> char {
    if character.is_whitespace() && character != '\u{3000}' { ' ' } else { character }
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

    /// A glyph without an outline is as bad as none: some fonts have thousands of them.
    fn is_drawn(face: Face, character: char) -> bool {
        let data: &[u8] = match face {
            Face::Pretendard(Weight::Regular) => include_bytes!("../../../fonts/Pretendard-Regular.otf"),
            Face::Pretendard(Weight::Bold) => include_bytes!("../../../fonts/Pretendard-Bold.otf"),
            Face::DejaVu => include_bytes!("../../../fonts/DejaVuSans.ttf"),
        };
        let parsed = FontRef::new(data).unwrap();
        let bounds = face.letter(character).and_then(|letter| {
            parsed.glyph_metrics(Size::unscaled(), LocationRef::default()).bounds(letter.glyph.into())
        });
        bounds.is_some_and(|bounds| bounds.x_min < bounds.x_max)
    }

    #[test]
    fn every_syllable_of_hangul_is_drawn_in_both_weights() {
        for weight in [Weight::Regular, Weight::Bold] {
            let missing: String = ('가'..='힣').filter(|c| !is_drawn(Face::Pretendard(weight), *c)).collect();
            assert_eq!(missing, "", "{weight:?}");
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
        let set = letters("Müller שלום. 가용률 漢", Weight::Bold);
        let face = |range: std::ops::Range<usize>| set[range].iter().map(|letter| letter.face).collect::<Vec<_>>();
        assert_eq!(face(0..7), [Face::Pretendard(Weight::Bold); 7]);
        assert_eq!(face(7..12), [Face::DejaVu; 5]);
        let (last, sign) = (set[set.len() - 1], Face::DejaVu.letter(REPLACEMENT).unwrap());
        assert_eq!((last.character, last.glyph), ('漢', sign.glyph));
        assert!(set.iter().all(|letter| letter.glyph != 0));
    }
}
