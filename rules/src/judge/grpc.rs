//! What can be wrong with the answer of a gRPC health service: the call's status, then what it says.

use super::Complaint;
use crate::check::GrpcTarget;
use crate::evidence::{GrpcCode, GrpcFacts, GrpcStatus, Said, ServingStatus};
use crate::outcome::Cause;
use alloc::format;

/// The first thing that is wrong with what was seen.
pub(super) fn complaint<'a>(target: &'a GrpcTarget, facts: &'a GrpcFacts) -> Option<Complaint<'a>> {
    let unmet = |cause, why: &str| Some(Complaint::Unmet { cause, why: Said::new(why) });
    let GrpcStatus { code, message } = facts.status.as_ref()?;
    let what = match target.service.as_str() {
        "" => "the server",
        service => &format!("the service `{service}`"),
    };
    match *code {
        GrpcCode::OK => {}
        // Whether the server's clock or ours ends the wait is chance.
        GrpcCode::DEADLINE_EXCEEDED => return unmet(Cause::Timeout, &format!("the gRPC status is {code}: {message}")),
        GrpcCode::UNIMPLEMENTED => {
            return unmet(Cause::Status, &format!("the gRPC status is {code}, so it has no health service: {message}"));
        }
        GrpcCode::NOT_FOUND => {
            return unmet(Cause::Status, &format!("the gRPC status is {code}, so {what} is not known: {message}"));
        }
        _ => return unmet(Cause::Status, &format!("the gRPC status is {code}, expected 0 OK: {message}")),
    }
    match facts.serving? {
        ServingStatus::Serving => None,
        serving @ (ServingStatus::Unknown
        | ServingStatus::NotServing
        | ServingStatus::ServiceUnknown
        | ServingStatus::Other(_)) => {
            unmet(Cause::Unhealthy, &format!("{what} says {}, expected SERVING", serving.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Target;
    use crate::evidence::{Evidence, Facts};
    use crate::judge::{Circumstances, References, judge};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use core::time::Duration;

    #[test]
    fn only_a_good_call_that_says_serving_is_up() {
        let check = |code, serving: Option<i32>, expected| {
            let facts = GrpcFacts {
                status: Some(GrpcStatus { code: GrpcCode(code), message: Said::new("m") }),
                serving: serving.map(ServingStatus::from_number),
            };
            let evidence = Evidence { facts: Some(Facts::Grpc(Box::new(facts))), ..Evidence::default() };
            let target = Target::Grpc(GrpcTarget::parse("grpc:a:1/s").unwrap());
            // The server answered: that our own references are away excuses nothing.
            let away = Circumstances { references: References::Away, ..Circumstances::default() };
            assert_eq!(judge(&evidence, &target, Duration::from_secs(1), away), expected, "{code} {serving:?}");
        };
        check(0, Some(1), Outcome::Up);
        for other in [0, 2, 3, 9, -1] {
            check(0, Some(other), Outcome::Down(Cause::Unhealthy));
        }
        for code in [1, 2, 5, 7, 12, 14, 16, 99] {
            check(code, None, Outcome::Down(Cause::Status));
        }
        check(4, None, Outcome::Down(Cause::Timeout));
    }
}
