//! The seal of a statement: what makes a file of JSON a document that money can hang on.
//!
//! A sealed statement is the canonical text with one more member at its end:
//!
//! ```text
//! {
//!   "statement": …,
//!   …
//!   "issue": …,
//!   "seal": {
//!     "algorithm": "ed25519",
//!     "sha256": "64 hexadecimal digits",
//!     "key": "32 hexadecimal digits",
//!     "public_key": "base64 of the key's SubjectPublicKeyInfo",
//!     "signature": "base64 of 64 bytes"
//!   }
//! }
//! ```
//!
//! What is hashed and signed is the text without the seal: take away everything from the comma
//! before `"seal"` on, and put a line feed, a closing brace and a line feed there. `sha256` is that
//! text's hash, `signature` its Ed25519 signature, `key` the first half of the SHA-256 of the 32 bytes
//! of the public key. A file is checked by making the sealed text again from the text and the seal's
//! five values and comparing bytes: so a flipped byte is found wherever it is, also in white space
//! and in the unused bits of base64.

use crate::digest::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The only algorithm.
const ALGORITHM: &str = "ed25519";
/// How a canonical text ends.
const END: &str = "\n}\n";
/// What stands between the text and the seal. No text within JSON holds a line feed, so it stands
/// nowhere else.
const BEGIN: &str = ",\n  \"seal\": ";
/// What comes before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const PUBLIC_KEY_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a file is no statement that its seal belongs to.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    /// It is not text.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// It has no seal.
    #[error("the file has no seal; only an issued statement has one, and it is the file's last member")]
    NoSeal,
    /// The seal is not of the form that seals have.
    #[error("the seal can't be read: {0}")]
    Shape(String),
    /// The bytes are not those that the text and the seal make.
    #[error("the file is not byte for byte what a sealed statement is; it was changed or written anew by a program")]
    NotCanonical,
    /// The text's hash is another.
    #[error("the seal says SHA-256 {said}, the text has {found}: the text or the seal was changed")]
    Hash {
        /// What the seal says.
        said: String,
        /// What the text has.
        found: String,
    },
    /// The key's name is another.
    #[error("the seal names key {said}, its public key is {found}")]
    Key {
        /// What the seal says.
        said: String,
        /// What the key is.
        found: String,
    },
    /// The signature is none of the text by the key.
    #[error("the signature is not that of key {0} over this text")]
    Signature(String),
}

/// A statement whose seal belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// The text that is signed.
    pub text: String,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// The name of the key that signed it.
    pub key: String,
    /// That key.
    pub public: [u8; 32],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tail {
    seal: SealView,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealView {
    algorithm: String,
    sha256: String,
    key: String,
    public_key: String,
    signature: String,
}

/// The name of a public key: SHA-256 of its bytes, the first 16 in hexadecimal.
pub fn key_name(public: &[u8; 32]) -> String {
    hex(&Sha256::digest(public)[..16])
}

/// A public key as base64 of its SubjectPublicKeyInfo: what stands within a PEM file.
pub fn public_key_text(public: &[u8; 32]) -> String {
    STANDARD.encode([&PUBLIC_KEY_HEAD[..], public].concat())
}

/// The key that [`public_key_text`] wrote; nothing if the text is none.
pub fn public_key(text: &str) -> Option<[u8; 32]> {
    let bytes = STANDARD.decode(text).ok()?;
    let public = bytes.strip_prefix(&PUBLIC_KEY_HEAD)?.try_into().ok()?;
    (public_key_text(&public) == text).then_some(public)
}

/// SHA-256 of a canonical text.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Seals a canonical text.
///
/// # Panics
/// If the text doesn't end as canonical texts do.
pub fn seal(text: &str, key: &SigningKey) -> String {
    let public = key.verifying_key().to_bytes();
    sealed(text, &public, &key.sign(text.as_bytes()))
}

fn sealed(text: &str, public: &[u8; 32], signature: &Signature) -> String {
    let body = text.strip_suffix(END).expect("a canonical text ends with a brace on a line of its own");
    let (sha256, key, public) = (hex(&hash(text)), key_name(public), public_key_text(public));
    let signature = STANDARD.encode(signature.to_bytes());
    format!(
        "{body}{BEGIN}{{\n    \"algorithm\": \"{ALGORITHM}\",\n    \"sha256\": \"{sha256}\",\n    \"key\": \"{key}\",\n    \"public_key\": \"{public}\",\n    \"signature\": \"{signature}\"\n  }}{END}"
    )
}

/// Opens a sealed statement if every byte of it is right. Whether the key is to be trusted is
/// another question.
pub fn open(bytes: &[u8]) -> Result<Sealed, NotSealed> {
    let file = std::str::from_utf8(bytes).map_err(|_| NotSealed::NotText)?;
    let (body, _) = file.rsplit_once(BEGIN).ok_or(NotSealed::NoSeal)?;
    let tail = format!("{{{}", &file[body.len() + 1..]);
    let Tail { seal } = serde_json::from_str(&tail).map_err(|error| NotSealed::Shape(error.to_string()))?;
    let unreadable = |what: &str| NotSealed::Shape(what.to_owned());
    if seal.algorithm != ALGORITHM {
        return Err(unreadable("its algorithm is not `ed25519`"));
    }
    let text = format!("{body}{END}");
    let sha256 = hash(&text);
    let found = hex(&sha256);
    if seal.sha256 != found {
        return Err(NotSealed::Hash { said: seal.sha256, found });
    }
    let public =
        public_key(&seal.public_key).ok_or_else(|| unreadable("its public key is no Ed25519 key in base64"))?;
    let name = key_name(&public);
    if seal.key != name {
        return Err(NotSealed::Key { said: seal.key, found: name });
    }
    let signature: [u8; 64] = STANDARD
        .decode(&seal.signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| unreadable("its signature is not 64 bytes in base64"))?;
    let signature = Signature::from_bytes(&signature);
    let key = VerifyingKey::from_bytes(&public).map_err(|_| unreadable("its public key is no point of the curve"))?;
    key.verify_strict(text.as_bytes(), &signature).map_err(|_| NotSealed::Signature(name.clone()))?;
    if sealed(&text, &public, &signature).as_bytes() != bytes {
        return Err(NotSealed::NotCanonical);
    }
    Ok(Sealed { text, sha256, key: name, public })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn small() -> String {
        "{\n  \"statement\": {\n    \"customer\": \"오픈마루, \\\"seal\\\": {\"\n  },\n  \"services\": []\n}\n"
            .to_owned()
    }

    #[test]
    fn what_is_sealed_opens_as_it_was() {
        let file = seal(&small(), &key());
        let opened = open(file.as_bytes()).unwrap();
        assert_eq!((opened.text.as_str(), opened.sha256), (small().as_str(), hash(&small())));
        assert_eq!(opened.public, key().verifying_key().to_bytes());
        let json: serde_json::Value = serde_json::from_str(&file).unwrap();
        assert_eq!(json["seal"]["sha256"], hex(&hash(&small())));
    }

    #[test]
    fn any_flipped_bit_anywhere_in_the_file_is_found() {
        let file = seal(&small(), &key()).into_bytes();
        for index in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[index] ^= 1 << bit;
                assert!(open(&changed).is_err(), "bit {bit} of byte {index} of {}", file.len());
            }
        }
    }

    #[test]
    fn a_byte_more_or_less_anywhere_is_found() {
        let file = seal(&small(), &key()).into_bytes();
        for index in 0..=file.len() {
            for more in [b' ', b'\n', b'0', b','] {
                let mut changed = file.clone();
                changed.insert(index, more);
                assert!(open(&changed).is_err(), "{more} before byte {index}");
            }
            if index < file.len() {
                let mut changed = file.clone();
                changed.remove(index);
                assert!(open(&changed).is_err(), "without byte {index}");
            }
        }
    }

    #[test]
    fn a_seal_of_another_statement_or_of_another_key_is_none() {
        let file = seal(&small(), &key());
        let other = seal(&small().replace("[]", "[1]"), &key());
        let (text, _) = file.rsplit_once(BEGIN).unwrap();
        let (_, foreign) = other.rsplit_once(BEGIN).unwrap();
        assert!(matches!(open(format!("{text}{BEGIN}{foreign}").as_bytes()), Err(NotSealed::Hash { .. })));
        let stranger = SigningKey::from_bytes(&[8; 32]);
        let public = |key: &SigningKey| public_key_text(&key.verifying_key().to_bytes());
        let claimed = file.replace(&public(&key()), &public(&stranger));
        assert!(matches!(open(claimed.as_bytes()), Err(NotSealed::Key { .. })));
        assert!(matches!(open(small().as_bytes()), Err(NotSealed::NoSeal)));
    }

    #[test]
    fn a_second_seal_around_the_first_is_one_statement_more() {
        let twice = seal(&seal(&small(), &key()), &key());
        assert!(open(twice.as_bytes()).is_ok(), "the inner seal is a member like any other");
    }
}
