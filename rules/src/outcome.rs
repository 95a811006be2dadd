//! What a probe came to (`accounting.md` section 3).
//!
//! Up, down and unknown are three things and never two: a failed probe is a value, a failed
//! prober is `Void`, and silence is a gap that no value stands for.

use core::fmt;

/// What one probe came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The expectation held within the timeout.
    Up,
    /// The attempt failed, and the target or the way to it is why.
    Down(Cause),
    /// The agent could not judge.
    Void(Cause),
}

impl Outcome {
    /// The outcome without its cause.
    pub fn kind(self) -> OutcomeKind {
        match self {
            Outcome::Up => OutcomeKind::Up,
            Outcome::Down(_) => OutcomeKind::Down,
            Outcome::Void(_) => OutcomeKind::Void,
        }
    }

    /// Why, unless it is up.
    pub fn cause(self) -> Option<Cause> {
        match self {
            Outcome::Up => None,
            Outcome::Down(cause) | Outcome::Void(cause) => Some(cause),
        }
    }

    /// The outcome of `kind`; an absent cause is [`Cause::Other`].
    pub fn new(kind: OutcomeKind, cause: Option<Cause>) -> Outcome {
        let cause = cause.unwrap_or(Cause::Other);
        match kind {
            OutcomeKind::Up => Outcome::Up,
            OutcomeKind::Down => Outcome::Down(cause),
            OutcomeKind::Void => Outcome::Void(cause),
        }
    }
}

/// An outcome without its cause. The order is that of strength: of different results with the same
/// instant the first in this order stands (`accounting.md` section 4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OutcomeKind {
    /// The expectation held.
    Up,
    /// The target failed.
    Down,
    /// Nothing is known.
    Void,
}

impl OutcomeKind {
    /// The word used in files, metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            OutcomeKind::Up => "up",
            OutcomeKind::Down => "down",
            OutcomeKind::Void => "void",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<OutcomeKind> {
        [OutcomeKind::Up, OutcomeKind::Down, OutcomeKind::Void].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $word:literal,)*) => {
        /// Why a probe was not up. The numbers are part of the block format: never reuse one.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Cause { $($(#[$doc])* $variant = $code,)* }

        impl Cause {
            /// All causes, in the order of their numbers.
            pub const ALL: &'static [Cause] = &[$(Cause::$variant,)*];

            /// The word used in files, metrics and pages.
            pub fn as_str(self) -> &'static str {
                match self { $(Cause::$variant => $word,)* }
            }
        }
    };
}

causes! {
    /// A cause that this version has no word for.
    Other = 0 "other",
    /// The name has no address, or its servers say so.
    Resolve = 1 "resolve",
    /// The connection was refused.
    Refused = 2 "refused",
    /// A router or host said that there is no way there.
    Unreachable = 3 "unreachable",
    /// The connection was cut before the answer was whole.
    Reset = 4 "reset",
    /// The deadline passed.
    Timeout = 5 "timeout",
    /// The TLS handshake failed.
    Tls = 6 "tls",
    /// The certificate is not valid for this name and time.
    Certificate = 7 "certificate",
    /// The answer's status is not an expected one.
    Status = 8 "status",
    /// The answer's headers or body are not as expected.
    Content = 9 "content",
    /// The answer broke its protocol.
    Protocol = 10 "protocol",
    /// The answer was larger than allowed.
    TooLarge = 11 "too_large",
    /// Too many redirects, or one to where the check may not go.
    Redirect = 12 "redirect",
    /// The target answered that it is not well.
    Unhealthy = 13 "unhealthy",
    /// A run that was due did not report in time.
    Missed = 14 "missed",
    /// More packets were lost than allowed.
    Loss = 15 "loss",
    /// A measured value is beyond its bound.
    Bound = 16 "bound",
    /// The agent's own network was away: its references failed too.
    AgentOffline = 64 "agent_offline",
    /// The agent was paused or starved while the probe ran.
    Paused = 65 "paused",
    /// The agent was out of descriptors, buffers or ports.
    Resources = 66 "resources",
    /// The agent's own resolver was dead.
    Resolver = 67 "resolver",
    /// The probe itself was broken or forbidden.
    Prober = 68 "prober",
    /// The agent's clock was too far off to be believed.
    Clock = 69 "clock",
    /// Results were dropped because the agent's spool was full.
    SpoolFull = 70 "spool_full",
}

impl Cause {
    /// The number used in blocks.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The cause with this number; a number from a later version is [`Cause::Other`].
    pub fn from_code(code: u8) -> Cause {
        Cause::ALL.iter().copied().find(|cause| cause.code() == code).unwrap_or(Cause::Other)
    }

    /// The cause that `word` names; an unknown word is [`Cause::Other`].
    pub fn from_word(word: &str) -> Cause {
        Cause::ALL.iter().copied().find(|cause| cause.as_str() == word).unwrap_or(Cause::Other)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The causes seen over a stretch, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CauseSet(u128);

impl CauseSet {
    /// The set with nothing in it.
    pub const EMPTY: CauseSet = CauseSet(0);

    /// Adds `cause`.
    pub fn insert(&mut self, cause: Cause) {
        self.0 |= 1 << cause.code();
    }

    /// Everything in either set.
    pub fn union(self, other: CauseSet) -> CauseSet {
        CauseSet(self.0 | other.0)
    }

    /// The causes in the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.iter().copied().filter(move |cause| self.0 & (1 << cause.code()) != 0)
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as bits: bit *n* stands for the cause with number *n*.
    pub fn bits(self) -> u128 {
        self.0
    }

    /// The set with these bits.
    pub fn from_bits(bits: u128) -> CauseSet {
        CauseSet(bits)
    }
}

impl FromIterator<Cause> for CauseSet {
    fn from_iter<I: IntoIterator<Item = Cause>>(causes: I) -> CauseSet {
        let mut set = CauseSet::EMPTY;
        causes.into_iter().for_each(|cause| set.insert(cause));
        set
    }
}

impl fmt::Debug for CauseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_survives_its_word_and_its_number() {
        for &cause in Cause::ALL {
            assert_eq!(Cause::from_word(cause.as_str()), cause);
            assert_eq!(Cause::from_code(cause.code()), cause);
            assert!(cause.code() < 128, "a set has 128 bits");
        }
    }

    #[test]
    fn a_set_holds_each_cause_once() {
        let set: CauseSet = [Cause::Timeout, Cause::Reset, Cause::Timeout].into_iter().collect();
        assert!(set.iter().eq([Cause::Reset, Cause::Timeout]));
        assert_eq!(CauseSet::from_bits(set.bits()), set);
    }
}
