//! The notes a probe takes while it runs.
//!
//! They live outside the future that a deadline drops, so that evidence of a timed-out probe still
//! says where it stood. All times come from the one clock; nothing here touches a socket.

use bytes::Bytes;
use daemon::clock::Clock;
use rules::evidence::{Attempt, Evidence, Failure, Fault, Phase, SAID_BYTES_MAX, Said};
use rules::time::Timestamp;
use rustix::io::Errno;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Why a probe could not go on.
#[derive(Debug)]
pub(crate) struct Break {
    pub(crate) fault: Fault,
    pub(crate) detail: Said,
}

impl Break {
    pub(crate) fn new(fault: Fault, detail: &str) -> Break {
        Break { fault, detail: Said::new(detail) }
    }
}

/// What a failed system call says about the way to the target, or about this machine.
pub(crate) fn fault_of(error: &io::Error) -> Option<Fault> {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL | Errno::AGAIN) => {
            Some(Fault::Exhausted)
        }
        // A local firewall's refusal looks like a missing permission.
        Some(Errno::PERM | Errno::ACCESS) => Some(Fault::Unreachable),
        Some(Errno::NETUNREACH | Errno::HOSTUNREACH | Errno::NETDOWN | Errno::HOSTDOWN | Errno::AFNOSUPPORT) => {
            Some(Fault::Unreachable)
        }
        Some(Errno::CONNREFUSED) => Some(Fault::Refused),
        Some(Errno::CONNRESET | Errno::CONNABORTED | Errno::PIPE) => Some(Fault::Reset),
        Some(Errno::TIMEDOUT) => Some(Fault::Deadline),
        // Libraries' own word for a connection that ended too early.
        None if error.kind() == io::ErrorKind::UnexpectedEof => Some(Fault::Reset),
        Some(_) | None => None,
    }
}

/// A little before `deadline`: when a probe of several requests ends them itself, so that there is
/// time to write down which of them it was that took too long.
pub(crate) fn just_before(deadline: Duration) -> Duration {
    deadline.saturating_sub((deadline / 20).min(Duration::from_millis(100)))
}

/// The notes of one probe.
#[derive(Debug)]
pub(crate) struct Trace {
    clock: Clock,
    began: Duration,
    current: Option<(Phase, Duration)>,
    first_byte: Arc<FirstByte>,
    trying: Option<Duration>,
    left_out: Duration,
    /// How the body of the last answer began, for the case that it is not as expected.
    pub(crate) body_start: Bytes,
    pub(crate) evidence: Evidence,
}

impl Trace {
    pub(crate) fn begin(clock: &Clock) -> Trace {
        Trace {
            clock: clock.clone(),
            began: clock.boot(),
            current: None,
            first_byte: Arc::new(FirstByte { clock: clock.clone(), seen_at: AtomicU64::new(0) }),
            trying: None,
            left_out: Duration::ZERO,
            body_start: Bytes::new(),
            evidence: Evidence::default(),
        }
    }

    /// How long the probe has run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.boot().saturating_sub(self.began)
    }

    /// The time of day.
    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    /// Keeps how the last answer's body began as evidence.
    pub(crate) fn quote_body(&mut self) {
        if let Some(facts) = &mut self.evidence.http
            && !self.body_start.is_empty()
        {
            let start = &self.body_start[..self.body_start.len().min(SAID_BYTES_MAX)];
            facts.body_start = Some(Said::new(&String::from_utf8_lossy(start)));
        }
    }

    /// Ends the phase that is running, if one is, and begins `phase`.
    pub(crate) fn enter(&mut self, phase: Phase) {
        let now = self.clock.boot();
        self.leave(now);
        if phase == Phase::FirstByte {
            self.first_byte.seen_at.store(0, Ordering::Relaxed);
        }
        self.current = Some((phase, now));
    }

    /// Ends the phase that is running, if one is, and says which it was: what comes now is nobody's
    /// answer.
    pub(crate) fn rest(&mut self) -> Option<Phase> {
        if self.trying.is_some() {
            self.tried(Some(Fault::Deadline));
        }
        self.leave(self.clock.boot())
    }

    /// Leaves `length` out of how long the probe took: something else was done in it.
    pub(crate) fn leave_out(&mut self, length: Duration) {
        self.left_out += length;
    }

    /// What a connection's reading side reports the first byte of an answer to.
    pub(crate) fn first_byte(&self) -> Arc<FirstByte> {
        Arc::clone(&self.first_byte)
    }

    /// Notes that a connection to `address` is being tried; until told otherwise it fails by the deadline.
    pub(crate) fn try_address(&mut self, address: SocketAddr) {
        self.trying = Some(self.clock.boot());
        let attempt = Attempt { address, fault: Some(Fault::Deadline), elapsed: Duration::ZERO };
        self.evidence.attempts.push(attempt);
    }

    /// Notes how the connection tried last came out.
    pub(crate) fn tried(&mut self, fault: Option<Fault>) {
        let now = self.clock.boot();
        if let (Some(attempt), Some(since)) = (self.evidence.attempts.last_mut(), self.trying.take()) {
            attempt.elapsed = whole_micros(now.saturating_sub(since));
            attempt.fault = fault;
        }
    }

    /// Ends the notes: the evidence of a probe that came out as `end`.
    pub(crate) fn end(mut self, end: Result<(), Break>) -> Evidence {
        let now = self.clock.boot();
        if self.trying.is_some() {
            self.tried(Some(Fault::Deadline));
        }
        let last = self.leave(now);
        if end.is_err() {
            self.quote_body();
        }
        self.evidence.failure = end.err().map(|Break { fault, detail }| Failure { fault, phase: last, detail });
        self.evidence.elapsed = whole_micros(now.saturating_sub(self.began).saturating_sub(self.left_out));
        self.evidence
    }

    /// Closes the running phase and says which it was. Waiting for the first byte became transfer
    /// when that byte came.
    fn leave(&mut self, now: Duration) -> Option<Phase> {
        let (mut phase, mut since) = self.current.take()?;
        if let (Phase::FirstByte, Some(seen_at)) = (phase, self.first_byte.seen_at()) {
            self.evidence.phases.add(phase, whole_micros(seen_at.saturating_sub(since)));
            (phase, since) = (Phase::Transfer, seen_at);
        }
        self.evidence.phases.add(phase, whole_micros(now.saturating_sub(since)));
        Some(phase)
    }
}

/// When the first byte of an answer came; shared with the connection that reads it.
#[derive(Debug)]
pub(crate) struct FirstByte {
    clock: Clock,
    /// Nanoseconds of boot time; zero: not yet.
    seen_at: AtomicU64,
}

impl FirstByte {
    /// Notes that a byte came; only the first one counts.
    pub(crate) fn came(&self) {
        if self.seen_at.load(Ordering::Relaxed) == 0 {
            let now = u64::try_from(self.clock.boot().as_nanos()).unwrap_or(u64::MAX);
            self.seen_at.store(now, Ordering::Relaxed);
        }
    }

    fn seen_at(&self) -> Option<Duration> {
        match self.seen_at.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

fn whole_micros(length: Duration) -> Duration {
    Duration::from_micros(u64::try_from(length.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_probe_cut_off_while_waiting_says_so() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(0));
        let mut trace = Trace::begin(&clock);
        trace.enter(Phase::Connect);
        hand.advance(2 * MS);
        trace.enter(Phase::FirstByte);
        hand.advance(3 * MS);
        let evidence = trace.end(Err(Break::new(Fault::Deadline, "the deadline passed")));
        assert!(evidence.phases.iter().eq([(Phase::Connect, 2 * MS), (Phase::FirstByte, 3 * MS)]));
        assert_eq!(evidence.failure.unwrap().phase, Some(Phase::FirstByte));
        assert_eq!(evidence.elapsed, 5 * MS);
    }

    #[test]
    fn waiting_becomes_transfer_when_the_first_byte_comes() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(0));
        let mut trace = Trace::begin(&clock);
        let first_byte = trace.first_byte();
        trace.enter(Phase::FirstByte);
        hand.advance(3 * MS);
        first_byte.came();
        hand.advance(4 * MS);
        first_byte.came();
        let evidence = trace.end(Err(Break::new(Fault::Reset, "cut")));
        assert!(evidence.phases.iter().eq([(Phase::FirstByte, 3 * MS), (Phase::Transfer, 4 * MS)]));
        assert_eq!(evidence.failure.unwrap().phase, Some(Phase::Transfer));
    }

    #[test]
    fn a_redirect_s_phases_are_summed() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(0));
        let mut trace = Trace::begin(&clock);
        for _ in 0..2 {
            trace.enter(Phase::FirstByte);
            hand.advance(3 * MS);
            trace.first_byte().came();
            hand.advance(MS);
        }
        let evidence = trace.end(Ok(()));
        assert!(evidence.phases.iter().eq([(Phase::FirstByte, 6 * MS), (Phase::Transfer, 2 * MS)]));
        assert_eq!(evidence.failure, None);
    }

    #[test]
    fn what_is_left_out_is_in_the_phases_and_not_in_the_whole() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(0));
        let mut trace = Trace::begin(&clock);
        trace.enter(Phase::Connect);
        hand.advance(2 * MS);
        assert_eq!(trace.rest(), Some(Phase::Connect));
        assert_eq!(trace.rest(), None);
        trace.leave_out(2 * MS);
        hand.advance(5 * MS);
        let evidence = trace.end(Ok(()));
        assert!(evidence.phases.iter().eq([(Phase::Connect, 2 * MS)]));
        assert_eq!(evidence.elapsed, 5 * MS);
    }

    #[test]
    fn a_system_error_says_whose_fault_it_is() {
        let check = |errno: Errno, fault| {
            assert_eq!(fault_of(&errno.into()), fault, "{errno}");
        };
        check(Errno::MFILE, Some(Fault::Exhausted));
        check(Errno::NFILE, Some(Fault::Exhausted));
        check(Errno::NOBUFS, Some(Fault::Exhausted));
        check(Errno::ADDRNOTAVAIL, Some(Fault::Exhausted));
        check(Errno::AGAIN, Some(Fault::Exhausted));
        check(Errno::CONNREFUSED, Some(Fault::Refused));
        check(Errno::CONNRESET, Some(Fault::Reset));
        check(Errno::PIPE, Some(Fault::Reset));
        check(Errno::NETUNREACH, Some(Fault::Unreachable));
        check(Errno::HOSTUNREACH, Some(Fault::Unreachable));
        check(Errno::ACCESS, Some(Fault::Unreachable));
        check(Errno::TIMEDOUT, Some(Fault::Deadline));
        check(Errno::NOTSOCK, None);
        assert_eq!(fault_of(&io::ErrorKind::UnexpectedEof.into()), Some(Fault::Reset));
    }
}
