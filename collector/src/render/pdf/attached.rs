//! The statement taken out of a PDF again: the JSON that a page's reader can't see.
//!
//! Only the attachment is read, never the pages: what they say is known by printing them again.

use flate2::read::ZlibDecoder;
use hayro_syntax::object::{Array, Dict, Stream, String as Text};
use hayro_syntax::{Filter, Pdf};
use std::io::Read as _;

/// The longest statement that is taken out; a thousand services are a tenth of it.
const BYTES_MAX: u64 = 256 << 20;
/// The most attachments that are looked at.
const ATTACHMENTS_MAX: usize = 100;

/// An attachment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// The statement's JSON, byte for byte.
    pub bytes: Vec<u8>,
}

/// Why a PDF has no statement to give.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAttached {
    /// It is none, or too damaged to be read.
    #[error("it can't be read as a PDF")]
    Unreadable,
    /// It has no statement attached.
    #[error("no statement is attached to it; a PDF of `nines-collector statement` has `statement-….json` in it")]
    Nothing,
    /// It has several.
    #[error("{0} statements are attached to it, and a statement's PDF has one")]
    Several(usize),
    /// The attachment can't be unpacked.
    #[error("its attachment `{0}` can't be unpacked")]
    Packed(String),
}

/// Takes the statement out of the PDF in `file`.
pub fn attached(file: Vec<u8>) -> Result<Attached, NotAttached> {
    let pdf = Pdf::new(file).map_err(|_| NotAttached::Unreadable)?;
    let catalog: Dict<'_> = pdf.xref().get(pdf.xref().root_id()).ok_or(NotAttached::Unreadable)?;
    let attachments = catalog.get::<Array<'_>>("AF");
    let attachments = attachments.iter().flat_map(|all| all.iter::<Dict<'_>>()).take(ATTACHMENTS_MAX);
    let mut found: Vec<(String, Stream<'_>)> = attachments.filter_map(|of| statement(&of)).collect();
    let (name, stream) = match found.len() {
        0 => return Err(NotAttached::Nothing),
        1 => found.remove(0),
        several => return Err(NotAttached::Several(several)),
    };
    let bytes = unpacked(&stream).ok_or_else(|| NotAttached::Packed(name.clone()))?;
    Ok(Attached { name, bytes })
}

/// The attachment's name and content, if it is named as statements are.
fn statement<'a>(attachment: &Dict<'a>) -> Option<(String, Stream<'a>)> {
    let name = text(&attachment.get::<Text<'_>>("UF").or_else(|| attachment.get("F"))?);
    let content = attachment.get::<Dict<'a>>("EF")?.get::<Stream<'a>>("F")?;
    (name.starts_with("statement-") && name.ends_with(".json")).then_some((name, content))
}

/// A text of the file: UTF-16 if it begins so, else one byte a character.
fn text(text: &[u8]) -> String {
    match text.strip_prefix(&[0xfe, 0xff]) {
        Some(pairs) => {
            let units: Vec<u16> = pairs.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        None => text.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The content, unpacked within bounds.
fn unpacked(stream: &Stream<'_>) -> Option<Vec<u8>> {
    let raw = stream.raw_data();
    let mut bytes = Vec::new();
    match stream.filters().as_slice() {
        [] => bytes.extend_from_slice(&raw),
        [Filter::FlateDecode] => {
            ZlibDecoder::new(&*raw).take(BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
        }
        _ => return None,
    }
    (bytes.len() as u64 <= BYTES_MAX).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>> endobj
trailer <</Root 1 0 R/Size 4>>
";

    /// A PDF with attachments of these names, each with its content as it is.
    fn with(names: &[&str], filter: &str) -> Vec<u8> {
        let files: String = names.iter().map(|name| format!("<</F({name})/EF<</F 4 0 R>>>>")).collect();
        let file = EMPTY.replace("/Pages 2 0 R", &format!("/Pages 2 0 R/AF[{files}]"));
        let stream = format!("4 0 obj <</Length 3{filter}>> stream\n{{}}\n\nendstream endobj\ntrailer");
        file.replace("trailer", &stream).into_bytes()
    }

    #[test]
    fn a_pdf_without_one_statement_says_so() {
        assert_eq!(attached(EMPTY.into()), Err(NotAttached::Nothing));
        assert_eq!(attached(b"%PDF-1.4".to_vec()), Err(NotAttached::Unreadable));
        assert_eq!(attached(with(&["invoice.json"], "")), Err(NotAttached::Nothing));
        let (one, two) = ("statement-2026-10-v1.json", "statement-2026-10-v2.json");
        assert_eq!(attached(with(&[one, two], "")), Err(NotAttached::Several(2)));
        assert_eq!(attached(with(&[one], "/Filter/FlateDecode")), Err(NotAttached::Packed(one.into())));
        let found = attached(with(&["invoice.json", one], "")).unwrap();
        assert_eq!((found.name.as_str(), found.bytes.as_slice()), (one, &b"{}\n"[..]));
    }
}
