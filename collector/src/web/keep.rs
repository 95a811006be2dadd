//! Puts what a form says on an agreement's record, if the rules let it.

use super::AppState;
use super::problem::Problem;
use crate::incidents::act::ActError;
use crate::notify::booking::telling;
use crate::record::{Before, Draft, RecordError};
use rules::agreement::Agreement;
use rules::record::Fact;
use rules::record::exclusions::{self, Objection};

/// Why nothing was recorded.
pub(super) enum NotKept {
    /// What was asked for can't be recorded; in words for the one who asked.
    Refused(String),
    /// It could not be tried.
    Problem(Problem),
}

impl From<Objection> for NotKept {
    fn from(objection: Objection) -> NotKept {
        NotKept::Refused(objection.to_string())
    }
}

impl From<ActError> for NotKept {
    fn from(error: ActError) -> NotKept {
        match error {
            ActError::NoIncident { number, agreement: _ } => {
                NotKept::Problem(Problem::NotFound { what: "incident", name: number.to_string() })
            }
            ActError::NotNow { number: _, why } => NotKept::Refused(why.to_string()),
            ActError::NotOpened(why) => NotKept::Refused(why.to_string()),
            ActError::Record(error) => error.into(),
        }
    }
}

impl From<RecordError> for NotKept {
    fn from(error: RecordError) -> NotKept {
        match error {
            RecordError::OutOfBounds(why) => NotKept::Refused(why.to_string()),
            RecordError::Ledger(error) => NotKept::Problem(Problem::Ledger(error)),
            other @ (RecordError::Broken { .. }
            | RecordError::Missing { .. }
            | RecordError::Unreadable { .. }
            | RecordError::Full(_)
            | RecordError::Busy(_)) => NotKept::Problem(Problem::Record(other)),
        }
    }
}

/// Records a fact that is no incident's in `by`'s name; its entry's number.
pub(super) async fn keep(app: &AppState, agreement: &Agreement, by: &str, fact: Fact) -> Result<u64, NotKept> {
    let mut number = 0;
    let config = app.config();
    let decide = |before: Before<'_>| {
        exclusions::object(before.entries, &fact, by, before.at)?;
        number = before.next;
        Ok::<_, NotKept>(telling(Draft::fact(fact.clone()), before, by, &config, agreement))
    };
    app.record.append(&agreement.id, by, decide).await?;
    Ok(number)
}
