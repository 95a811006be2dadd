//! Is the agent's own network there? A few well-known targets decide (`reliability.md` D11).
//!
//! They are looked at regularly, and at once when a probe fails. Only when every one of them fails
//! is the network away; without references it is never said to be. They are never results: nothing
//! of this reaches the spool.

use crate::prober::{Plan, Prober};
use daemon::clock::Clock;
use futures_util::future::join_all;
use rules::check::Target;
use rules::judge;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How often references are looked at without being asked, so that a cut shorter than a probe's
/// timeout is seen too.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(10);
/// What was seen this long ago or later needs no new look: a burst of failures makes one.
const FRESH: Duration = Duration::from_secs(1);
/// A reference that takes longer is away; they are chosen for being near and steady.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The references of one configuration and what they showed last.
pub(crate) struct References {
    prober: Arc<Prober>,
    plans: Vec<Plan>,
    clock: Clock,
    seen: Mutex<Seen>,
}

/// In boot time, when the look began.
#[derive(Clone, Copy, Default)]
struct Seen {
    last: Option<(Duration, judge::References)>,
    away: Option<Duration>,
}

impl References {
    /// Prepares `targets`.
    pub(crate) fn new(targets: &[Target], prober: &Arc<Prober>, clock: Clock) -> References {
        let plans = targets.iter().map(|target| prober.plan(target, TIMEOUT)).collect();
        References { prober: Arc::clone(prober), plans, clock, seen: Mutex::default() }
    }

    /// Whether there is any.
    pub(crate) fn are_configured(&self) -> bool {
        !self.plans.is_empty()
    }

    /// Whether the network was there since `started`: away if any look since then found it away.
    pub(crate) async fn since(&self, started: Duration) -> judge::References {
        if !self.are_configured() {
            return judge::References::There;
        }
        let mut seen = self.seen.lock().await;
        let is_stale = seen.last.is_none_or(|(at, _)| at + FRESH < self.clock.boot());
        if is_stale {
            *seen = self.look(*seen).await;
        }
        match (seen.away, seen.last) {
            (Some(away), _) if started <= away => judge::References::Away,
            (_, Some((_, state))) => state,
            (_, None) => judge::References::There,
        }
    }

    /// Looks at every reference at once; one that answers is enough.
    async fn look(&self, before: Seen) -> Seen {
        let at = self.clock.boot();
        let answers = join_all(self.plans.iter().map(|plan| self.prober.probe(plan))).await;
        if answers.iter().any(|evidence| evidence.answered().is_some()) {
            return Seen { last: Some((at, judge::References::There)), ..before };
        }
        Seen { last: Some((at, judge::References::Away)), away: Some(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn state(addresses: &[String]) -> judge::References {
        let clock = Clock::system();
        let prober = Arc::new(Prober::new(clock.clone()).unwrap());
        let targets: Vec<Target> =
            addresses.iter().map(|address| Target::parse(&format!("tcp:{address}")).unwrap()).collect();
        References::new(&targets, &prober, clock.clone()).since(clock.boot()).await
    }

    #[tokio::test]
    async fn one_reference_that_answers_is_enough_and_none_at_all_is_no_evidence() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = open.local_addr().map(|address| (address.to_string(), open)).unwrap();
        let closed = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap().to_string()
        };
        assert_eq!(state(&[closed.clone(), open.0.clone()]).await, judge::References::There);
        assert_eq!(state(&[closed]).await, judge::References::Away);
        assert_eq!(state(&[]).await, judge::References::There);
    }

    #[tokio::test]
    async fn a_network_that_came_back_during_a_probe_was_away_for_it() {
        let clock = Clock::system();
        let prober = Arc::new(Prober::new(clock.clone()).unwrap());
        let address = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let target = Target::parse(&format!("tcp:{address}")).unwrap();
        let references = References::new(&[target], &prober, clock.clone());
        let started = clock.boot();
        assert_eq!(references.since(started).await, judge::References::Away);
        let _back = TcpListener::bind(address).await.unwrap();
        let seen = references.look(*references.seen.lock().await).await;
        *references.seen.lock().await = seen;
        assert_eq!(references.since(started).await, judge::References::Away);
        assert_eq!(references.since(clock.boot()).await, judge::References::There);
    }
}
