//! What can be wrong with what was said in a dialog.

use super::Complaint;
use crate::evidence::{DialogFacts, Ending, Expectation, Said, Unmet};
use crate::outcome::Cause;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(facts: &DialogFacts) -> Option<Complaint<'static>> {
    let Unmet { step, by, expected, end } = facts.unmet.as_ref()?;
    let what = match by {
        Expectation::Regexp => "nothing that matches",
        Expectation::Bytes => "no bytes",
    };
    let heard = &facts.heard;
    let why = match (end, heard.as_str()) {
        (Ending::Closed, "") => {
            alloc::format!("step {step}: {what} `{expected}` came before the end; nothing was said")
        }
        (Ending::Closed, _) => {
            alloc::format!("step {step}: {what} `{expected}` came before the end; the last was `{heard}`")
        }
        (Ending::Rejected, _) => alloc::format!("step {step}: `{heard}` came instead of `{expected}`"),
    };
    Some(Complaint::Unmet { cause: Cause::Content, why: Said::new(&why) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn check(by: Expectation, end: Ending, heard: &str, expected: &str) {
        let unmet = Unmet { step: 2, by, expected: Said::new("^220"), end };
        let facts =
            DialogFacts { steps: 3, done: 1, heard: Said::new(heard), unmet: Some(unmet), ..DialogFacts::default() };
        let complaint = complaint(&facts).unwrap();
        assert!(matches!(complaint, Complaint::Unmet { cause: Cause::Content, .. }));
        assert_eq!(complaint.to_string(), expected);
    }

    #[test]
    fn what_did_not_come_is_told_with_what_came_instead() {
        let (regexp, bytes) = (Expectation::Regexp, Expectation::Bytes);
        check(regexp, Ending::Closed, "", "step 2: nothing that matches `^220` came before the end; nothing was said");
        check(bytes, Ending::Closed, "no", "step 2: no bytes `^220` came before the end; the last was `no`");
        check(regexp, Ending::Rejected, "554 go\r", "step 2: `554 go\\r` came instead of `^220`");
    }

    #[test]
    fn a_dialog_in_which_everything_came_is_fine() {
        assert_eq!(complaint(&DialogFacts { steps: 1, done: 1, ..DialogFacts::default() }), None);
    }
}
