//! A statement as a typeset, tagged document: PDF/A-3a and PDF/UA-1, with its JSON embedded.
//!
//! Everything is laid out here: `faces` knows glyphs, `text` breaks lines, `table` and its
//! neighbours make strips, `pages` puts those onto sheets, `paint` writes the file. The same
//! statement gives the same bytes: no clock, no chance, and dates are the statement's own.

pub mod attached;
mod blocks;
mod compose;
mod drawings;
mod faces;
mod flow;
mod pages;
mod paint;
mod sheet;
mod table;
mod text;

use self::flow::{Stroke, stroke};
use self::sheet::{BODY_HEIGHT, BODY_WIDTH, FOOT_BASELINE, HEAD_BASELINE, MARGIN, RULE, RUNNING, SHEET_WIDTH};
use super::document::{self, Document};
use super::outside;
use super::words::code;
use crate::closing::Statement;
use crate::digest::hex;
use krilla::error::KrillaError;
use krilla::metadata::DateTime;
use krilla::tagging::ArtifactType;
use rules::agreement::Language;
use rules::time::Timestamp;
use sha2::{Digest, Sha256};

/// How many digits of the JSON's hash stand on each page: enough to tell two versions apart.
const HASH_DIGITS: usize = 16;

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
#[error("the pages can't be written as PDF/A-3a and PDF/UA-1")]
pub struct PdfError(#[source] KrillaError);

/// What goes into the file beside its pages.
struct Wrapping<'a> {
    title: String,
    language: &'static str,
    /// The same for every version of a period's statement.
    id: String,
    date: DateTime,
    file_name: String,
    file_description: String,
    json: &'a [u8],
}

/// What identifies a statement, beside what its document says.
pub(super) struct Imprint {
    agreement: String,
    period: String,
    version: u32,
    /// The instant whose knowledge it holds.
    at: Timestamp,
    /// Of its JSON without a seal.
    sha256: [u8; 32],
}

impl Imprint {
    /// That of `statement`, whose canonical JSON is `json`.
    pub(super) fn of(statement: &Statement<'_>, json: &[u8]) -> Imprint {
        let issued_at = statement.issue.as_ref().map(|issue| issue.issued_at);
        let signed = statement.document.as_ref().map(|document| document.sha256);
        Imprint {
            agreement: outside::shown(statement.agreement.id.as_str()),
            period: statement.month.to_string(),
            version: statement.version,
            at: issued_at.or(statement.as_of).unwrap_or(statement.calendar.until()),
            sha256: signed.unwrap_or_else(|| Sha256::digest(json).into()),
        }
    }
}

/// Renders the whole statement, with `json` in it: the statement's canonical JSON, byte for byte.
pub fn statement(statement: &Statement<'_>, language: Language, json: &[u8]) -> Result<Vec<u8>, PdfError> {
    laid_out(&document::document(statement, language), &Imprint::of(statement, json), json)
}

/// Lays `document` out and wraps it up with its JSON.
pub(super) fn laid_out(document: &Document, imprint: &Imprint, json: &[u8]) -> Result<Vec<u8>, PdfError> {
    let mut flow = compose::flow(document);
    let pages = pages::paged(std::mem::take(&mut flow.strips), BODY_HEIGHT);
    let foot = foot(imprint, document.language);
    let running = |page: usize| running(document, &foot, page, pages.len());
    let wrapping = Wrapping {
        title: format!("{}: {}, {}", document.title, document.customer, document.period),
        language: code(document.language),
        id: format!("{} {}", imprint.agreement, imprint.period),
        date: date(imprint.at),
        file_name: format!("statement-{}-v{}.json", imprint.period, imprint.version),
        file_description: match document.language {
            Language::English => "The statement itself, for programs; these pages are printed from it.".to_owned(),
            Language::Korean => "명세서 원본 데이터(JSON). 이 문서는 이 데이터를 조판한 것입니다.".to_owned(),
        },
        json,
    };
    paint::painted(&flow, &pages, running, &wrapping)
}

/// What stands at the foot of every page: which statement it is, and which version of it.
fn foot(imprint: &Imprint, language: Language) -> String {
    let hash = &hex(&imprint.sha256)[..HASH_DIGITS];
    let version = match language {
        Language::English => format!("version {}", imprint.version),
        Language::Korean => format!("제{}판", imprint.version),
    };
    format!("{} · {} · {version} · SHA-256 {hash}", imprint.agreement, imprint.period)
}

/// The head (but on the first page) and foot of a page, on the whole sheet.
fn running(document: &Document, foot: &str, page: usize, of: usize) -> Vec<(ArtifactType, Stroke)> {
    let number = match document.language {
        Language::English => format!("Page {} of {of}", page + 1),
        Language::Korean => format!("{of}쪽 중 {}쪽", page + 1),
    };
    let mut strokes = row(foot, &number, FOOT_BASELINE, ArtifactType::Footer);
    strokes.push((ArtifactType::Footer, rule(FOOT_BASELINE - 13.0)));
    if 0 < page {
        let whose = format!("{} · {} · {}", document.title, document.customer, document.period);
        strokes.extend(row(&whose, document.state.word, HEAD_BASELINE, ArtifactType::Header));
        strokes.push((ArtifactType::Header, rule(HEAD_BASELINE + 6.0)));
    }
    strokes
}

fn row(left: &str, right: &str, baseline: f32, kind: ArtifactType) -> Vec<(ArtifactType, Stroke)> {
    let right = text::one_line(right, RUNNING, BODY_WIDTH / 3.0);
    let left = text::one_line(left, RUNNING, BODY_WIDTH - right.width - 20.0);
    let top = baseline - RUNNING.ascent();
    let right_x = SHEET_WIDTH - MARGIN - right.width;
    vec![(kind, stroke(&left, RUNNING, MARGIN, top)), (kind, stroke(&right, RUNNING, right_x, top))]
}

fn rule(y: f32) -> Stroke {
    Stroke::Line { points: vec![(MARGIN, y), (SHEET_WIDTH - MARGIN, y)], colour: RULE, width: 0.5, dash: None }
}

fn date(at: Timestamp) -> DateTime {
    let instant = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    let civil = jiff::tz::Offset::UTC.to_datetime(instant);
    let part = |part: i8| u8::try_from(part).unwrap_or(0);
    DateTime::new(u16::try_from(civil.year()).unwrap_or(0))
        .month(part(civil.month()))
        .day(part(civil.day()))
        .hour(part(civil.hour()))
        .minute(part(civil.minute()))
        .second(part(civil.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

#[cfg(test)]
mod tests;
