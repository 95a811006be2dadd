//! The signed JSON in whichever form somebody has it: the file itself, or the PDF that it is embedded in.

use super::{Failure, read};
use crate::closing::Statement;
use crate::closing::tree::Tree;
use crate::render::pdf::attached::attached;
use crate::render::{Format, render};
use rules::agreement::Language;
use std::fmt::Write as _;
use std::path::Path;

/// How a PDF begins.
const PDF: &[u8] = b"%PDF-";

/// What was given.
pub(super) struct Given {
    /// The signed JSON.
    pub(super) json: Vec<u8>,
    /// What messages call it.
    pub(super) name: String,
    /// The PDF that it was in.
    pub(super) pdf: Option<Vec<u8>>,
}

/// Reads the file at `path`.
pub(super) fn given(path: &Path) -> Result<Given, Failure> {
    let (bytes, name) = (read(path)?, path.display().to_string());
    if bytes.starts_with(PDF) {
        let attached = attached(bytes.clone()).map_err(|why| Failure::No(format!("{name}: {why}")))?;
        return Ok(Given { json: attached.bytes, name: format!("{} in {name}", attached.name), pdf: Some(bytes) });
    }
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(Given { json: bytes, name, pdf: None }),
        Some(b'<') => Err(Failure::No(format!(
            "{name} is a page, and pages are not signed; give the statement's JSON, or the PDF that it is embedded in"
        ))),
        _ => Err(Failure::No(format!("{name} is no statement; give its JSON, or the PDF that it is embedded in"))),
    }
}

impl Given {
    /// What of a PDF could not be checked without evidence, and the figures that its pages must show.
    pub(super) fn unread_pages(&self, text: &str) -> Option<String> {
        self.pdf.as_ref()?;
        let mut told =
            "What was checked is the statement that is embedded in the PDF. Whether its pages say the same was not: \
             that takes --evidence. They must say:\n"
                .to_owned();
        let statement = Tree::parse(text).ok()?;
        for service in statement.member("services").map(Tree::entries).unwrap_or_default() {
            let leaf = |member: &str, name: &str| service.member(member).and_then(|of| of.leaf(name)).unwrap_or("none");
            let _ = writeln!(
                told,
                "  service {}: availability {} %, downtime {} ms, credit {} {} (in its smallest unit)",
                service.leaf("service").unwrap_or_default(),
                leaf("availability", "percent"),
                leaf("availability", "downtime_ms"),
                leaf("credit", "amount"),
                leaf("credit", "currency"),
            );
        }
        Some(told)
    }

    /// Whether the PDF, if it was one, is what this version prints from `statement`.
    pub(super) fn check_pages(&self, statement: &Statement<'_>) -> Result<Option<&'static str>, Failure> {
        let Some(pdf) = &self.pdf else { return Ok(None) };
        for language in [Language::Korean, Language::English] {
            let printed = render(statement, Format::Pdf, language);
            if *pdf == printed.map_err(|error| Failure::run("print the statement again", error))? {
                return Ok(Some(
                    "Printed from that statement again, the PDF is the same to the byte: its pages say what the statement says.\n",
                ));
            }
        }
        Err(Failure::No(format!(
            "the statement embedded in it is good, but {} is not the PDF that this version prints from it: its pages may say \
             something else, or another version printed them. Believe the embedded JSON, or have it printed again",
            self.name
        )))
    }
}
