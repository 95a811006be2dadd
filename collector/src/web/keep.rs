//! Puts what a form says on an agreement's record, if the rules let it.

use super::AppState;
use super::problem::Problem;
use crate::incidents::act::ActError;
use crate::record::RecordError;
use crate::record::acts::{NotRecorded, put_on_record};
use rules::agreement::Agreement;
use rules::record::Fact;

/// Why nothing was recorded.
pub(super) enum NotKept {
    /// What was asked for can't be recorded; in words for the one who asked.
    Refused(String),
    /// It could not be tried.
    Problem(Problem),
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
    let config = app.config();
    match put_on_record(&app.record, &config, &agreement.id, by, fact).await {
        Ok(entry) => Ok(entry.number),
        Err(NotRecorded::Record(error)) => Err(error.into()),
        Err(refused) => Err(NotKept::Refused(refused.to_string())),
    }
}
