//! What can be wrong with the answer of an `exec` check: the exit codes of Nagios plugins.
//!
//! 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. Any other status, and death by a signal, is a broken
//! plugin: it says nothing of the target, so the probe is void and never down.

use super::Complaint;
use crate::check::{ExecTarget, Warning};
use crate::evidence::{ExecFacts, ProcessEnd, Said};
use crate::outcome::Cause;
use alloc::format;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(target: &ExecTarget, facts: &ExecFacts) -> Option<Complaint<'static>> {
    let unhealthy = |word: &str| Complaint::Unmet { cause: Cause::Unhealthy, why: said(word, facts) };
    let unable = |word: &str| Complaint::Unable { cause: Cause::Prober, why: said(word, facts) };
    match facts.end {
        ProcessEnd::Exited(0) => None,
        ProcessEnd::Exited(1) => match target.warning {
            Warning::Up => None,
            Warning::Down => Some(unhealthy("warning")),
        },
        ProcessEnd::Exited(2) => Some(unhealthy("critical")),
        ProcessEnd::Exited(3) => Some(unable("the command can't tell")),
        ProcessEnd::Exited(status) => Some(unable(&format!("the command's exit status is {status}, and not 0 to 3"))),
        ProcessEnd::Signalled(signal) => Some(unable(&format!("the command was ended by signal {signal}"))),
    }
}

fn said(word: &str, facts: &ExecFacts) -> Said {
    match facts.text.as_str() {
        "" => Said::new(word),
        text => Said::new(&format!("{word}: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{DependsOn, Target};
    use crate::evidence::{Evidence, Facts};
    use crate::judge::{Circumstances, References, judge};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use core::time::Duration;

    fn target() -> ExecTarget {
        ExecTarget::from_line("/bin/check").unwrap()
    }

    fn came_to(target: ExecTarget, end: ProcessEnd, references: References) -> Outcome {
        let facts = ExecFacts::read(end, "text", "", 4);
        let evidence = Evidence { facts: Some(Facts::Exec(Box::new(facts))), ..Evidence::default() };
        let circumstances = Circumstances { references, ..Circumstances::default() };
        judge(&evidence, &Target::Exec(target), Duration::from_secs(10), circumstances)
    }

    #[test]
    fn exit_codes_mean_what_they_mean_to_nagios() {
        let check = |end, expected| assert_eq!(came_to(target(), end, References::There), expected, "{end:?}");
        check(ProcessEnd::Exited(0), Outcome::Up);
        check(ProcessEnd::Exited(1), Outcome::Up);
        check(ProcessEnd::Exited(2), Outcome::Down(Cause::Unhealthy));
        check(ProcessEnd::Exited(3), Outcome::Void(Cause::Prober));
        check(ProcessEnd::Exited(4), Outcome::Void(Cause::Prober));
        check(ProcessEnd::Exited(127), Outcome::Void(Cause::Prober));
        check(ProcessEnd::Signalled(11), Outcome::Void(Cause::Prober));
    }

    #[test]
    fn a_warning_is_down_if_the_check_says_so() {
        let strict = ExecTarget { warning: Warning::Down, ..target() };
        assert_eq!(came_to(strict, ProcessEnd::Exited(1), References::There), Outcome::Down(Cause::Unhealthy));
    }

    #[test]
    fn a_failure_without_network_is_void_unless_the_command_needs_none() {
        let critical = ProcessEnd::Exited(2);
        assert_eq!(came_to(target(), critical, References::Away), Outcome::Void(Cause::AgentOffline));
        let local = ExecTarget { depends_on: DependsOn::ThisMachine, ..target() };
        assert_eq!(came_to(local, critical, References::Away), Outcome::Down(Cause::Unhealthy));
    }

    #[test]
    fn a_complaint_quotes_the_plugin() {
        let facts = ExecFacts::read(ProcessEnd::Exited(2), "DISK CRITICAL - / is full | /=1", "", 4);
        let Some(Complaint::Unmet { why, .. }) = complaint(&target(), &facts) else { panic!("no complaint") };
        assert_eq!(why.as_str(), "critical: DISK CRITICAL - / is full");
    }
}
