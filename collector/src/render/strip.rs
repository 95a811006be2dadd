//! A stretch of time as a row of coloured pieces, for statements and the console alike.
//!
//! The row has a fixed number of columns; of all that happened within a column the gravest is
//! shown, so a five-minute outage in a month can't vanish, and no row has more pieces than columns.

use rules::availability::Partition;
use rules::interval::{Interval, IntervalSet};
use rules::time::Timestamp;

/// What a service was, in the order of gravity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// Outside what is reckoned.
    Nothing,
    Up,
    Excluded,
    Undetermined,
    Short,
    Outage,
}

impl Kind {
    /// Its class in style sheets.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Kind::Nothing => "nothing",
            Kind::Up => "up",
            Kind::Excluded => "excluded",
            Kind::Undetermined => "undetermined",
            Kind::Short => "short",
            Kind::Outage => "outage",
        }
    }
}

impl Kind {
    /// Its letter where there are no colours.
    pub(crate) fn letter(self) -> char {
        match self {
            Kind::Nothing => ' ',
            Kind::Up => '·',
            Kind::Excluded => 'E',
            Kind::Undetermined => '?',
            Kind::Short => 's',
            Kind::Outage => 'X',
        }
    }
}

/// Columns of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub(crate) column: usize,
    pub(crate) columns: usize,
    pub(crate) kind: Kind,
}

/// The parts of a month as layers, each graver than the one before.
pub(crate) fn layers(partition: &Partition) -> [(Kind, &IntervalSet); 5] {
    [
        (Kind::Up, &partition.up),
        (Kind::Excluded, &partition.excluded),
        (Kind::Undetermined, &partition.undetermined),
        (Kind::Short, &partition.short),
        (Kind::Outage, &partition.counted),
    ]
}

/// Draws `window` in `columns` columns.
pub(crate) fn strip(layers: &[(Kind, &IntervalSet)], window: Interval, columns: usize) -> Vec<Piece> {
    let mut row = vec![Kind::Nothing; columns];
    for (kind, set) in layers {
        for stretch in set.clipped(window).iter() {
            let first = column(stretch.from(), window, columns);
            let last = column(stretch.until(), window, columns).max(first + 1).min(columns);
            for cell in &mut row[first.min(columns - 1)..last] {
                *cell = (*cell).max(*kind);
            }
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (column, kind) in row.into_iter().enumerate() {
        match pieces.last_mut() {
            Some(piece) if piece.kind == kind => piece.columns += 1,
            _ => pieces.push(Piece { column, columns: 1, kind }),
        }
    }
    pieces
}

/// The column that `at` lies in, of `columns` over `window`.
pub(crate) fn column(at: Timestamp, window: Interval, columns: usize) -> usize {
    let passed = at.since(window.from()).as_millis() * columns as u128 / window.length().as_millis();
    usize::try_from(passed).unwrap_or(columns).min(columns)
}

/// The instant at which a column begins.
pub(crate) fn instant(column: usize, window: Interval, columns: usize) -> Timestamp {
    let passed = window.length().as_millis() * column as u128 / columns.max(1) as u128;
    window.from().plus(std::time::Duration::from_millis(u64::try_from(passed).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(from: i64, until: i64) -> IntervalSet {
        Interval::new(Timestamp::from_millis(from), Timestamp::from_millis(until)).into_iter().collect()
    }

    fn drawn(layers: &[(Kind, &IntervalSet)]) -> String {
        let window = Interval::new(Timestamp::from_millis(0), Timestamp::from_millis(1_000)).unwrap();
        let pieces = strip(layers, window, 10);
        pieces.iter().map(|piece| piece.kind.class()[..1].repeat(piece.columns)).collect()
    }

    #[test]
    fn the_gravest_of_a_column_is_shown_however_short() {
        assert_eq!(drawn(&[(Kind::Up, &set(0, 700)), (Kind::Outage, &set(310, 311))]), "uuuouuunnn");
        assert_eq!(drawn(&[(Kind::Outage, &set(310, 311)), (Kind::Up, &set(0, 700))]), "uuuouuunnn");
    }

    #[test]
    fn a_stretch_fills_every_column_it_touches_and_no_other() {
        assert_eq!(drawn(&[(Kind::Outage, &set(-50, 200))]), "oonnnnnnnn");
        assert_eq!(drawn(&[(Kind::Outage, &set(950, 2_000))]), "nnnnnnnnno");
        assert_eq!(drawn(&[(Kind::Up, &set(0, 1_000)), (Kind::Short, &set(999, 1_000))]), "uuuuuuuuus");
    }
}
