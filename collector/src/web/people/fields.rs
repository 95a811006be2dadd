//! What a form of the console was filled in with.

use super::super::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;

/// The largest form: a reason of 10 kB whose every byte is percent-encoded, and room beside it.
pub(super) const FORM_BYTES_MAX: usize = 64 * 1024;
/// Fields of a form; a list of services is a field each.
const FIELDS_MAX: usize = 4096;

/// The fields of a form in order, as they were sent; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pairs: Arc<[(String, String)]>,
}

impl Fields {
    /// Reads an `application/x-www-form-urlencoded` body.
    pub(super) fn parse(body: &[u8]) -> Fields {
        // Browsers end lines with two characters; a record's texts have one.
        let plain = |(name, value): (String, String)| (name, value.replace("\r\n", "\n"));
        Fields { pairs: url::form_urlencoded::parse(body).into_owned().take(FIELDS_MAX).map(plain).collect() }
    }

    /// The first value of a field without the space around it; empty if there is none.
    pub(crate) fn one<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default().trim()
    }

    /// All values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Fields, Problem> {
        parts.extensions.get::<Fields>().cloned().ok_or(Problem::NoForm)
    }
}
