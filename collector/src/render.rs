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
pub(crate) mod press;
pub(crate) mod strip;
mod timeline;
pub(crate) mod words;

use crate::closing::Statement;
use document::{Document, document};
use pdf::{Imprint, PdfError};
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

impl Format {
    /// Its media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Text => "text/plain; charset=utf-8",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Html => "text/html; charset=utf-8",
            Format::Pdf => "application/pdf",
        }
    }
}

/// A statement put into words, ready to be printed. It borrows nothing, so that it can be printed on
/// another thread.
pub(crate) struct Manuscript(Text);

enum Text {
    /// JSON or CSV, which is all there is to it.
    Lines(String),
    Plain(Document),
    Page(Document),
    Sheets {
        document: Document,
        imprint: Imprint,
        json: String,
    },
}

impl Manuscript {
    /// Puts `statement` into words for `format`; `language` is that of words, never of keys.
    pub(crate) fn of(statement: &Statement<'_>, format: Format, language: Language) -> Manuscript {
        Manuscript(match format {
            Format::Json => Text::Lines(json::document(statement)),
            Format::Csv => Text::Lines(csv::statement(statement)),
            Format::Text => Text::Plain(document(statement, language)),
            Format::Html => Text::Page(document(statement, language)),
            Format::Pdf => {
                let json = json::document(statement);
                let imprint = Imprint::of(statement, json.as_bytes());
                Text::Sheets { document: document(statement, language), imprint, json }
            }
        })
    }

    /// Prints it; typesetting takes a while.
    pub(crate) fn printed(self) -> Result<Vec<u8>, PdfError> {
        match self.0 {
            Text::Lines(lines) => Ok(lines.into_bytes()),
            Text::Plain(document) => Ok(text::page(&document).into_bytes()),
            Text::Page(document) => Ok(html::page(&document).into_bytes()),
            Text::Sheets { document, imprint, json } => pdf::laid_out(&document, &imprint, json.as_bytes()),
        }
    }
}

/// Renders `statement` in `format`; `language` is that of words, never of keys.
pub fn render(statement: &Statement<'_>, format: Format, language: Language) -> Result<Vec<u8>, PdfError> {
    Manuscript::of(statement, format, language).printed()
}
