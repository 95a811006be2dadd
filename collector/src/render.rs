//! One statement, four renderings: JSON for tools, text for terminals, CSV for spreadsheets, and a
//! self-contained page for people and printers.
//!
//! All of them read the same [`Statement`]; none of them makes a figure. Text from outside is made
//! harmless for the medium it goes to. Percentages are cut, never rounded.

pub mod json;

pub(crate) mod figures;

