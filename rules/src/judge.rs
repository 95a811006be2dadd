//! From evidence and expectation to an outcome (`accounting.md` section 3, `reliability.md` D9 and D11).
//!
//! Two questions, in this order: is anything wrong with what was seen, and could that be our own
//! doing? It never looks at the target itself, and it never remembers an earlier probe.

// One file for each kind of answer
mod dialog;
mod dns;
mod exec;
mod flow;
mod grpc;
mod http;
mod icmp;
mod page;
mod promql;
mod tls;
mod ws;

use crate::check::{ContentRule, DependsOn, Target};
use crate::evidence::{Evidence, Facts, Failure, Fault, Phase, Said};
use crate::outcome::{Cause, Outcome};
use core::fmt;
use core::time::Duration;

/// What the agent knew about itself while the probe ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Circumstances {
    /// Whether the agent's own network was there.
    pub references: References,
    /// Whether the agent ran without a break.
    pub pause: Pause,
}

/// Whether the agent's references answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum References {
    /// At least one did, or none is configured.
    #[default]
    There,
    /// All of them failed.
    Away,
}

/// Whether the agent was frozen or starved while the probe ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pause {
    /// It ran.
    #[default]
    Absent,
    /// It stood still for more than a second.
    Present,
}

/// What is wrong with what was seen.
#[derive(Clone, PartialEq, Debug)]
pub enum Complaint<'a> {
    /// The probe did not get to the end of the answer.
    Broken(&'a Failure),
    /// The answer came after the timeout.
    Late(Duration),
    /// The status is not an expected one.
    Status(u16),
    /// The content breaks this rule.
    Content(&'a ContentRule),
    /// The target was reached, and its answer is not what the check expects.
    Unmet {
        /// The word for it.
        cause: Cause,
        /// What was seen and what was expected.
        why: Said,
    },
    /// There was an answer, and it is that nothing can be said of the target.
    Unable {
        /// The word for it.
        cause: Cause,
        /// What was seen.
        why: Said,
    },
}

/// What the probe of `target` came to.
pub fn judge(evidence: &Evidence, target: &Target, timeout: Duration, circumstances: Circumstances) -> Outcome {
    match complaint(evidence, target, timeout) {
        None => Outcome::Up,
        Some(complaint) => match excuse(&complaint, target, evidence, circumstances) {
            Some(cause) => Outcome::Void(cause),
            None => Outcome::Down(cause(&complaint)),
        },
    }
}

/// The first thing that is wrong with what was seen, if anything is.
pub fn complaint<'a>(evidence: &'a Evidence, target: &'a Target, timeout: Duration) -> Option<Complaint<'a>> {
    if let Target::Promql(target) = target
        && let Some(excused) = promql::excused(target, evidence, timeout)
    {
        return Some(excused);
    }
    if let Some(failure) = &evidence.failure {
        // An answer led there, so it is the target's doing and not the instruction's.
        if failure.fault == Fault::Forbidden && evidence.http.is_some() {
            return Some(Complaint::Unmet { cause: Cause::Redirect, why: failure.detail.clone() });
        }
        return Some(Complaint::Broken(failure));
    }
    if timeout < evidence.elapsed {
        return Some(Complaint::Late(evidence.elapsed));
    }
    match (target, &evidence.facts) {
        (Target::Http(page), _) => evidence.http.as_ref().and_then(|facts| http::complaint(page, facts)),
        (Target::Tls(target), _) => tls::complaint(target, evidence),
        (Target::Tcp(_) | Target::Unix(_), Some(Facts::Dialog(facts))) => dialog::complaint(facts),
        (Target::Dns(target), Some(Facts::Dns(facts))) => dns::complaint(target, facts),
        (Target::Icmp(target), Some(Facts::Icmp(facts))) => icmp::complaint(target, facts),
        (Target::Grpc(target), Some(Facts::Grpc(facts))) => grpc::complaint(target, facts),
        (Target::Ws(target), Some(Facts::Ws(facts))) => ws::complaint(target, facts),
        (Target::Flow(target), Some(Facts::Flow(facts))) => flow::complaint(target, facts),
        (Target::Exec(target), Some(Facts::Exec(facts))) => exec::complaint(target, facts),
        (Target::Promql(target), Some(Facts::Promql(facts))) => promql::complaint(target, facts),
        (Target::Page(target), Some(Facts::Page(facts))) => page::complaint(target, facts),
        (
            Target::Tcp(_)
            | Target::Unix(_)
            | Target::Dns(_)
            | Target::Icmp(_)
            | Target::Grpc(_)
            | Target::Ws(_)
            | Target::Flow(_)
            | Target::Exec(_)
            | Target::Heartbeat(_)
            | Target::Promql(_)
            | Target::Page(_),
            _,
        ) => None,
    }
}

/// Why the agent, and not the target, may be what is wrong; absent if only the target can be.
fn excuse(
    complaint: &Complaint<'_>,
    target: &Target,
    evidence: &Evidence,
    circumstances: Circumstances,
) -> Option<Cause> {
    let origin = match (target, origin(complaint)) {
        // A command says what it thinks, and not whether it ever reached what it looks at.
        (Target::Exec(_), Origin::Target) => Origin::Way,
        (_, origin) => origin,
    };
    if let Origin::Agent(cause) = origin {
        return Some(cause);
    }
    if circumstances.pause == Pause::Present && ends_by_waiting(complaint) {
        return Some(Cause::Paused);
    }
    let away = circumstances.references == References::Away && !stayed_on_this_machine(target, evidence);
    match origin {
        Origin::Resolver if away => Some(Cause::Resolver),
        Origin::Way if away => Some(Cause::AgentOffline),
        Origin::Resolver | Origin::Way | Origin::Target | Origin::Agent(_) => None,
    }
}

/// Where the thing that is wrong may lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// In the agent, whatever else is true.
    Agent(Cause),
    /// In the agent's resolver, if its network is away.
    Resolver,
    /// In the agent's network, if that is away: nothing that was seen came surely from the target.
    Way,
    /// In the target: it was reached and gave a whole answer.
    Target,
}

fn origin(complaint: &Complaint<'_>) -> Origin {
    let failure = match complaint {
        Complaint::Broken(failure) => failure,
        Complaint::Late(_) => return Origin::Way,
        Complaint::Status(_) | Complaint::Content(_) | Complaint::Unmet { .. } => return Origin::Target,
        Complaint::Unable { cause, .. } => return Origin::Agent(*cause),
    };
    match failure.fault {
        Fault::Exhausted => Origin::Agent(Cause::Resources),
        Fault::Instruction | Fault::Forbidden => Origin::Agent(Cause::Prober),
        Fault::ResolverSilent => Origin::Resolver,
        Fault::Deadline if failure.phase == Some(Phase::Resolve) => Origin::Resolver,
        Fault::TooLarge | Fault::Redirect => Origin::Target,
        // A gateway that has lost its line may refuse, cut, or answer with its own page and certificate.
        Fault::NoSuchName
        | Fault::NameServers
        | Fault::Refused
        | Fault::Unreachable
        | Fault::Reset
        | Fault::Deadline
        | Fault::Tls
        | Fault::Certificate
        | Fault::Protocol
        | Fault::Unnamed => Origin::Way,
    }
}

/// Whether an agent that stands still causes this all by itself.
fn ends_by_waiting(complaint: &Complaint<'_>) -> bool {
    match complaint {
        Complaint::Late(_) => true,
        Complaint::Status(_) | Complaint::Content(_) | Complaint::Unmet { .. } | Complaint::Unable { .. } => false,
        // Peers cut connections on which nothing came for long.
        Complaint::Broken(failure) => matches!(failure.fault, Fault::Deadline | Fault::ResolverSilent | Fault::Reset),
    }
}

/// Whether every connection went to this machine itself, where no outer network can be missing.
fn stayed_on_this_machine(target: &Target, evidence: &Evidence) -> bool {
    if let Target::Exec(command) = target {
        return command.depends_on == DependsOn::ThisMachine;
    }
    let attempts = &evidence.attempts;
    matches!(target, Target::Unix(_))
        || !attempts.is_empty() && attempts.iter().all(|attempt| attempt.address.ip().is_loopback())
}

/// The word for what is wrong, once it is the target's.
fn cause(complaint: &Complaint<'_>) -> Cause {
    let fault = match complaint {
        Complaint::Broken(failure) => failure.fault,
        Complaint::Late(_) => return Cause::Timeout,
        Complaint::Status(_) => return Cause::Status,
        Complaint::Content(_) => return Cause::Content,
        Complaint::Unmet { cause, .. } | Complaint::Unable { cause, .. } => return *cause,
    };
    match fault {
        Fault::NoSuchName | Fault::NameServers | Fault::ResolverSilent => Cause::Resolve,
        Fault::Refused => Cause::Refused,
        Fault::Unreachable => Cause::Unreachable,
        Fault::Reset => Cause::Reset,
        Fault::Deadline => Cause::Timeout,
        Fault::Tls => Cause::Tls,
        Fault::Certificate => Cause::Certificate,
        Fault::Protocol => Cause::Protocol,
        Fault::TooLarge => Cause::TooLarge,
        Fault::Redirect => Cause::Redirect,
        Fault::Exhausted => Cause::Resources,
        Fault::Instruction | Fault::Forbidden => Cause::Prober,
        Fault::Unnamed => Cause::Other,
    }
}

/// For people: what is wrong, in a fragment that follows "down:" or "void:".
impl fmt::Display for Complaint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Complaint::Broken(Failure { phase: Some(phase), detail, .. }) => write!(f, "{detail} (in phase {phase})"),
            Complaint::Broken(Failure { phase: None, detail, .. }) => write!(f, "{detail}"),
            Complaint::Late(elapsed) => write!(f, "the answer took {elapsed:?}, longer than the timeout"),
            Complaint::Status(status) => write!(f, "the answer's status is {status}, which is not expected"),
            Complaint::Unmet { why, .. } | Complaint::Unable { why, .. } => write!(f, "{why}"),
            Complaint::Content(rule) => http::tell(rule, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Attempt, HttpFacts, HttpVersion, Said};
    use alloc::string::ToString;
    use alloc::vec;

    const TIMEOUT: Duration = Duration::from_secs(10);
    const AWAY: Circumstances = Circumstances { references: References::Away, pause: Pause::Absent };
    const PAUSED: Circumstances = Circumstances { references: References::There, pause: Pause::Present };

    fn port() -> Target {
        Target::parse("tcp:a.example:1").unwrap()
    }

    fn broken(fault: Fault, phase: Phase) -> Evidence {
        let failure = Failure { fault, phase: Some(phase), detail: Said::new("it broke") };
        Evidence { failure: Some(failure), ..Evidence::default() }
    }

    #[test]
    fn each_fault_has_its_cause_and_its_excuses() {
        use Outcome::{Down, Void};
        // Fault and phase; then the outcome plainly, with the references away, and after a pause.
        let table = [
            (Fault::NoSuchName, Phase::Resolve, Down(Cause::Resolve), Void(Cause::AgentOffline), Down(Cause::Resolve)),
            (Fault::NameServers, Phase::Resolve, Down(Cause::Resolve), Void(Cause::AgentOffline), Down(Cause::Resolve)),
            (Fault::ResolverSilent, Phase::Resolve, Down(Cause::Resolve), Void(Cause::Resolver), Void(Cause::Paused)),
            (Fault::Deadline, Phase::Resolve, Down(Cause::Timeout), Void(Cause::Resolver), Void(Cause::Paused)),
            (Fault::Refused, Phase::Connect, Down(Cause::Refused), Void(Cause::AgentOffline), Down(Cause::Refused)),
            (
                Fault::Unreachable,
                Phase::Connect,
                Down(Cause::Unreachable),
                Void(Cause::AgentOffline),
                Down(Cause::Unreachable),
            ),
            (Fault::Deadline, Phase::Connect, Down(Cause::Timeout), Void(Cause::AgentOffline), Void(Cause::Paused)),
            (Fault::Reset, Phase::FirstByte, Down(Cause::Reset), Void(Cause::AgentOffline), Void(Cause::Paused)),
            (Fault::Tls, Phase::Tls, Down(Cause::Tls), Void(Cause::AgentOffline), Down(Cause::Tls)),
            (
                Fault::Certificate,
                Phase::Tls,
                Down(Cause::Certificate),
                Void(Cause::AgentOffline),
                Down(Cause::Certificate),
            ),
            (
                Fault::Protocol,
                Phase::FirstByte,
                Down(Cause::Protocol),
                Void(Cause::AgentOffline),
                Down(Cause::Protocol),
            ),
            (Fault::TooLarge, Phase::Transfer, Down(Cause::TooLarge), Down(Cause::TooLarge), Down(Cause::TooLarge)),
            (Fault::Redirect, Phase::Transfer, Down(Cause::Redirect), Down(Cause::Redirect), Down(Cause::Redirect)),
            (Fault::Exhausted, Phase::Connect, Void(Cause::Resources), Void(Cause::Resources), Void(Cause::Resources)),
            (Fault::Instruction, Phase::Tls, Void(Cause::Prober), Void(Cause::Prober), Void(Cause::Prober)),
            (Fault::Forbidden, Phase::Connect, Void(Cause::Prober), Void(Cause::Prober), Void(Cause::Prober)),
            (Fault::Unnamed, Phase::Connect, Down(Cause::Other), Void(Cause::AgentOffline), Down(Cause::Other)),
        ];
        for (fault, phase, plainly, away, paused) in table {
            let evidence = broken(fault, phase);
            for (circumstances, expected) in [(Circumstances::default(), plainly), (AWAY, away), (PAUSED, paused)] {
                let outcome = judge(&evidence, &port(), TIMEOUT, circumstances);
                assert_eq!(outcome, expected, "{fault:?} in {phase}, {circumstances:?}");
            }
        }
    }

    #[test]
    fn an_absent_network_does_not_excuse_a_target_on_this_machine() {
        let mut evidence = broken(Fault::Refused, Phase::Connect);
        let address = "127.0.0.1:1".parse().unwrap();
        evidence.attempts = vec![Attempt { address, fault: Some(Fault::Refused), elapsed: Duration::ZERO }];
        assert_eq!(judge(&evidence, &port(), TIMEOUT, AWAY), Outcome::Down(Cause::Refused));
    }

    #[test]
    fn a_target_that_leads_to_where_the_agent_may_not_go_is_down_and_an_instruction_to_go_there_is_void() {
        let direct = broken(Fault::Forbidden, Phase::Connect);
        let led = Evidence { http: Some(HttpFacts::new(302, HttpVersion::V1_1)), ..direct.clone() };
        let judged = |evidence: &Evidence| judge(evidence, &port(), TIMEOUT, Circumstances::default());
        assert_eq!(judged(&direct), Outcome::Void(Cause::Prober));
        assert_eq!(judged(&led), Outcome::Down(Cause::Redirect));
    }

    #[test]
    fn an_answer_in_time_is_up_whatever_the_circumstances() {
        for circumstances in [Circumstances::default(), AWAY, PAUSED] {
            let evidence = Evidence { elapsed: TIMEOUT, ..Evidence::default() };
            assert_eq!(judge(&evidence, &port(), TIMEOUT, circumstances), Outcome::Up);
        }
    }

    #[test]
    fn an_answer_after_the_timeout_is_a_timeout() {
        let evidence = Evidence { elapsed: TIMEOUT + Duration::from_micros(1), ..Evidence::default() };
        let judged = |circumstances| judge(&evidence, &port(), TIMEOUT, circumstances);
        assert_eq!(judged(Circumstances::default()), Outcome::Down(Cause::Timeout));
        assert_eq!(judged(PAUSED), Outcome::Void(Cause::Paused));
        assert_eq!(judged(AWAY), Outcome::Void(Cause::AgentOffline));
    }

    #[test]
    fn a_complaint_names_what_was_seen_and_what_was_expected() {
        let evidence = broken(Fault::Refused, Phase::Connect);
        let target = port();
        let complaint = complaint(&evidence, &target, TIMEOUT).unwrap();
        assert_eq!(complaint.to_string(), "it broke (in phase connect)");
    }
}
