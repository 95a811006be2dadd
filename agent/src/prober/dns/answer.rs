//! An answer, read record by record: what it holds is counted and held against the patterns, and
//! only the first few records are kept. So a message of thousands of records costs no more memory
//! than one of ten.

use super::record::{Malformed, Record};
use super::text;
use crate::prober::trace::Break;
use hickory_resolver::proto::op::{Header, Query};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};
use rules::check::{DnsTarget, Rcode, RecordRules};
use rules::evidence::{DnsAnswer, Fault, RECORDS_SHOWN_MAX, Said, SectionFacts};

/// The pseudo-record of extensions.
const OPT: u16 = 41;
/// The start of a zone's authority.
const SOA: u16 = 6;

/// Reads `message`, which answers the question of `target`.
pub(crate) fn read(message: &[u8], target: &DnsTarget) -> Result<DnsAnswer, Break> {
    Reader { message, decoder: BinDecoder::new(message), extended_rcode: 0, shown: Vec::new(), text: String::new() }
        .answer(target)
        .map_err(|Malformed(why)| Break::new(Fault::Protocol, &format!("the answer can't be read: {why}")))
}

struct Reader<'a> {
    message: &'a [u8],
    decoder: BinDecoder<'a>,
    /// The upper eight bits of the response code.
    extended_rcode: u16,
    shown: Vec<Said>,
    text: String,
}

impl Reader<'_> {
    fn answer(mut self, target: &DnsTarget) -> Result<DnsAnswer, Malformed> {
        let header = Header::read(&mut self.decoder)?;
        for _ in 0..header.counts.queries {
            Query::read(&mut self.decoder)?;
        }
        let mut serial = None;
        let answer = self.section(header.counts.answers, &target.answer, &mut serial)?;
        let authority = self.section(header.counts.authorities, &target.authority, &mut None)?;
        let additional = self.section(header.counts.additionals, &target.additional, &mut None)?;
        let low = u16::from(header.metadata.response_code);
        Ok(DnsAnswer {
            rcode: Rcode(self.extended_rcode << 4 | low),
            authoritative: header.metadata.authoritative,
            bytes: u32::try_from(self.message.len()).unwrap_or(u32::MAX),
            answer,
            authority,
            additional,
            serial,
            shown: self.shown,
        })
    }

    fn section(
        &mut self,
        count: u16,
        rules: &RecordRules,
        serial: &mut Option<u32>,
    ) -> Result<SectionFacts, Malformed> {
        let mut facts = SectionFacts { records: 0, matches: vec![0; rules.patterns().count()] };
        for _ in 0..count {
            let record = Record::read(&mut self.decoder, self.message)?;
            if record.kind == OPT {
                self.extended_rcode = u16::try_from(record.ttl >> 24).unwrap_or(0);
                continue;
            }
            facts.records += 1;
            if record.kind == SOA {
                *serial = Some(record.rdata()?.serial()?);
            }
            let is_shown = self.shown.len() < RECORDS_SHOWN_MAX;
            if facts.matches.is_empty() && !is_shown {
                continue;
            }
            self.text.clear();
            text::write(&record, &mut self.text)?;
            for (pattern, matches) in rules.patterns().zip(&mut facts.matches) {
                *matches += u32::from(pattern.is_found(self.text.as_bytes()));
            }
            if is_shown {
                self.shown.push(Said::new(&self.text.replace('\t', " ")));
            }
        }
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{Edns, Message, OpCode, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{A, SOA};
    use hickory_resolver::proto::rr::{Name, RData, Record};
    use rules::check::Pattern;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn target() -> DnsTarget {
        DnsTarget::new("192.0.2.53", "example.com").unwrap()
    }

    fn address(last: u8) -> Record {
        Record::from_rdata(name("example.com."), 3600, RData::A(A::new(127, 0, 0, last)))
    }

    #[test]
    fn each_section_is_counted_without_the_record_of_extensions() {
        let mut message = Message::response(1, OpCode::Query);
        message.add_answers([address(1), address(2)]);
        message.add_authority(address(3));
        message.add_additionals([address(4), address(5), address(6)]);
        message.set_edns(Edns::new());
        let patterns =
            vec![Pattern::new(r"^example\.com\.\t3600\tIN\tA\t127\.0\.0\.\d$").unwrap(), Pattern::new("0.4").unwrap()];
        let rules = RecordRules { none_matches: patterns, ..RecordRules::default() };
        let answer = read(&message.to_vec().unwrap(), &DnsTarget { additional: rules, ..target() }).unwrap();
        assert_eq!((answer.answer.records, answer.authority.records), (2, 1));
        assert_eq!(answer.additional, SectionFacts { records: 3, matches: vec![3, 1] });
        assert_eq!(answer.shown.len(), 6);
        assert_eq!(answer.shown[0].as_str(), "example.com. 3600 IN A 127.0.0.1");
    }

    #[test]
    fn the_serial_is_that_of_the_answer_s_zone() {
        let soa = |serial| RData::SOA(SOA::new(name("ns."), name("me."), serial, 1, 2, 3, 4));
        let mut message = Message::response(1, OpCode::Query);
        message.add_answer(Record::from_rdata(name("example.com."), 1, soa(4_000_000_000)));
        message.add_authority(Record::from_rdata(name("com."), 1, soa(7)));
        assert_eq!(read(&message.to_vec().unwrap(), &target()).unwrap().serial, Some(4_000_000_000));
        message.answers.clear();
        assert_eq!(read(&message.to_vec().unwrap(), &target()).unwrap().serial, None);
    }

    #[test]
    fn a_code_that_only_extensions_can_tell_is_put_together() {
        let mut message = Message::response(1, OpCode::Query);
        message.metadata.response_code = ResponseCode::BADVERS;
        message.set_edns(Edns::new());
        assert_eq!(read(&message.to_vec().unwrap(), &target()).unwrap().rcode, Rcode(16));
    }

    #[test]
    fn a_message_that_ends_too_early_or_lies_about_lengths_is_refused() {
        let mut message = Message::response(1, OpCode::Query);
        message.add_answer(address(1));
        let whole = message.to_vec().unwrap();
        assert!(read(&whole, &target()).is_ok());
        for length in 12..whole.len() {
            assert_eq!(read(&whole[..length], &target()).unwrap_err().fault, Fault::Protocol, "{length}");
        }
        let short = whole.len() - 5;
        let mut lying = whole;
        lying[short] = 5;
        assert!(read(&lying, &target()).is_err(), "an address of five bytes in four");
    }

    proptest::proptest! {
        #[test]
        fn no_message_makes_the_reader_panic(head in proptest::array::uniform12(0u8..4), rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let rules = RecordRules { matches: vec![Pattern::new("x").unwrap()], ..RecordRules::default() };
            let _ = read(&[&head[..], &rest].concat(), &DnsTarget { answer: rules, ..target() });
        }
    }
}
