//! Published keys as a file: what `/api/v1/keys` answers, `keys export` writes and `verify --keys`
//! reads.

use crate::closing::seal::{key_name, public_key, public_key_text};
use crate::ledger::books::PublishedKey;
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};

/// More keys than were ever published.
const KEYS_MAX: usize = 10_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keys: Vec<View>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct View {
    key: String,
    algorithm: String,
    public_key: String,
    published_at: String,
    retired_at: Option<String>,
}

/// Why a file holds no keys.
#[derive(Debug, thiserror::Error)]
pub enum NotKeys {
    /// It has another form.
    #[error("it is not what `nines-collector keys export` writes: {0}")]
    Shape(#[from] serde_json::Error),
    /// One of them can't be.
    #[error("key `{key}`: {why}")]
    Key {
        /// Its name as written.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There are more than can be.
    #[error("it lists more than {KEYS_MAX} keys")]
    TooMany,
}

/// The document of `keys`.
pub fn write(keys: &[PublishedKey]) -> String {
    let view = |key: &PublishedKey| View {
        key: key.id.clone(),
        algorithm: "ed25519".to_owned(),
        public_key: public_key_text(&key.public),
        published_at: key.published_at.to_string(),
        retired_at: key.retired_at.map(|at| at.to_string()),
    };
    let document = Document { keys: keys.iter().map(view).collect() };
    let mut text = serde_json::to_string_pretty(&document).expect("texts are always JSON");
    text.push('\n');
    text
}

/// The keys of a document.
pub fn read(text: &str) -> Result<Vec<PublishedKey>, NotKeys> {
    let Document { keys } = serde_json::from_str(text)?;
    if KEYS_MAX < keys.len() {
        return Err(NotKeys::TooMany);
    }
    keys.into_iter().map(key).collect()
}

fn key(view: View) -> Result<PublishedKey, NotKeys> {
    let wrong = |why| NotKeys::Key { key: view.key.clone(), why };
    let public = public_key(&view.public_key).ok_or_else(|| wrong("its `public_key` is no Ed25519 key in base64"))?;
    if view.algorithm != "ed25519" {
        return Err(wrong("its `algorithm` is not `ed25519`"));
    }
    if key_name(&public) != view.key {
        return Err(wrong("it is not the name of its `public_key`"));
    }
    let instant = |text: &str| text.parse::<Timestamp>().map_err(|_| wrong("an instant of it is no RFC 3339 text"));
    Ok(PublishedKey {
        id: view.key.clone(),
        public,
        published_at: instant(&view.published_at)?,
        retired_at: view.retired_at.as_deref().map(instant).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> PublishedKey {
        let public = ed25519_dalek::SigningKey::from_bytes(&[3; 32]).verifying_key().to_bytes();
        let at = Timestamp::from_millis(1_790_000_000_000);
        PublishedKey { id: key_name(&public), public, published_at: at, retired_at: Some(at) }
    }

    #[test]
    fn keys_are_read_back_as_they_are_written() {
        let keys = [sample(), PublishedKey { retired_at: None, ..sample() }];
        assert_eq!(read(&write(&keys)).unwrap(), keys);
    }

    #[test]
    fn a_key_under_another_name_is_refused() {
        let text = write(&[sample()]).replace(&sample().id, "00112233445566778899aabbccddeeff");
        assert!(read(&text).unwrap_err().to_string().contains("is not the name of its `public_key`"));
    }
}
