//! What can be wrong with the answer of a `ws` check.

use super::{Complaint, dialog};
use crate::check::WsTarget;
use crate::evidence::WsFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &WsTarget, facts: &WsFacts) -> Option<Complaint<'static>> {
    if facts.status != WsFacts::SWITCHING {
        return Some(Complaint::Status(facts.status));
    }
    dialog::complaint(&facts.dialog)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{DialogFacts, Ending, Expectation, Said, Unmet};

    #[test]
    fn an_upgrade_that_is_refused_outweighs_what_was_never_said() {
        let target = WsTarget::parse("ws://a/").unwrap();
        let unmet = Unmet { step: 1, by: Expectation::Regexp, expected: Said::new("x"), end: Ending::Closed };
        let dialog = DialogFacts { unmet: Some(unmet), ..DialogFacts::default() };
        let refused = WsFacts { status: 403, dialog: dialog.clone() };
        assert_eq!(complaint(&target, &refused), Some(Complaint::Status(403)));
        assert!(matches!(complaint(&target, &WsFacts { status: 101, dialog }), Some(Complaint::Unmet { .. })));
        assert_eq!(complaint(&target, &WsFacts { status: 101, dialog: DialogFacts::default() }), None);
    }
}
