//! The part of Protocol Buffers that blocks are made of: keys, varints, bytes and packed columns.
//!
//! Reading borrows from the bytes read and allocates nothing a value. A field that nobody asked for
//! is skipped, as the format demands. Nothing here knows what a field means.

use super::BlockError;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// The most bytes that a varint takes: 64 bits in sevens.
pub(super) const VARINT_BYTES_MAX: usize = 10;

/// How deep unknown groups may lie in one another; other readers draw the line there too.
const DEPTH_MAX: u32 = 100;

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const GROUP: u64 = 3;
const GROUP_END: u64 = 4;
const FIXED_32: u64 = 5;

/// The fields of a message, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

/// One field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    value: Value<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    /// As a number and as the bytes it was read from.
    Varint(u64, &'a [u8]),
    Bytes(&'a [u8]),
    Unasked,
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Fields<'a> {
        Fields(message)
    }

    /// The next field; nothing at the message's end.
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, BlockError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (number, kind) = self.key()?;
        let value = match kind {
            VARINT => {
                let before = self.0;
                let value = varint(&mut self.0)?;
                Value::Varint(value, &before[..before.len() - self.0.len()])
            }
            BYTES => Value::Bytes(self.bytes()?),
            _ => {
                self.skip(number, kind, DEPTH_MAX)?;
                Value::Unasked
            }
        };
        Ok(Some(Field { number, value }))
    }

    fn key(&mut self) -> Result<(u64, u64), BlockError> {
        let key = varint(&mut self.0)?;
        if key < 8 || u64::from(u32::MAX) < key {
            return Err(BlockError::Payload("a field has an impossible number"));
        }
        Ok((key / 8, key % 8))
    }

    fn bytes(&mut self) -> Result<&'a [u8], BlockError> {
        let length = varint(&mut self.0)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], BlockError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(BlockError::Payload("a field is cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn skip(&mut self, number: u64, kind: u64, depth: u32) -> Result<(), BlockError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(BlockError::Payload("its groups lie too deep in one another"));
        };
        match kind {
            VARINT => varint(&mut self.0).map(drop),
            FIXED_64 => self.take(8).map(drop),
            BYTES => self.bytes().map(drop),
            FIXED_32 => self.take(4).map(drop),
            GROUP => loop {
                match self.key()? {
                    (inner, GROUP_END) if inner == number => break Ok(()),
                    (inner, kind) => self.skip(inner, kind, depth)?,
                }
            },
            _ => Err(BlockError::Payload("a field is of no known kind")),
        }
    }
}

const OTHER_KIND: BlockError = BlockError::Payload("a field is of another kind than it should be");

impl<'a> Field<'a> {
    pub(super) fn uint(self) -> Result<u64, BlockError> {
        match self.value {
            Value::Varint(value, _) => Ok(value),
            Value::Bytes(_) | Value::Unasked => Err(OTHER_KIND),
        }
    }

    pub(super) fn uint32(self) -> Result<u32, BlockError> {
        self.uint().map(cut)
    }

    pub(super) fn sint(self) -> Result<i64, BlockError> {
        self.uint().map(unzigzag)
    }

    pub(super) fn bytes(self) -> Result<&'a [u8], BlockError> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Varint(..) | Value::Unasked => Err(OTHER_KIND),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, BlockError> {
        core::str::from_utf8(self.bytes()?).map_err(|_| BlockError::Payload("a name is not UTF-8"))
    }
}

/// A repeated number: its varints, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Column<'a>(Cow<'a, [u8]>);

impl<'a> Column<'a> {
    /// Adds what `field` has of it: usually all, packed; but a writer may give it in pieces, and
    /// each number as a field of its own.
    pub(super) fn extend(&mut self, field: Field<'a>) -> Result<(), BlockError> {
        let piece = match field.value {
            Value::Bytes(packed) => packed,
            Value::Varint(_, bytes) => bytes,
            Value::Unasked => return Err(OTHER_KIND),
        };
        if piece.last().is_some_and(|byte| 0x80 <= *byte) {
            return Err(BlockError::Payload("a column ends within a number"));
        }
        if self.0.is_empty() {
            self.0 = Cow::Borrowed(piece);
        } else {
            self.0.to_mut().extend_from_slice(piece);
        }
        Ok(())
    }

    /// How many numbers it has: the last byte of each, and no other, is less than 0x80.
    pub(super) fn len(&self) -> usize {
        self.0.iter().filter(|byte| **byte < 0x80).count()
    }

    pub(super) fn numbers(&self) -> Numbers<'_> {
        Numbers(&self.0)
    }
}

/// What is left to read of a column.
#[derive(Clone, Debug)]
pub(super) struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn uint(&mut self) -> Result<u64, BlockError> {
        varint(&mut self.0)
    }

    pub(super) fn uint32(&mut self) -> Result<u32, BlockError> {
        self.uint().map(cut)
    }

    #[inline]
    pub(super) fn sint(&mut self) -> Result<i64, BlockError> {
        self.uint().map(unzigzag)
    }
}

/// Takes a varint off the front of `bytes`.
#[inline]
pub(super) fn varint(bytes: &mut &[u8]) -> Result<u64, BlockError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(VARINT_BYTES_MAX).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            if index + 1 == VARINT_BYTES_MAX && 1 < *byte {
                break;
            }
            *bytes = &bytes[index + 1..];
            return Ok(value);
        }
    }
    Err(BlockError::Payload("a number is cut short or longer than 64 bits"))
}

/// A number of 32 bits that was written longer is cut, as the format demands.
fn cut(value: u64) -> u32 {
    value as u32
}

/// Signed numbers are written with the sign last, so that small ones are short.
fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// A message or a column being written. Fields of zero or no length are left out, as readers expect.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    pub(super) fn uint(&mut self, number: u64, value: u64) {
        if value != 0 {
            self.push(number * 8 + VARINT);
            self.push(value);
        }
    }

    pub(super) fn sint(&mut self, number: u64, value: i64) {
        self.uint(number, zigzag(value));
    }

    pub(super) fn text(&mut self, number: u64, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    /// A message within; it is written even if it is empty.
    pub(super) fn message(&mut self, number: u64, inner: &Message) {
        self.bytes(number, &inner.0);
    }

    /// A repeated number, of which `column` has the varints; it is empty afterwards.
    pub(super) fn packed(&mut self, number: u64, column: &mut Message) {
        if !column.0.is_empty() {
            self.bytes(number, &column.0);
            column.0.clear();
        }
    }

    fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.push(number * 8 + BYTES);
        self.push(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A bare varint.
    #[inline]
    pub(super) fn push(&mut self, mut value: u64) {
        while 0x80 <= value {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    #[inline]
    pub(super) fn push_signed(&mut self, value: i64) {
        self.push(zigzag(value));
    }
}
