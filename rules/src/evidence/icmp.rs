//! What came back of the echo requests.

use alloc::vec::Vec;
use core::time::Duration;

/// What came back of the echo requests.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IcmpFacts {
    /// For each packet sent, in order, how long its reply took; absent if none came.
    pub round_trips: Vec<Option<Duration>>,
    /// The hop limit (TTL) that the last reply arrived with.
    pub reply_hops: Option<u8>,
    /// How many packets came that were no reply to ours, or a second one.
    pub ignored: u32,
    /// What was sent and received by.
    pub socket: IcmpSocket,
}

/// What echo requests are sent by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IcmpSocket {
    /// A socket for echo requests alone, which needs no privilege.
    #[default]
    Ping,
    /// A raw socket.
    Raw,
}

impl IcmpFacts {
    /// How many packets were sent.
    pub fn sent(&self) -> u32 {
        u32::try_from(self.round_trips.len()).unwrap_or(u32::MAX)
    }

    /// How many replies came.
    pub fn received(&self) -> u32 {
        u32::try_from(self.replies().count()).unwrap_or(u32::MAX)
    }

    /// The share of packets without reply, 0 to 1; absent if none was sent.
    #[expect(clippy::float_arithmetic, reason = "a person reads it; the verdict counts packets")]
    pub fn loss_ratio(&self) -> Option<f64> {
        (0 < self.sent()).then(|| f64::from(self.sent() - self.received()) / f64::from(self.sent()))
    }

    /// The shortest round trip.
    pub fn rtt_min(&self) -> Option<Duration> {
        self.replies().min()
    }

    /// The longest round trip.
    pub fn rtt_max(&self) -> Option<Duration> {
        self.replies().max()
    }

    /// The mean round trip, cut to nanoseconds.
    pub fn rtt_mean(&self) -> Option<Duration> {
        let sum: Duration = self.replies().sum();
        sum.checked_div(self.received())
    }

    /// The standard deviation of all round trips, cut to nanoseconds.
    pub fn rtt_stddev(&self) -> Option<Duration> {
        let mean = self.rtt_mean()?.as_nanos();
        let squares: u128 = self.replies().map(|rtt| rtt.as_nanos().abs_diff(mean).pow(2)).sum();
        let variance = squares.checked_div(u128::from(self.received()))?;
        Some(Duration::from_nanos(u64::try_from(variance.isqrt()).unwrap_or(u64::MAX)))
    }

    fn replies(&self) -> impl Iterator<Item = Duration> {
        self.round_trips.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn figures_are_of_the_replies_alone() {
        let ms = |millis| Some(Duration::from_millis(millis));
        let facts = IcmpFacts { round_trips: vec![ms(2), None, ms(4), ms(6), ms(8)], ..IcmpFacts::default() };
        assert_eq!((facts.sent(), facts.received(), facts.loss_ratio()), (5, 4, Some(0.2)));
        assert_eq!((facts.rtt_min(), facts.rtt_mean(), facts.rtt_max()), (ms(2), ms(5), ms(8)));
        // The square root of 5 is 2.236…
        assert_eq!(facts.rtt_stddev(), Some(Duration::from_nanos(2_236_067)));
    }

    #[test]
    fn without_a_reply_there_is_loss_and_nothing_else() {
        let facts = IcmpFacts { round_trips: vec![None, None], ..IcmpFacts::default() };
        assert_eq!(facts.loss_ratio(), Some(1.0));
        assert_eq!((facts.rtt_min(), facts.rtt_mean(), facts.rtt_stddev()), (None, None, None));
        assert_eq!(IcmpFacts::default().loss_ratio(), None);
    }
}
