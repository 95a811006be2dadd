//! A statement as a self-contained page: no script, nothing loaded, printable on A4.

use super::document::{Document, document};
use crate::closing::Statement;
use askama::Template;
use rules::agreement::Language;

/// What the page looks like; also allowed by hash where a page embeds it.
pub(crate) const STYLE: &str = include_str!("../../templates/statement.css");

#[derive(Template)]
#[template(path = "statement.html")]
struct Page<'a> {
    document: &'a Document,
    style: &'static str,
}

#[derive(Template)]
#[template(path = "statement_body.html")]
struct Body<'a> {
    document: &'a Document,
}

/// Renders the whole page.
pub fn statement(statement: &Statement<'_>, language: Language) -> String {
    let document = document(statement, language);
    let page = Page { document: &document, style: STYLE };
    page.render().expect("writing into a string can't fail")
}

/// Renders the statement without head and style, for a page around it.
pub(crate) fn body(statement: &Statement<'_>, language: Language) -> String {
    let document = document(statement, language);
    let body = Body { document: &document };
    body.render().expect("writing into a string can't fail")
}
