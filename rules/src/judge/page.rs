//! What can be wrong with the answer of a `page` check.

use super::Complaint;
use crate::check::PageTarget;
use crate::evidence::{AssetFailure, Excess, PageFacts, Said, Trouble};
use crate::outcome::Cause;
use alloc::format;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint<'a>(target: &PageTarget, facts: &'a PageFacts) -> Option<Complaint<'a>> {
    if let Some(status) = facts.status.filter(|status| !(200..=299).contains(status)) {
        return Some(Complaint::Status(status));
    }
    if let Some(excess) = facts.excess {
        let why = match excess {
            Excess::Assets => format!("the page needs more than {} assets", target.assets_max),
            Excess::Bytes => format!("the page and its assets are larger than {} bytes", target.bytes_max),
        };
        return Some(Complaint::Unmet { cause: Cause::TooLarge, why: Said::new(&why) });
    }
    if facts.failed <= target.assets_may_fail {
        return None;
    }
    // What this machine could not do says nothing of the page; else the first failure speaks.
    let own = facts.failures.iter().find(|failure| match &failure.trouble {
        Trouble::Broken(failure) => failure.fault.is_own(),
        Trouble::Status(_) => false,
    });
    match own.or(facts.failures.first())? {
        AssetFailure { trouble: Trouble::Broken(failure), .. } => Some(Complaint::Broken(failure)),
        AssetFailure { url, trouble: Trouble::Status(status) } => {
            // The status first: an URL may be long enough to push it out.
            let why = Said::new(&format!("an asset's status is {status}, which is not 200 to 299: {url}"));
            Some(Complaint::Unmet { cause: Cause::Status, why })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Circumstances, References, judge};
    use super::*;
    use crate::check::Target;
    use crate::evidence::{Evidence, Facts, Failure, Fault, Phase};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use core::time::Duration;

    fn target(assets_may_fail: u32) -> PageTarget {
        PageTarget { assets_may_fail, ..PageTarget::parse("https://a.example/").unwrap() }
    }

    fn facts(troubles: Vec<Trouble>) -> PageFacts {
        let failed = u32::try_from(troubles.len()).unwrap();
        let failure = |trouble| AssetFailure { url: Said::new("https://a.example/x.js"), trouble };
        PageFacts {
            assets: 5,
            ended: 5,
            failed,
            failures: troubles.into_iter().map(failure).collect(),
            ..PageFacts::default()
        }
    }

    fn broken(fault: Fault) -> Trouble {
        Trouble::Broken(Failure { fault, phase: Some(Phase::Connect), detail: Said::new("it broke") })
    }

    #[track_caller]
    fn check(may_fail: u32, facts: PageFacts, circumstances: Circumstances, expected: Outcome) {
        let evidence = Evidence { facts: Some(Facts::Page(Box::new(facts))), ..Evidence::default() };
        let target = Target::Page(target(may_fail));
        assert_eq!(judge(&evidence, &target, Duration::from_secs(10), circumstances), expected);
    }

    const HERE: Circumstances = Circumstances { references: References::There, pause: crate::judge::Pause::Absent };
    const AWAY: Circumstances = Circumstances { references: References::Away, ..HERE };

    #[test]
    fn a_page_whose_assets_all_came_is_up() {
        check(0, facts(Vec::new()), AWAY, Outcome::Up);
    }

    #[test]
    fn a_page_that_is_answered_with_an_error_is_down_before_any_asset_is() {
        let facts = PageFacts { status: Some(503), ..facts(Vec::new()) };
        check(9, facts, HERE, Outcome::Down(Cause::Status));
    }

    #[test]
    fn the_first_broken_asset_s_cause_is_the_page_s() {
        check(0, facts([Trouble::Status(404)].into()), HERE, Outcome::Down(Cause::Status));
        check(0, facts([broken(Fault::Refused), Trouble::Status(404)].into()), HERE, Outcome::Down(Cause::Refused));
        check(0, facts([broken(Fault::Refused)].into()), AWAY, Outcome::Void(Cause::AgentOffline));
    }

    #[test]
    fn what_this_machine_could_not_do_is_not_the_page_s_failure() {
        let troubles = [Trouble::Status(404), broken(Fault::Exhausted)];
        check(0, facts(troubles.into()), HERE, Outcome::Void(Cause::Resources));
    }

    #[test]
    fn as_many_assets_may_fail_as_the_check_allows() {
        let two = || facts([Trouble::Status(404), broken(Fault::Reset)].into());
        check(2, two(), HERE, Outcome::Up);
        check(1, two(), HERE, Outcome::Down(Cause::Status));
    }

    #[test]
    fn a_page_beyond_its_limits_is_too_large_whatever_may_fail() {
        for excess in [Excess::Assets, Excess::Bytes] {
            let facts = PageFacts { excess: Some(excess), ..facts(Vec::new()) };
            check(9, facts, HERE, Outcome::Down(Cause::TooLarge));
        }
    }

    #[test]
    fn a_complaint_names_the_asset() {
        let facts = facts([Trouble::Status(404)].into());
        let complaint = complaint(&target(0), &facts).unwrap();
        assert_eq!(complaint.to_string(), "an asset's status is 404, which is not 200 to 299: https://a.example/x.js");
    }
}
