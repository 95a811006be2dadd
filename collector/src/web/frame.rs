//! What every page of the console has around its content.

use super::people::{Actor, word};
use rules::time::Timestamp;

/// The frame of one page, for templates.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) clock: String,
    /// The user's name and role, if there are users.
    pub(super) user: Option<(String, &'static str)>,
    /// What the page's forms carry; empty: they would not be taken.
    pub(super) form_token: String,
}

impl Frame {
    /// For a page that `actor` reads at `now`.
    pub(super) fn of(actor: &Actor, title: impl Into<String>, now: Timestamp) -> Frame {
        Frame {
            title: title.into(),
            clock: now.to_string(),
            user: actor.name().map(str::to_owned).zip(actor.role().map(word)),
            form_token: actor.form_token().to_owned(),
        }
    }
}
