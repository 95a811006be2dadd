//! The numbers of the domain name system, and the words that people write for them.
//!
//! The words are those of the registry at IANA and of miekg/dns, which blackbox_exporter reads; a
//! number without a word is written `TYPE65280`, `CLASS32` or `RCODE3841` (RFC 3597).

use core::fmt;

/// A type of record, or of question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueryType(pub u16);

/// A class of records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueryClass(pub u16);

/// What a name server says of the question as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rcode(pub u16);

impl QueryType {
    /// An IPv4 address.
    pub const A: QueryType = QueryType(1);
    /// All that the server cares to tell.
    pub const ANY: QueryType = QueryType(255);

    /// The type that `word` names.
    pub fn from_word(word: &str) -> Option<QueryType> {
        number(TYPES, "TYPE", word).map(QueryType)
    }
}

impl QueryClass {
    /// The internet.
    pub const IN: QueryClass = QueryClass(1);

    /// The class that `word` names.
    pub fn from_word(word: &str) -> Option<QueryClass> {
        number(CLASSES, "CLASS", word).map(QueryClass)
    }
}

impl Rcode {
    /// The question was answered.
    pub const NOERROR: Rcode = Rcode(0);
    /// The question could not be read.
    pub const FORMERR: Rcode = Rcode(1);
    /// The question is not supported.
    pub const NOTIMP: Rcode = Rcode(4);

    /// The code that `word` names.
    pub fn from_word(word: &str) -> Option<Rcode> {
        number(RCODES, "RCODE", word).map(Rcode)
    }
}

impl fmt::Display for QueryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_word(f, TYPES, "TYPE", self.0)
    }
}

impl fmt::Display for QueryClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_word(f, CLASSES, "CLASS", self.0)
    }
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_word(f, RCODES, "RCODE", self.0)
    }
}

fn number(words: &[(&str, u16)], prefix: &str, word: &str) -> Option<u16> {
    let known = words.iter().find(|(known, _)| *known == word).map(|(_, number)| *number);
    known.or_else(|| {
        let digits = word.strip_prefix(prefix)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    })
}

fn write_word(f: &mut fmt::Formatter<'_>, words: &[(&str, u16)], prefix: &str, number: u16) -> fmt::Result {
    match words.iter().find(|(_, known)| *known == number) {
        Some((word, _)) => f.pad(word),
        None => write!(f, "{prefix}{number}"),
    }
}

const TYPES: &[(&str, u16)] = &[
    ("A", 1),
    ("NS", 2),
    ("MD", 3),
    ("MF", 4),
    ("CNAME", 5),
    ("SOA", 6),
    ("MB", 7),
    ("MG", 8),
    ("MR", 9),
    ("NULL", 10),
    ("PTR", 12),
    ("HINFO", 13),
    ("MINFO", 14),
    ("MX", 15),
    ("TXT", 16),
    ("RP", 17),
    ("AFSDB", 18),
    ("X25", 19),
    ("ISDN", 20),
    ("RT", 21),
    ("NSAP-PTR", 23),
    ("SIG", 24),
    ("KEY", 25),
    ("PX", 26),
    ("GPOS", 27),
    ("AAAA", 28),
    ("LOC", 29),
    ("NXT", 30),
    ("EID", 31),
    ("NIMLOC", 32),
    ("SRV", 33),
    ("ATMA", 34),
    ("NAPTR", 35),
    ("KX", 36),
    ("CERT", 37),
    ("DNAME", 39),
    ("APL", 42),
    ("DS", 43),
    ("SSHFP", 44),
    ("IPSECKEY", 45),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("DHCID", 49),
    ("NSEC3", 50),
    ("NSEC3PARAM", 51),
    ("TLSA", 52),
    ("SMIMEA", 53),
    ("HIP", 55),
    ("NINFO", 56),
    ("RKEY", 57),
    ("TALINK", 58),
    ("CDS", 59),
    ("CDNSKEY", 60),
    ("OPENPGPKEY", 61),
    ("CSYNC", 62),
    ("ZONEMD", 63),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("SPF", 99),
    ("UINFO", 100),
    ("UID", 101),
    ("GID", 102),
    ("UNSPEC", 103),
    ("NID", 104),
    ("L32", 105),
    ("L64", 106),
    ("LP", 107),
    ("EUI48", 108),
    ("EUI64", 109),
    ("TKEY", 249),
    ("TSIG", 250),
    ("IXFR", 251),
    ("AXFR", 252),
    ("MAILB", 253),
    ("MAILA", 254),
    ("ANY", 255),
    ("URI", 256),
    ("CAA", 257),
    ("AVC", 258),
    ("AMTRELAY", 260),
    ("RESINFO", 261),
    ("TA", 32768),
    ("DLV", 32769),
];

const CLASSES: &[(&str, u16)] = &[("IN", 1), ("CS", 2), ("CH", 3), ("HS", 4), ("NONE", 254), ("ANY", 255)];

const RCODES: &[(&str, u16)] = &[
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("YXDOMAIN", 6),
    ("YXRRSET", 7),
    ("NXRRSET", 8),
    ("NOTAUTH", 9),
    ("NOTZONE", 10),
    ("BADSIG", 16),
    ("BADVERS", 16),
    ("BADKEY", 17),
    ("BADTIME", 18),
    ("BADMODE", 19),
    ("BADNAME", 20),
    ("BADALG", 21),
    ("BADTRUNC", 22),
    ("BADCOOKIE", 23),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_word_comes_back_from_its_number() {
        for (word, number) in TYPES {
            assert_eq!(
                (QueryType::from_word(word), QueryType(*number).to_string().as_str()),
                (Some(QueryType(*number)), *word)
            );
        }
        for (word, number) in CLASSES {
            assert_eq!(QueryClass::from_word(word), Some(QueryClass(*number)));
        }
        for (word, number) in RCODES {
            assert_eq!(Rcode::from_word(word), Some(Rcode(*number)));
        }
    }

    #[test]
    fn a_number_without_a_word_is_written_as_such() {
        assert_eq!(QueryType(65280).to_string(), "TYPE65280");
        assert_eq!(QueryType::from_word("TYPE65280"), Some(QueryType(65280)));
        assert_eq!(
            (QueryType::from_word("a"), QueryType::from_word("TYPE+1"), QueryType::from_word("TYPE")),
            (None, None, None)
        );
        assert_eq!(Rcode(3841).to_string(), "RCODE3841");
    }
}
