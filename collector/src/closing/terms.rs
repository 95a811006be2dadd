//! What a month is drawn up under: the version of the agreement that is in force, and what stands on
//! its record.

use rules::agreement::Agreement;
use rules::record::Entry;

/// An agreement's terms for one month.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    /// The version in force, with the exclusions and standings that stand on record among its own.
    pub agreement: Agreement,
    /// The record itself, in order.
    pub record: Vec<Entry>,
}

impl Terms {
    /// The terms of an agreement that nothing is on record about.
    pub fn new(agreement: Agreement) -> Terms {
        Terms { agreement, record: Vec::new() }
    }
}
