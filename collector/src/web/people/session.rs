//! Sessions: what a browser shows instead of a token.
//!
//! A session is a sealed cookie and lies in no memory, so that it survives a restart and is good at
//! a second collector that shares the directory of keys. Layout, before base64url without padding:
//!
//! ```text
//! layout 1 | issued_at i64 BE | renewed_at i64 BE | id 16 bytes | user, UTF-8 | HMAC-SHA-256, 32 bytes
//! ```
//!
//! The seal covers the hash of the user's token too: a new token, or no user of that name any more,
//! ends all sessions of the old. Without the key a session can't be made, not even by whoever reads
//! the configuration. Signing out is remembered here until the session would have ended by itself;
//! after a restart only a copy made before could still be used, and no longer than until it idles.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use config::collector::users::User;
use hmac::{Hmac, KeyInit, Mac};
use rules::time::Timestamp;
use sha2::Sha256;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// A session that nobody uses ends after this; an open page of the console uses it.
pub(super) const IDLE: Duration = Duration::from_secs(2 * 3600);
/// A session ends after this however it is used: a working day.
pub(super) const ABSOLUTE: Duration = Duration::from_secs(12 * 3600);
/// A session is renewed when it was last renewed this long ago.
const RENEW_AFTER: Duration = Duration::from_secs(5 * 60);
/// Signed-out sessions remembered; beyond that the one that ends first is forgotten.
const SIGNED_OUT_MAX: usize = 10_000;
/// The layout's number, first in every session.
const LAYOUT: u8 = 1;
/// The bytes before the user's name.
const HEAD: usize = 1 + 8 + 8 + 16;
/// The bytes of a seal.
const SEAL: usize = 32;
/// The file of the key within the directory of keys.
const KEY_FILE: &str = "console-session.key";

/// What seals sessions and knows which were ended.
#[derive(Default)]
pub(super) struct Sessions {
    key: OnceCell<[u8; 32]>,
    signed_out: Mutex<HashMap<[u8; 16], Timestamp>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// A session that is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Session {
    id: [u8; 16],
    issued_at: Timestamp,
    renewed_at: Timestamp,
}

impl Session {
    /// A new one.
    pub(super) fn begin(now: Timestamp) -> Session {
        Session { id: rand::random(), issued_at: now, renewed_at: now }
    }

    /// The same, used at `now`; nothing if it was renewed lately.
    pub(super) fn renewed(self, now: Timestamp) -> Option<Session> {
        (RENEW_AFTER <= now.since(self.renewed_at)).then_some(Session { renewed_at: now, ..self })
    }

    /// How long it may last from `now` on.
    pub(super) fn left(self, now: Timestamp) -> Duration {
        ABSOLUTE.saturating_sub(now.since(self.issued_at))
    }

    fn is_over(self, now: Timestamp) -> bool {
        ABSOLUTE <= now.since(self.issued_at) || IDLE <= now.since(self.renewed_at)
    }
}

impl Sessions {
    /// Loads the key from `keys`, or makes it there, unless that was done.
    pub(super) async fn unlock(&self, keys: &Path) -> Unlocked<'_> {
        let key = self.key.get_or_init(async || {
            let keys = keys.to_owned();
            match tokio::task::spawn_blocking(move || key(&keys)).await {
                Ok(Ok(key)) => key,
                Ok(Err((path, error))) => {
                    tracing::warn!(path = %path.display(), %error, "Session key can't be kept; sign-ins end with this process");
                    rand::random()
                }
                Err(_) => rand::random(),
            }
        });
        Unlocked { sessions: self, key: key.await }
    }
}

/// Sessions with their key at hand.
pub(super) struct Unlocked<'a> {
    sessions: &'a Sessions,
    key: &'a [u8; 32],
}

impl Unlocked<'_> {
    /// The cookie's value for `user`'s `session`.
    pub(super) fn seal(&self, session: Session, user: &User) -> String {
        let mut bytes = vec![LAYOUT];
        bytes.extend(session.issued_at.as_millis().to_be_bytes());
        bytes.extend(session.renewed_at.as_millis().to_be_bytes());
        bytes.extend(session.id);
        bytes.extend(user.user.as_bytes());
        let seal = self.mac(&bytes, user).finalize().into_bytes();
        bytes.extend(seal);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The session in a cookie's value and its user, if it is good at `now`.
    pub(super) fn open<'u>(&self, cookie: &str, users: &'u [User], now: Timestamp) -> Option<(Session, &'u User)> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (content, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL)?)?;
        let (head, name) = content.split_at_checked(HEAD)?;
        let user = users.iter().find(|user| user.user.as_bytes() == name)?;
        // Compared in constant time.
        self.mac(content, user).verify_slice(seal).ok()?;
        let [LAYOUT, head @ ..] = head else { return None };
        let (issued_at, rest) = head.split_first_chunk()?;
        let (renewed_at, id) = rest.split_first_chunk()?;
        let instant = |bytes: &[u8; 8]| Timestamp::from_millis(i64::from_be_bytes(*bytes));
        let session =
            Session { id: id.try_into().ok()?, issued_at: instant(issued_at), renewed_at: instant(renewed_at) };
        let signed_out = self.sessions.signed_out.lock().unwrap_or_else(PoisonError::into_inner);
        (!session.is_over(now) && !signed_out.contains_key(&session.id)).then_some((session, user))
    }

    /// Ends a session before its time.
    pub(super) fn end(&self, session: Session, now: Timestamp) {
        let mut signed_out = self.sessions.signed_out.lock().unwrap_or_else(PoisonError::into_inner);
        signed_out.retain(|_, over_at| now < *over_at);
        if SIGNED_OUT_MAX <= signed_out.len() {
            let first = signed_out.iter().min_by_key(|(_, over_at)| **over_at).map(|(id, _)| *id);
            first.and_then(|id| signed_out.remove(&id));
        }
        signed_out.insert(session.id, session.issued_at.plus(ABSOLUTE));
    }

    /// What this session's forms carry, which no other page can know.
    pub(super) fn form_token(&self, session: Session) -> String {
        let mac = mac(self.key).chain_update(b"form").chain_update(session.id);
        BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// Whether `shown` is what this session's forms carry.
    pub(super) fn is_form_token(&self, session: Session, shown: &str) -> bool {
        let Ok(shown) = BASE64_URL_SAFE_NO_PAD.decode(shown) else { return false };
        mac(self.key).chain_update(b"form").chain_update(session.id).verify_slice(&shown).is_ok()
    }

    fn mac(&self, content: &[u8], user: &User) -> Hmac<Sha256> {
        mac(self.key).chain_update(b"session").chain_update(user.token_sha256).chain_update(content)
    }
}

fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The key in the directory `keys`, made there if there is none. It is linked into place whole, so
/// that of two collectors that make one at once both read the same.
fn key(keys: &Path) -> Result<[u8; 32], (PathBuf, io::Error)> {
    let path = keys.join(KEY_FILE);
    let make = || {
        let draft = keys.join(format!("{KEY_FILE}.{:016x}", rand::random::<u64>()));
        fs::create_dir_all(keys)?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&rand::random::<[u8; 32]>())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, &path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => read(&path),
        }
    };
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(),
        read => read,
    }
    .map_err(|error| (path.clone(), error))
}

fn read(path: &Path) -> io::Result<[u8; 32]> {
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "it does not hold 32 bytes; remove it");
    fs::read(path)?.as_slice().try_into().map_err(wrong)
}

#[cfg(test)]
mod tests;
