//! The sheet statements are printed on: A4, its margins, the sizes and colours of letters.

use super::faces::Weight;

/// A4, in points.
pub(super) const SHEET_WIDTH: f32 = 595.276;
pub(super) const SHEET_HEIGHT: f32 = 841.89;
/// The room left and right of the text.
pub(super) const MARGIN: f32 = 48.0;
/// Where text begins and ends; above and below stand the running head and foot.
pub(super) const BODY_TOP: f32 = 62.0;
pub(super) const BODY_BOTTOM: f32 = SHEET_HEIGHT - 60.0;
pub(super) const BODY_WIDTH: f32 = SHEET_WIDTH - 2.0 * MARGIN;
pub(super) const BODY_HEIGHT: f32 = BODY_BOTTOM - BODY_TOP;
/// The baselines of the running head and foot.
pub(super) const HEAD_BASELINE: f32 = 38.0;
pub(super) const FOOT_BASELINE: f32 = SHEET_HEIGHT - 34.0;

/// Red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

pub(super) const INK: Colour = Colour(0x1b, 0x1f, 0x24);
pub(super) const SOFT: Colour = Colour(0x50, 0x59, 0x64);
pub(super) const RULE: Colour = Colour(0xd0, 0xd7, 0xde);
pub(super) const PANEL: Colour = Colour(0xf4, 0xf6, 0xf8);
pub(super) const GOOD: Colour = Colour(0x0b, 0x6b, 0x3a);
pub(super) const BAD: Colour = Colour(0xa4, 0x0e, 0x26);
pub(super) const WEAK: Colour = Colour(0x7a, 0x4e, 0x00);
pub(super) const ACCENT: Colour = Colour(0x12, 0x3a, 0x5e);

/// How letters are set.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Style {
    pub(super) weight: Weight,
    pub(super) size: f32,
    /// From one baseline to the next.
    pub(super) leading: f32,
    pub(super) colour: Colour,
}

impl Style {
    /// The same in another colour.
    pub(super) const fn coloured(self, colour: Colour) -> Style {
        Style { colour, ..self }
    }

    /// The same in bold.
    pub(super) const fn bold(self) -> Style {
        Style { weight: Weight::Bold, ..self }
    }

    /// From a line's top to its baseline: capitals stand in the middle of the line.
    pub(super) fn ascent(self) -> f32 {
        (self.leading + CAPITALS * self.size) / 2.0
    }
}

/// How high capitals are in both faces, in ems.
const CAPITALS: f32 = 0.71;

const fn style(weight: Weight, size: f32, leading: f32, colour: Colour) -> Style {
    Style { weight, size, leading, colour }
}

pub(super) const BODY: Style = style(Weight::Regular, 9.0, 14.0, INK);
pub(super) const NOTE: Style = style(Weight::Regular, 8.0, 12.0, SOFT);
pub(super) const CELL: Style = style(Weight::Regular, 8.0, 11.5, INK);
pub(super) const CELL_HEAD: Style = style(Weight::Bold, 7.5, 11.0, SOFT);
pub(super) const RUNNING: Style = style(Weight::Regular, 7.5, 11.0, SOFT);
pub(super) const TITLE: Style = style(Weight::Bold, 21.0, 28.0, INK);
pub(super) const KICKER: Style = style(Weight::Bold, 10.0, 15.0, ACCENT);
pub(super) const HEADING: Style = style(Weight::Bold, 14.0, 20.0, INK);
pub(super) const SUBHEADING: Style = style(Weight::Bold, 10.5, 15.0, INK);
pub(super) const FIGURE: Style = style(Weight::Bold, 13.0, 18.0, INK);
pub(super) const TINY: Style = style(Weight::Regular, 6.5, 9.0, SOFT);
