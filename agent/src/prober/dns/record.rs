//! One record of a message: its head, and its data field by field.
//!
//! Nothing here is kept; every field is read out of the message, and no field reaches beyond the
//! record's own length.

use hickory_resolver::proto::ProtoError;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder, DecodeError};

/// Why a message can't be read.
#[derive(Debug)]
pub(crate) struct Malformed(pub(crate) String);

impl From<DecodeError> for Malformed {
    fn from(error: DecodeError) -> Malformed {
        Malformed(error.to_string())
    }
}

impl From<ProtoError> for Malformed {
    fn from(error: ProtoError) -> Malformed {
        Malformed(error.to_string())
    }
}

/// A record as it stands in a message.
pub(crate) struct Record<'a> {
    pub(crate) name: Name,
    pub(crate) kind: u16,
    pub(crate) class: u16,
    pub(crate) ttl: u32,
    message: &'a [u8],
    start: usize,
    end: usize,
}

impl<'a> Record<'a> {
    /// Reads the record that `decoder`, which reads `message`, stands before.
    pub(crate) fn read(decoder: &mut BinDecoder<'a>, message: &'a [u8]) -> Result<Record<'a>, Malformed> {
        let name = Name::read(decoder)?;
        let kind = decoder.read_u16()?.unverified(/* any number is a type */);
        let class = decoder.read_u16()?.unverified(/* any number is a class */);
        let ttl = decoder.read_u32()?.unverified(/* any number is a time */);
        let length = usize::from(decoder.read_u16()?.unverified(/* read_slice verifies it */));
        let start = decoder.index();
        decoder.read_slice(length)?;
        Ok(Record { name, kind, class, ttl, message, start, end: start + length })
    }

    /// Its data from the first field on.
    pub(crate) fn rdata(&self) -> Result<Rdata<'a>, Malformed> {
        let start = u16::try_from(self.start).map_err(|_| Malformed("the message is too long".to_owned()))?;
        Ok(Rdata { decoder: BinDecoder::new(self.message).clone(start), end: self.end })
    }
}

/// The data of a record, field by field.
pub(crate) struct Rdata<'a> {
    decoder: BinDecoder<'a>,
    end: usize,
}

impl<'a> Rdata<'a> {
    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.bytes(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.bytes(4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A name, which may point to what came before in the message.
    pub(crate) fn name(&mut self) -> Result<Name, Malformed> {
        let name = Name::read(&mut self.decoder)?;
        if self.end < self.decoder.index() {
            return Err(Malformed("a name is longer than its record".to_owned()));
        }
        Ok(name)
    }

    /// `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        if self.left() < length {
            return Err(Malformed("a field is longer than its record".to_owned()));
        }
        Ok(self.decoder.read_slice(length)?.unverified(/* its meaning is its reader's */))
    }

    /// Bytes with their number before them.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u8()?;
        self.bytes(usize::from(length))
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> Result<&'a [u8], Malformed> {
        self.bytes(self.left())
    }

    pub(crate) fn left(&self) -> usize {
        self.end.saturating_sub(self.decoder.index())
    }

    /// Of a zone's start: its serial number.
    pub(crate) fn serial(&mut self) -> Result<u32, Malformed> {
        self.name()?;
        self.name()?;
        self.u32()
    }
}
