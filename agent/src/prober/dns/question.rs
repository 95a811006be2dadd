//! The question of a check, and whether a message answers it.

use crate::prober::trace::Break;
use hickory_resolver::proto::op::{Edns as Opt, Header, Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::{DNSClass, Name, RecordType};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};
use rules::check::{DnsTarget, Rcode, Recursion};
use rules::evidence::{Edns, Fault};

/// The largest datagram that is asked for: what passes every common path without fragments.
const DATAGRAM_BYTES: u16 = 1232;

/// A question, read once.
#[derive(Debug)]
pub(crate) struct Question {
    query: Query,
    recursion: Recursion,
}

/// What the head of an answer says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// The code without the bits that extensions add.
    pub(crate) rcode: Rcode,
    pub(crate) is_truncated: bool,
    /// Whether the additional section, where the record of extensions stands, has anything in it.
    pub(crate) has_additional: bool,
}

impl Question {
    pub(crate) fn prepare(target: &DnsTarget) -> Result<Question, Break> {
        let name = read_name(&target.query_name)?;
        let mut query = Query::query(name, RecordType::from(target.query_type.0));
        query.set_query_class(DNSClass::from(target.query_class.0));
        Ok(Question { query, recursion: target.recursion })
    }

    /// The question as a message, under a number that nobody can guess.
    pub(crate) fn message(&self, edns: Edns) -> Result<(u16, Vec<u8>), Break> {
        let id = rand::random();
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = self.recursion == Recursion::Desired;
        message.add_query(self.query.clone());
        if edns == Edns::Used {
            let mut extensions = Opt::new();
            extensions.set_max_payload(DATAGRAM_BYTES);
            message.set_edns(extensions);
        }
        let bytes = message.to_vec();
        bytes.map(|bytes| (id, bytes)).map_err(|error| Break::new(Fault::Instruction, &error.to_string()))
    }

    /// The head of `message` if it is an answer to this question under the number `id`. A server that
    /// could not read the question, or refuses it, may leave it out.
    pub(crate) fn answered_by(&self, id: u16, message: &[u8]) -> Option<Head> {
        let mut decoder = BinDecoder::new(message);
        let header = Header::read(&mut decoder).ok()?;
        let rcode = Rcode(header.metadata.response_code.into());
        let is_answer = header.metadata.id == id
            && header.metadata.message_type == MessageType::Response
            && header.metadata.op_code == OpCode::Query;
        let is_ours = match header.counts.queries {
            0 => rcode != Rcode::NOERROR,
            1 => Query::read(&mut decoder).is_ok_and(|query| query == self.query),
            _ => false,
        };
        (is_answer && is_ours).then_some(Head {
            rcode,
            is_truncated: header.metadata.truncation,
            has_additional: header.counts.additionals != 0,
        })
    }
}

/// A name in its textual form: a backslash goes before a letter without meaning, or before three
/// decimal digits; an international name is put into its form for the wire.
fn read_name(text: &str) -> Result<Name, Break> {
    let refuse = |why: &str| Break::new(Fault::Instruction, &format!("query_name `{text}`: {why}"));
    if !text.is_ascii() {
        let mut name = Name::from_utf8(text).map_err(|error| refuse(&error.to_string()))?;
        name.set_fqdn(true);
        return Ok(name);
    }
    let mut labels = vec![Vec::new()];
    let mut rest = text.strip_prefix('.').unwrap_or(text).bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'.' => {
                labels.push(Vec::new());
                continue;
            }
            b'\\' => escaped(&mut rest).ok_or_else(|| refuse("a backslash stands before nothing that it escapes"))?,
            byte => byte,
        };
        labels.last_mut().unwrap_or(&mut Vec::new()).push(byte);
    }
    labels.retain(|label| !label.is_empty());
    let mut name = Name::root();
    for label in &labels {
        name = name.append_label(label.as_slice()).map_err(|error| refuse(&error.to_string()))?;
    }
    name.set_fqdn(true);
    Ok(name)
}

/// What stands behind a backslash.
fn escaped(rest: &mut std::str::Bytes<'_>) -> Option<u8> {
    let first = rest.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let digits = [first, rest.next()?, rest.next()?];
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::check::QueryType;

    fn question(name: &str, query_type: QueryType) -> Question {
        Question::prepare(&DnsTarget { query_type, ..DnsTarget::new("192.0.2.53", name).unwrap() }).unwrap()
    }

    /// An answer to `question` after `change`.
    fn answer(question: &Question, change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let (_, bytes) = question.message(Edns::Used).unwrap();
        let mut message = Message::from_vec(&bytes).unwrap();
        message.metadata.id = 7;
        message.metadata.message_type = MessageType::Response;
        change(&mut message);
        message.to_vec().unwrap()
    }

    #[test]
    fn only_a_response_with_the_same_number_and_question_is_an_answer() {
        let question = question("example.com", QueryType::A);
        let is_answer = |change: fn(&mut Message)| question.answered_by(7, &answer(&question, change)).is_some();
        assert!(is_answer(|_| ()));
        assert!(!is_answer(|message| message.metadata.id = 8));
        assert!(!is_answer(|message| message.metadata.message_type = MessageType::Query));
        assert!(!is_answer(|message| message.metadata.op_code = OpCode::Notify));
        let other = |name: &str, kind, class| {
            let mut query = Query::query(Name::from_ascii(name).unwrap(), kind);
            query.set_query_class(class);
            question.answered_by(7, &answer(&question, |message| message.queries[0] = query)).is_some()
        };
        assert!(other("EXAMPLE.com.", RecordType::A, DNSClass::IN));
        assert!(!other("example.com.", RecordType::AAAA, DNSClass::IN));
        assert!(!other("example.com.", RecordType::A, DNSClass::CH));
        assert!(!other("example.org.", RecordType::A, DNSClass::IN));
        assert!(!is_answer(|message| message.queries.clear()), "no question, and no error that would explain it");
        assert!(question.answered_by(7, &[0, 7, 0x80]).is_none(), "shorter than a head");
    }

    #[test]
    fn names_that_only_the_domain_name_system_knows_can_be_asked_for() {
        let check = |name: &str, labels: &[&str]| {
            let question = question(name, QueryType::ANY);
            assert!(question.query.name().iter().eq(labels.iter().map(|label| label.as_bytes())), "{name}");
            assert!(question.message(Edns::Used).is_ok(), "{name}");
        };
        check("_dmarc.example.com", &["_dmarc", "example", "com"]);
        check("*.Example.com.", &["*", "Example", "com"]);
        check(r"a\046b\.c.example", &["a.b.c", "example"]);
        check("한국.example", &["xn--3e0b707e", "example"]);
        check(".", &[]);
        let too_long = format!("{}.example", "x".repeat(64));
        assert!(Question::prepare(&DnsTarget::new("192.0.2.53", &too_long).unwrap()).is_err());
    }
}
