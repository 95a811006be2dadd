//! Looking again sooner while a target fails, so that an outage's edges are known more closely.
//!
//! What these probes find is evidence without weight ([`crate::result::Weight::Extra`]): it moves
//! no slot and no mean. When one falls due is [`crate::schedule`]'s to say.

use super::Target;
use core::time::Duration;

/// How soon a target that fails is looked at again when a check doesn't say.
pub const REPROBE_EVERY_DEFAULT: Duration = Duration::from_secs(5);
/// After how many successes in a row the slots are enough again, when a check doesn't say.
pub const REPROBE_UNTIL_UP_DEFAULT: u32 = 3;

/// How a target is looked at between its slots from a failure on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reprobe {
    /// How far these probes lie apart; shorter than the check's own `every`.
    pub every: Duration,
    /// How many successes in a row end it; at least one.
    pub until_up: u32,
}

impl Default for Reprobe {
    fn default() -> Reprobe {
        Reprobe { every: REPROBE_EVERY_DEFAULT, until_up: REPROBE_UNTIL_UP_DEFAULT }
    }
}

impl Reprobe {
    /// What a check of `target` that doesn't say is given: nothing if each probe is work for the
    /// target or for this machine, if the answer doesn't change between slots, or if there is
    /// nobody to ask.
    pub fn usual(target: &Target) -> Option<Reprobe> {
        match target {
            Target::Http(_)
            | Target::Tcp(_)
            | Target::Tls(_)
            | Target::Dns(_)
            | Target::Icmp(_)
            | Target::Grpc(_)
            | Target::Ws(_)
            | Target::Unix(_) => Some(Reprobe::default()),
            Target::Flow(_) | Target::Exec(_) | Target::Page(_) | Target::Promql(_) | Target::Heartbeat(_) => None,
        }
    }
}
