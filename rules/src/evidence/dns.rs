//! What a name server answered.

use super::Said;
use crate::check::Rcode;
use alloc::vec::Vec;

/// How many records are kept as text: enough to see what was answered.
pub const RECORDS_SHOWN_MAX: usize = 8;

/// What a name server answered.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DnsFacts {
    /// Whether TCP was needed although a datagram was meant to do.
    pub fallback: TcpFallback,
    /// Whether the question was asked with the extensions of RFC 6891.
    pub edns: Edns,
    /// How many datagrams or messages were passed over because they did not answer the question.
    pub ignored: u32,
    /// The answer, whatever its response code; absent if none came.
    pub answer: Option<DnsAnswer>,
}

/// Whether TCP was needed although a datagram was meant to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TcpFallback {
    /// The question travelled as the check says.
    #[default]
    No,
    /// The answer in a datagram was cut, and the question was asked again by TCP.
    Truncated,
}

/// Whether the question was asked with the extensions of RFC 6891.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Edns {
    /// It was.
    #[default]
    Used,
    /// The server did not know them, and was asked again without.
    Refused,
}

/// An answer to the question.
#[derive(Clone, PartialEq, Debug)]
pub struct DnsAnswer {
    /// What the server says of the question as a whole.
    pub rcode: Rcode,
    /// Whether the server says that it is the name's own (the bit `AA`).
    pub authoritative: bool,
    /// The length of the message.
    pub bytes: u32,
    /// The answer section.
    pub answer: SectionFacts,
    /// The authority section.
    pub authority: SectionFacts,
    /// The additional section, without the extensions' own record.
    pub additional: SectionFacts,
    /// The serial number of the last SOA record of the answer section.
    pub serial: Option<u32>,
    /// The first records of all sections, with spaces in the place of tabs.
    pub shown: Vec<Said>,
}

/// What was counted in one section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SectionFacts {
    /// How many records it has.
    pub records: u32,
    /// How many of them match each pattern of the section's rules, in the order of
    /// [`crate::check::RecordRules::patterns`].
    pub matches: Vec<u32>,
}
