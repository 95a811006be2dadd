//! One statement, five renderings: JSON for tools, text for terminals, CSV for spreadsheets, a
//! self-contained page for people, and pages for print and archives.
//!
//! All of them read the same [`Statement`]; none of them makes a figure. Text from outside is made
//! harmless for the medium it goes to. Percentages are cut, never rounded.

pub mod csv;
pub mod html;
pub mod json;
pub mod pdf;
pub mod text;

pub(crate) mod chart;
pub(crate) mod comparison;
pub(crate) mod document;
pub(crate) mod drawing;
pub(crate) mod figures;
pub(crate) mod outside;
pub(crate) mod strip;
mod timeline;
pub(crate) mod words;

use crate::closing::Statement;
use pdf::PdfError;
use rules::agreement::Language;

/// A form that a statement takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For tools; its keys are promises.
    Json,
    /// For terminals.
    Text,
    /// For spreadsheets, one figure a line.
    Csv,
    /// A self-contained, printable page.
    Html,
    /// Typeset pages to print, send and keep, with the JSON in them.
    Pdf,
}

/// Renders `statement` in `format`; `language` is that of words, never of keys.
pub fn render(statement: &Statement<'_>, format: Format, language: Language) -> Result<Vec<u8>, PdfError> {
    Ok(match format {
        Format::Json => json::document(statement).into_bytes(),
        Format::Text => text::statement(statement, language).into_bytes(),
        Format::Csv => csv::statement(statement).into_bytes(),
        Format::Html => html::statement(statement, language).into_bytes(),
        Format::Pdf => pdf::statement(statement, language, json::document(statement).as_bytes())?,
    })
}
