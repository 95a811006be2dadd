//! Who asks: the header `Authorization`, made anew for each probe.
//!
//! What comes from a file is read whenever a probe needs it, so that a token that something renews is
//! the current one.

use crate::prober::trace::Break;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use rules::check::{HttpAuth, SecretSource};
use rules::evidence::Fault;
use std::borrow::Cow;
use std::io::Read as _;

/// The largest file that a header, a password or a body comes from.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The header that says who asks, if the options themselves say it.
pub(crate) async fn header(auth: &HttpAuth) -> Result<Option<HeaderValue>, Break> {
    let text = match auth {
        HttpAuth::Nobody => return Ok(None),
        HttpAuth::Basic { username, password } => {
            let username = text(username).await?;
            let password = match password {
                Some(password) => text(password).await?,
                None => Cow::Borrowed(""),
            };
            basic(&username, &password)
        }
        HttpAuth::Credentials { scheme, credentials } => format!("{scheme} {}", text(credentials).await?),
        // Whoever has tokens adds their header.
        HttpAuth::OAuth2(_) => return Ok(None),
    };
    secret_header(&text).map(Some)
}

/// A user and password as HTTP writes them.
pub(super) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// A header's value that no debug output shows.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, Break> {
    let refuse =
        |_| Break::new(Fault::Instruction, "the header `authorization` can't be sent: it has a control character");
    let mut value = HeaderValue::from_str(text).map_err(refuse)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What `source` holds now.
pub(crate) async fn text(source: &SecretSource) -> Result<Cow<'_, str>, Break> {
    match source {
        SecretSource::Given(secret) => Ok(Cow::Borrowed(secret.expose())),
        SecretSource::File(file) => {
            let path = file.clone();
            let read = tokio::task::spawn_blocking(move || read(&path)).await;
            let read = read.expect("reading a file doesn't panic");
            let refuse = |error| Break::new(Fault::Instruction, &format!("the file {file}: {error}"));
            read.map(Cow::Owned).map_err(refuse)
        }
    }
}

fn read(path: &str) -> std::io::Result<String> {
    let mut text = String::new();
    let length = std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if !u64::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        let why = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, why));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}
