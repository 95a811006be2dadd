//! Stretches of time, and the one sweep over them.
//!
//! Intervals are half-open and never empty, by type. Interval sets are canonical (sorted, disjoint,
//! not touching), so equal sets are equal values. Union, intersection, difference and "at least k
//! of n" are one function over weighted ends: [`sweep`].

use crate::time::Timestamp;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// `[from, until)`, never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    from: Timestamp,
    until: Timestamp,
}

impl Interval {
    /// All of time.
    pub const ALWAYS: Interval = Interval { from: Timestamp::MIN, until: Timestamp::MAX };

    /// `[from, until)`, or nothing if that would be empty.
    pub fn new(from: Timestamp, until: Timestamp) -> Option<Interval> {
        (from < until).then_some(Interval { from, until })
    }

    /// Its first instant.
    pub fn from(self) -> Timestamp {
        self.from
    }

    /// The first instant after it.
    pub fn until(self) -> Timestamp {
        self.until
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        self.until.since(self.from)
    }

    /// Whether `at` lies in it.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// What both have.
    pub fn intersection(self, other: Interval) -> Option<Interval> {
        Interval::new(self.from.max(other.from), self.until.min(other.until))
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.from, self.until)
    }
}

/// A set of instants, as sorted, disjoint intervals that don't touch.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// Its intervals in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Interval> + '_ {
        self.0.iter().copied()
    }

    /// Its intervals in order.
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// Whether it has no instant.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sum of its intervals' lengths.
    pub fn length(&self) -> Duration {
        self.iter().map(Interval::length).sum()
    }

    /// Whether `at` lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        let after = self.0.partition_point(|interval| interval.from <= at);
        after.checked_sub(1).is_some_and(|index| self.0[index].contains(at))
    }

    /// The instants in either set.
    pub fn union(&self, other: &IntervalSet) -> IntervalSet {
        self.combine(other, 1, |depth| 0 < depth)
    }

    /// The instants in both sets.
    pub fn intersection(&self, other: &IntervalSet) -> IntervalSet {
        self.combine(other, 1, |depth| depth == 2)
    }

    /// The instants in this set that are not in `other`.
    pub fn difference(&self, other: &IntervalSet) -> IntervalSet {
        self.combine(other, -1, |depth| depth == 1)
    }

    /// The part of the set that lies in `interval`.
    pub fn clipped(&self, interval: Interval) -> IntervalSet {
        let first = self.0.partition_point(|own| own.until <= interval.from);
        let inside = self.0[first..].iter().take_while(|own| own.from < interval.until);
        IntervalSet(inside.filter_map(|own| own.intersection(interval)).collect())
    }

    fn combine(&self, other: &IntervalSet, weight: i32, holds: impl Fn(i32) -> bool) -> IntervalSet {
        let own = self.iter().map(|interval| (interval, 1));
        select(own.chain(other.iter().map(|interval| (interval, weight))), holds)
    }
}

impl From<Interval> for IntervalSet {
    fn from(interval: Interval) -> IntervalSet {
        IntervalSet(alloc::vec![interval])
    }
}

impl FromIterator<Interval> for IntervalSet {
    /// The union of all the intervals, in any order.
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> IntervalSet {
        select(intervals.into_iter().map(|interval| (interval, 1)), |depth| 0 < depth)
    }
}

impl fmt::Debug for IntervalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.0).finish()
    }
}

/// What a sweep adds up along the way.
pub trait Depth: Copy + Default + PartialEq {
    /// The two added.
    fn plus(self, other: Self) -> Self;
    /// What undoes it.
    fn negated(self) -> Self;
}

impl Depth for i32 {
    fn plus(self, other: i32) -> i32 {
        self + other
    }
    fn negated(self) -> i32 {
        -self
    }
}

/// Two sums kept side by side: (views, down views), say.
impl Depth for (i32, i32) {
    fn plus(self, other: (i32, i32)) -> (i32, i32) {
        (self.0 + other.0, self.1 + other.1)
    }
    fn negated(self) -> (i32, i32) {
        (-self.0, -self.1)
    }
}

/// Walks along all ends in order of time and calls `visit` with each stretch between two of them
/// that differ in instant, and the sum of the weights of the intervals that cover it. Stretches
/// that no interval touches lie outside the walk, before the first end and after the last.
pub fn sweep<D: Depth>(intervals: impl IntoIterator<Item = (Interval, D)>, mut visit: impl FnMut(Interval, D)) {
    let mut ends: Vec<(Timestamp, D)> = Vec::new();
    for (interval, weight) in intervals {
        ends.push((interval.from, weight));
        ends.push((interval.until, weight.negated()));
    }
    ends.sort_unstable_by_key(|end| end.0);
    let mut depth = D::default();
    let mut reached = Timestamp::MIN;
    for (at, weight) in ends {
        if let Some(stretch) = Interval::new(reached, at)
            && reached != Timestamp::MIN
        {
            visit(stretch, depth);
        }
        depth = depth.plus(weight);
        reached = at;
    }
}

/// The instants where the sum of weights `holds`.
pub fn select<D: Depth>(intervals: impl IntoIterator<Item = (Interval, D)>, holds: impl Fn(D) -> bool) -> IntervalSet {
    let mut set: Vec<Interval> = Vec::new();
    sweep(intervals, |stretch, depth| {
        if !holds(depth) {
            return;
        }
        match set.last_mut() {
            Some(last) if last.until == stretch.from => last.until = stretch.until,
            _ => set.push(stretch),
        }
    });
    IntervalSet(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use proptest::prelude::*;

    /// Draws a set: `"_##_#"` is [1, 3) and [4, 5).
    fn drawn(picture: &str) -> IntervalSet {
        let cells = picture.bytes().enumerate().filter(|(_, byte)| *byte == b'#');
        cells.filter_map(|(at, _)| unit(i64::try_from(at).ok()?)).collect()
    }

    fn unit(at: i64) -> Option<Interval> {
        Interval::new(Timestamp::from_millis(at), Timestamp::from_millis(at + 1))
    }

    fn picture(set: &IntervalSet, cells: i64) -> String {
        (0..cells).map(|at| if set.contains(Timestamp::from_millis(at)) { '#' } else { '_' }).collect()
    }

    #[test]
    fn the_three_operations_are_what_they_are_called() {
        let (a, b) = (drawn("_###__##_"), drawn("__###_#_#"));
        assert_eq!(a.union(&b), drawn("_####_###"));
        assert_eq!(a.intersection(&b), drawn("__##__#__"));
        assert_eq!(a.difference(&b), drawn("_#_____#_"));
    }

    #[test]
    fn touching_intervals_are_one() {
        assert_eq!(drawn("_####_").as_slice().len(), 1);
    }

    #[test]
    fn at_least_two_of_three() {
        let all = ["###___", "_###__", "__###_"].map(drawn);
        let weighted = all.iter().flat_map(|set| set.iter().map(|interval| (interval, 1)));
        assert_eq!(select(weighted, |depth| 2 <= depth), drawn("_###__"));
    }

    proptest! {
        #[test]
        fn every_operation_agrees_with_asking_each_instant(a in "[_#]{0,24}", b in "[_#]{0,24}") {
            let (left, right) = (drawn(&a), drawn(&b));
            let has = |set: &IntervalSet, at| set.contains(Timestamp::from_millis(at));
            for at in 0..24 {
                let (l, r) = (has(&left, at), has(&right, at));
                prop_assert_eq!(has(&left.union(&right), at), l || r);
                prop_assert_eq!(has(&left.intersection(&right), at), l && r);
                prop_assert_eq!(has(&left.difference(&right), at), l && !r);
            }
        }

        #[test]
        fn a_set_is_canonical_whatever_the_order_it_came_in(cells in prop::collection::vec(0i64..40, 0..60)) {
            let mut turned = cells.clone();
            turned.reverse();
            let set: IntervalSet = cells.iter().filter_map(|at| unit(*at)).collect();
            prop_assert_eq!(&set, &turned.iter().filter_map(|at| unit(*at)).collect());
            prop_assert_eq!(&drawn(&picture(&set, 40)), &set);
            for pair in set.as_slice().windows(2) {
                prop_assert!(pair[0].until() < pair[1].from());
            }
        }

        #[test]
        fn clipping_is_intersection(a in "[_#]{0,24}", from in 0i64..24, length in 1i64..24) {
            let window = Interval::new(Timestamp::from_millis(from), Timestamp::from_millis(from + length)).unwrap();
            prop_assert_eq!(drawn(&a).clipped(window), drawn(&a).intersection(&IntervalSet::from(window)));
        }
    }
}
