//! Echo requests as bytes, and which of them a packet answers (RFC 792, RFC 4443).
//!
//! ```text
//! | type 8 or 128 | code 0 | checksum | identifier | sequence | payload … |
//! ```
//! The payload begins with eight bytes that nobody can guess, so that a late reply to another probe
//! is not taken for ours.

use std::net::IpAddr;

/// What stands before the payload.
pub(super) const HEAD_BYTES: usize = 8;

/// The echo requests of one probe to one address.
#[derive(Debug)]
pub(super) struct Echoes {
    types: Types,
    identifier: u16,
    sequence: u16,
    payload: Vec<u8>,
}

/// The numbers that requests and replies have in an address family.
#[derive(Clone, Copy, Debug)]
struct Types {
    request: u8,
    reply: u8,
}

/// What a packet is to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// The reply to the request with this number.
    Reply(usize),
    /// The request with this number.
    Request(usize),
    /// Neither.
    Other,
}

/// Whether the system puts its own identifier into a packet, and gives us only replies that have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Identifier {
    Ours,
    Systems,
}

impl Echoes {
    pub(super) fn new(address: IpAddr, payload_bytes: u16) -> Echoes {
        let types = match address {
            IpAddr::V4(_) => Types { request: 8, reply: 0 },
            IpAddr::V6(_) => Types { request: 128, reply: 129 },
        };
        let token: [u8; 8] = rand::random();
        let payload = token.into_iter().chain(0..=u8::MAX).cycle().take(payload_bytes.into()).collect();
        Echoes { types, identifier: rand::random(), sequence: rand::random(), payload }
    }

    /// The request with the number `index`.
    pub(super) fn request(&self, index: usize) -> Vec<u8> {
        let sequence = self.sequence.wrapping_add(u16::try_from(index).unwrap_or(u16::MAX));
        let mut packet = vec![self.types.request, 0, 0, 0];
        packet.extend(self.identifier.to_be_bytes());
        packet.extend(sequence.to_be_bytes());
        packet.extend(&self.payload);
        let sum = checksum(&packet).to_be_bytes();
        packet[2..4].copy_from_slice(&sum);
        packet
    }

    /// What `packet` is to us; of a request, only the head need be there.
    pub(super) fn meaning(&self, packet: &[u8], identifier: Identifier) -> Meaning {
        let Some((head, payload)) = packet.split_at_checked(HEAD_BYTES) else { return Meaning::Other };
        let is_ours = identifier == Identifier::Systems || head[4..6] == self.identifier.to_be_bytes();
        let index = usize::from(u16::from_be_bytes([head[6], head[7]]).wrapping_sub(self.sequence));
        match head[0] {
            kind if kind == self.types.reply && head[1] == 0 && is_ours && payload == self.payload => {
                Meaning::Reply(index)
            }
            kind if kind == self.types.request && is_ours => Meaning::Request(index),
            _ => Meaning::Other,
        }
    }
}

/// The internet checksum (RFC 1071).
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)));
    let sum = words.fold(0_u32, |sum, word| {
        let sum = sum + word;
        (sum & 0xffff) + (sum >> 16)
    });
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(echoes: &Echoes, index: usize) -> Vec<u8> {
        let mut packet = echoes.request(index);
        packet[0] = echoes.types.reply;
        packet
    }

    #[test]
    fn a_packet_with_its_checksum_sums_up_to_nothing() {
        for payload in [0, 1, 56, 1400] {
            let echoes = Echoes::new("192.0.2.1".parse().unwrap(), payload);
            assert_eq!(checksum(&echoes.request(2)), 0);
            assert_eq!(echoes.request(0).len(), HEAD_BYTES + usize::from(payload));
        }
        assert_eq!(checksum(&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn only_the_same_number_sequence_and_payload_is_a_reply() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let echoes = Echoes::new(address.parse().unwrap(), 56);
            let changed = |at: usize| {
                let mut packet = reply(&echoes, 1);
                packet[at] ^= 1;
                echoes.meaning(&packet, Identifier::Ours)
            };
            assert_eq!(echoes.meaning(&reply(&echoes, 1), Identifier::Ours), Meaning::Reply(1));
            assert_eq!(echoes.meaning(&echoes.request(1), Identifier::Ours), Meaning::Request(1));
            for (what, at) in [("code", 1), ("identifier", 4), ("token", 8), ("payload's end", 63)] {
                assert_eq!(changed(at), Meaning::Other, "{what}");
            }
            assert_ne!(changed(7), Meaning::Reply(1), "sequence");
            assert_eq!(echoes.meaning(&reply(&echoes, 1)[..63], Identifier::Ours), Meaning::Other, "shorter");
            assert_eq!(echoes.meaning(&[0; 4], Identifier::Ours), Meaning::Other);
            let mut elsewhere = reply(&echoes, 3);
            elsewhere[5] ^= 1;
            assert_eq!(echoes.meaning(&elsewhere, Identifier::Systems), Meaning::Reply(3));
        }
    }
}
