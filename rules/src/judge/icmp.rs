//! What can be wrong with the replies to echo requests: too few of them, or too late.
//!
//! That none came at all is no complaint of this file: the prober says so, and then the agent's own
//! network may be the reason.

use super::Complaint;
use crate::check::IcmpTarget;
use crate::evidence::{IcmpFacts, Said};
use crate::outcome::Cause;
use alloc::format;

/// The first thing that is wrong with what was seen.
pub(super) fn complaint<'a>(target: &'a IcmpTarget, facts: &'a IcmpFacts) -> Option<Complaint<'a>> {
    let (sent, received) = (facts.sent(), facts.received());
    let allowed = target.loss_percent_max;
    if u32::from(allowed) * sent < 100 * (sent - received) {
        let why = format!("{received} of {sent} packets were answered, and at most {allowed} % may be lost");
        return Some(Complaint::Unmet { cause: Cause::Loss, why: Said::new(&why) });
    }
    match (facts.rtt_mean(), target.rtt_max) {
        (Some(mean), Some(bound)) if bound < mean => {
            let why = format!("the mean round trip took {mean:?}, and at most {bound:?} are allowed");
            Some(Complaint::Unmet { cause: Cause::Bound, why: Said::new(&why) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Target;
    use crate::evidence::{Evidence, Facts};
    use crate::judge::{Circumstances, judge};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use core::time::Duration;

    fn outcome(target: &IcmpTarget, replies: usize, sent: usize) -> Outcome {
        let round_trips = (0..sent).map(|packet| (packet < replies).then_some(Duration::from_millis(10))).collect();
        let facts = IcmpFacts { round_trips, ..IcmpFacts::default() };
        let evidence = Evidence { facts: Some(Facts::Icmp(Box::new(facts))), ..Evidence::default() };
        judge(&evidence, &Target::Icmp(target.clone()), Duration::from_secs(1), Circumstances::default())
    }

    #[test]
    fn loss_is_held_against_its_bound_exactly() {
        let check = |loss_percent_max, replies, sent, expected| {
            let target = IcmpTarget { loss_percent_max, ..IcmpTarget::parse("a").unwrap() };
            assert_eq!(outcome(&target, replies, sent), expected, "{loss_percent_max} %: {replies} of {sent}");
        };
        check(99, 1, 100, Outcome::Up);
        check(20, 4, 5, Outcome::Up);
        check(19, 4, 5, Outcome::Down(Cause::Loss));
        check(33, 2, 3, Outcome::Down(Cause::Loss));
        check(34, 2, 3, Outcome::Up);
        check(0, 3, 3, Outcome::Up);
    }

    #[test]
    fn a_mean_round_trip_beyond_its_bound_is_down() {
        let target =
            |millis| IcmpTarget { rtt_max: Some(Duration::from_millis(millis)), ..IcmpTarget::parse("a").unwrap() };
        assert_eq!(outcome(&target(10), 3, 3), Outcome::Up);
        assert_eq!(outcome(&target(9), 3, 3), Outcome::Down(Cause::Bound));
    }
}
