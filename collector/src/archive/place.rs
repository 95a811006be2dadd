//! Where things lie in the store: names from outside become names that every store and file system takes.
//!
//! ```text
//! agreement=acme-apm/date=2026-10-01/seal-0000000042-9f86d081884c7d65.parquet
//! manifests/0000000042-2c26b46b68ffc68f.json
//! ```
//! A place is for people and for tools that prune by `agreement=` and `date=`; which agreement a file
//! really belongs to is said by its manifest and by the file itself.

use super::digest::Digest;
use rules::id::AgreementId;
use rules::time::Timestamp;
use std::fmt::Write as _;

/// Where results lie that no agreement promises. No agreement's place begins so, because an
/// underscore at the beginning of a name is written as `%5F`.
const UNPROMISED: &str = "_unpromised";
/// Beyond this a name is cut and told apart by its digest: file systems take 255 bytes.
const ENCODED_BYTES_MAX: usize = 180;

/// The folder of all manifests.
pub(crate) const MANIFESTS: &str = "manifests";

/// The place of a file of results.
pub(crate) fn of_file(agreement: Option<&AgreementId>, sealed_at: Timestamp, number: u64, digest: &Digest) -> String {
    let agreement = agreement.map_or_else(|| UNPROMISED.to_owned(), |id| encoded(id.as_str()));
    let (at, short) = (sealed_at.to_string(), digest.short());
    let date = at.split('T').next().unwrap_or_default();
    format!("agreement={agreement}/date={date}/seal-{number:010}-{short}.parquet")
}

/// The place of a manifest.
pub(crate) fn of_manifest(number: u64, digest: &Digest) -> String {
    format!("{MANIFESTS}/{number:010}-{}.json", digest.short())
}

/// The seal's number in the place of a file or a manifest; nothing for whatever else lies there.
pub(crate) fn number_in(place: &str) -> Option<u64> {
    let name = place.rsplit('/').next()?;
    let number = match place.starts_with(MANIFESTS) {
        true => name.strip_suffix(".json")?,
        false => name.strip_suffix(".parquet")?.strip_prefix("seal-")?,
    };
    number.split_once('-')?.0.parse().ok()
}

/// A name as one part of a place: letters, digits and `-` stay, `_` and `.` but at the beginning.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => text.push(char::from(byte)),
            b'_' | b'.' if !text.is_empty() => text.push(char::from(byte)),
            // Writing to a String can't fail.
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
    if ENCODED_BYTES_MAX < text.len() {
        text.truncate(ENCODED_BYTES_MAX);
        let _ = write!(text, "-{}", Digest::of(name.as_bytes()).short());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_harmless_and_stay_apart() {
        assert_eq!(encoded("acme-apm_1.2"), "acme-apm_1.2");
        assert_eq!(encoded("_unpromised"), "%5Funpromised");
        assert_eq!(encoded(".."), "%2E.");
        assert_eq!(encoded("a b%\\:*"), "a%20b%25%5C%3A%2A");
        let (one, other) = ("가".repeat(66), format!("{}나", "가".repeat(65)));
        assert!(encoded(&one).len() < 255);
        assert_ne!(encoded(&one), encoded(&other));
    }

    #[test]
    fn a_place_says_its_seal() {
        let (at, digest) = ("2026-10-01T23:59:59.5Z".parse().unwrap(), Digest::of(b""));
        let agreement = "acme".parse().unwrap();
        let file = of_file(Some(&agreement), at, 42, &digest);
        assert_eq!(file, "agreement=acme/date=2026-10-01/seal-0000000042-e3b0c44298fc1c14.parquet");
        assert_eq!(number_in(&file), Some(42));
        assert!(of_file(None, at, 1, &digest).starts_with("agreement=_unpromised/"));
        assert_eq!(number_in(&of_manifest(7, &digest)), Some(7));
        assert_eq!(number_in("agreement=acme/notes.txt"), None);
    }
}
