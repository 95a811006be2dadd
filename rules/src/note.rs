//! What of a probe's evidence is kept with its result, in words for a person who asks why.
//!
//! Nobody reckons with a note, and a result without one means the same. Its text is from outside:
//! it is cut, and what could steer a terminal is escaped, but whoever shows it escapes it for their
//! own format.

use crate::evidence::{Evidence, escaped};
use crate::judge::Complaint;
use alloc::string::String;
use core::fmt::{self, Write as _};

/// The longest note: what is wrong, where, a fingerprint, and how the answer began.
pub const NOTE_BYTES_MAX: usize = 512;

/// Addresses named of those that were tried in vain.
const ADDRESSES_NAMED: usize = 4;

/// What is kept with a result: at most [`NOTE_BYTES_MAX`] bytes, never none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Note(String);

impl Note {
    /// Keeps what fits of `text`; control characters and direction marks become escapes. Nothing of
    /// an empty text.
    pub fn new(text: &str) -> Option<Note> {
        let mut kept = String::new();
        for c in text.chars() {
            let length = escaped(c).map(char::len_utf8).sum::<usize>();
            if NOTE_BYTES_MAX < kept.len() + length {
                break;
            }
            kept.extend(escaped(c));
        }
        (!kept.is_empty()).then_some(Note(kept))
    }

    /// What is kept of a probe that was not up: what is wrong, who answered or did not, whose
    /// certificate that was, and how the answer began.
    pub fn of_complaint(complaint: &Complaint<'_>, evidence: &Evidence) -> Option<Note> {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = write!(text, "{complaint}");
        write_place(&mut text, evidence);
        if let Some(start) = evidence.http.as_ref().and_then(|http| http.body_start.as_ref()) {
            let _ = write!(text, "; its answer begins: {start}");
        }
        Note::new(&text)
    }

    /// What is kept of a probe that was up, when its certificate is worth it.
    pub fn of_certificate(evidence: &Evidence) -> Option<Note> {
        let mut text = String::new();
        write_place(&mut text, evidence);
        Note::new(text.strip_prefix("; ")?)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn write_place(text: &mut String, evidence: &Evidence) {
    match evidence.answered() {
        Some(address) => {
            let _ = write!(text, "; answered by {address}");
        }
        None => {
            for (index, attempt) in evidence.attempts.iter().take(ADDRESSES_NAMED).enumerate() {
                let word = if index == 0 { "; tried" } else { "," };
                let _ = write!(text, "{word} {}", attempt.address);
            }
        }
    }
    if let Some(certificate) = evidence.tls.as_ref().and_then(|tls| tls.certificate.as_ref()) {
        text.push_str("; certificate sha256 ");
        for byte in certificate.sha256 {
            let _ = write!(text, "{byte:02x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Attempt, Failure, Fault, Phase, Said};
    use alloc::vec;
    use core::time::Duration;

    #[test]
    fn a_note_is_cut_between_characters_and_steers_no_terminal() {
        let hostile = Note::new("\u{1b}[2J\r\n\u{202e}<b>&").unwrap();
        assert_eq!(hostile.as_str(), "\\u{1b}[2J\\r\\n\\u{202e}<b>&");
        let long = Note::new(&"가".repeat(400)).unwrap();
        assert_eq!(long.as_str().len(), NOTE_BYTES_MAX / 3 * 3);
        assert_eq!(Note::new(""), None);
    }

    #[test]
    fn a_note_says_what_is_wrong_and_which_addresses_were_tried() {
        let address = |text: &str| text.parse().unwrap();
        let fault = Some(Fault::Refused);
        let attempts = ["192.0.2.1:80", "[2001:db8::1]:80"];
        let attempts = attempts.map(|to| Attempt { address: address(to), fault, elapsed: Duration::ZERO }).to_vec();
        let failure = Failure { fault: Fault::Refused, phase: Some(Phase::Connect), detail: Said::new("refused\n") };
        let evidence = Evidence { attempts, ..Evidence::default() };
        let note = Note::of_complaint(&Complaint::Broken(&failure), &evidence).unwrap();
        assert_eq!(note.as_str(), "refused\\n (in phase connect); tried 192.0.2.1:80, [2001:db8::1]:80");
        let answered = vec![Attempt { address: address("192.0.2.1:80"), fault: None, elapsed: Duration::ZERO }];
        let evidence = Evidence { attempts: answered, ..Evidence::default() };
        let note = Note::of_complaint(&Complaint::Status(503), &evidence).unwrap();
        assert_eq!(note.as_str(), "the answer's status is 503, which is not expected; answered by 192.0.2.1:80");
    }
}
