//! Slows down whoever tries tokens.
//!
//! Each address may fail a few times in a row; then it is turned away, right or wrong, until time
//! has eased its count. The count is kept in memory: a token of 256 random bits is not found by
//! trying, this only keeps the noise down.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures in a row before an address is turned away: more than a person mistypes.
const FAILURES_MAX: u32 = 10;
/// How long it takes for one failure to be forgotten.
const EASE: Duration = Duration::from_secs(6);
/// Addresses remembered at once, some 100 bytes each.
const ADDRESSES_MAX: usize = 4096;

/// The failures of each address.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    /// When `count` was right.
    at: Duration,
}

impl Failures {
    /// As it is at `now`, time having eased it.
    fn eased(self, now: Duration) -> Failures {
        let steps = now.saturating_sub(self.at).as_secs() / EASE.as_secs();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        match self.count.checked_sub(steps) {
            Some(count) if 0 < count => Failures { count, at: self.at + EASE * steps },
            _ => Failures { count: 0, at: now },
        }
    }
}

impl Attempts {
    /// Makes one attempt for `address` at `now` of the boot-time clock: nothing found is a failure.
    /// An address that failed too often is told how long to wait, and nothing is tried.
    pub(super) fn attempt<T>(
        &self,
        address: IpAddr,
        now: Duration,
        find: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, Duration> {
        let address = counted(address);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failed.get(&address).map(|failures| failures.eased(now));
        if let Some(before) = before.filter(|before| FAILURES_MAX <= before.count) {
            return Err((before.at + EASE).saturating_sub(now));
        }
        let found = find();
        if found.is_none() {
            make_room(&mut failed, now);
            let before = before.unwrap_or(Failures { count: 0, at: now });
            failed.insert(address, Failures { count: before.count + 1, ..before });
        }
        Ok(found)
    }
}

/// The address that is counted: of IPv6 the network, for one machine has all of its addresses.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

/// Forgets what time has eased and, if that is not enough, whoever failed least.
fn make_room(failed: &mut HashMap<IpAddr, Failures>, now: Duration) {
    if failed.len() < ADDRESSES_MAX {
        return;
    }
    failed.retain(|_, failures| 0 < failures.eased(now).count);
    if ADDRESSES_MAX <= failed.len() {
        let least = failed.iter().min_by_key(|(_, failures)| failures.eased(now).count).map(|(address, _)| *address);
        least.and_then(|address| failed.remove(&address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1000 + seconds)
    }

    #[test]
    fn an_address_that_failed_too_often_waits_even_with_the_right_token() {
        let attempts = Attempts::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(attempts.attempt::<()>(HERE, at(0), || None), Ok(None));
        }
        assert_eq!(attempts.attempt(HERE, at(2), || Some(())), Err(Duration::from_secs(4)));
        assert_eq!(attempts.attempt(HERE, at(6), || Some(())), Ok(Some(())));
        assert_eq!(attempts.attempt::<()>(HERE, at(6), || None), Ok(None));
        assert_eq!(attempts.attempt(HERE, at(6), || Some(())), Err(Duration::from_secs(6)));
        assert_eq!(attempts.attempt("192.0.2.2".parse().unwrap(), at(6), || Some(())), Ok(Some(())));
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let attempts = Attempts::default();
        for host in 0..FAILURES_MAX {
            let address = format!("2001:db8::{host}").parse().unwrap();
            assert_eq!(attempts.attempt::<()>(address, at(0), || None), Ok(None));
        }
        assert!(attempts.attempt("2001:db8::ffff".parse().unwrap(), at(0), || Some(())).is_err());
        assert!(attempts.attempt("2001:db8:0:1::".parse().unwrap(), at(0), || Some(())).is_ok());
    }

    #[test]
    fn addresses_are_bounded_and_the_worst_stays_known() {
        let attempts = Attempts::default();
        for _ in 0..FAILURES_MAX {
            let _ = attempts.attempt::<()>(HERE, at(0), || None);
        }
        for number in 0..2 * u32::try_from(ADDRESSES_MAX).unwrap() {
            let _ = attempts.attempt::<()>(IpAddr::V4((0x0a00_0000 + number).into()), at(0), || None);
        }
        assert_eq!(attempts.failed.lock().unwrap().len(), ADDRESSES_MAX);
        assert!(attempts.attempt(HERE, at(0), || Some(())).is_err());
    }
}
