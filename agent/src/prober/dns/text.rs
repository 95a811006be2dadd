//! A record as a line of text, letter for letter as miekg/dns prints it, for patterns were written
//! for that: `example.com.\t3600\tIN\tA\t192.0.2.1`.
//!
//! Types that it does not know are written as numbers and hexadecimal digits (RFC 3597). A text longer
//! than [`TEXT_BYTES_MAX`] is refused: no record that people make comes near it.

use super::record::{Malformed, Rdata, Record};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hickory_resolver::proto::rr::Name;
use rules::check::{QueryClass, QueryType};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest text of one record.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Appends `record` to `out`.
pub(crate) fn write(record: &Record<'_>, out: &mut String) -> Result<(), Malformed> {
    let mut line = Line { out, is_first: true };
    let mut rdata = record.rdata()?;
    write_name(line.out, &record.name);
    let (class, kind) = (QueryClass(record.class), QueryType(record.kind));
    if is_known(record.kind) {
        put(line.out, format_args!("\t{}\t{class}\t{kind}\t", record.ttl));
        line.fields(record.kind, &mut rdata)?;
    } else {
        let bytes = rdata.rest()?;
        put(line.out, format_args!("\t{}\tCLASS{}\tTYPE{}\t\\# {} ", record.ttl, class.0, kind.0, bytes.len()));
        hex(line.out, bytes)?;
    }
    if rdata.left() != 0 {
        return Err(Malformed("a record is longer than its fields".to_owned()));
    }
    within(line.out)
}

/// Whether [`Line::fields`] can write records of the type.
fn is_known(kind: u16) -> bool {
    matches!(kind, 1..=9 | 12..=21 | 28 | 33 | 35 | 36 | 39 | 43 | 44 | 46 | 48 | 52 | 53 | 56 | 59 | 60 | 61 | 64 | 65 | 99 | 256 | 257 | 258 | 32769)
}

/// The fields of a record, with a space between two.
struct Line<'o> {
    out: &'o mut String,
    is_first: bool,
}

impl Line<'_> {
    /// The data of a record of the type `kind`.
    fn fields(&mut self, kind: u16, rdata: &mut Rdata<'_>) -> Result<(), Malformed> {
        match kind {
            1 => self.field(Ipv4Addr::from(rdata.u32()?)),
            28 => self.field(Ipv6Addr::from(<[u8; 16]>::try_from(rdata.bytes(16)?).unwrap_or_default())),
            // One name: NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME.
            2..=5 | 7..=9 | 12 | 39 => self.name(rdata)?,
            // Two names: MINFO, RP.
            14 | 17 => {
                self.name(rdata)?;
                self.name(rdata)?;
            }
            // A number and a name: MX, AFSDB, RT, KX.
            15 | 18 | 21 | 36 => {
                self.field(rdata.u16()?);
                self.name(rdata)?;
            }
            6 => self.soa(rdata)?,
            33 => {
                for _ in 0..3 {
                    self.field(rdata.u16()?);
                }
                self.name(rdata)?;
            }
            35 => self.naptr(rdata)?,
            // Texts: HINFO, TXT, X25, ISDN, NINFO, SPF, AVC.
            13 | 16 | 19 | 20 | 56 | 99 | 258 => {
                while rdata.left() != 0 {
                    self.quoted(rdata.string()?)?;
                }
            }
            // A key's or certificate's digest: DS, CDS, DLV, SSHFP, TLSA, SMIMEA.
            43 | 59 | 32769 => {
                self.field(rdata.u16()?);
                self.digest(2, rdata, Letters::Capital)?;
            }
            44 => self.digest(2, rdata, Letters::Capital)?,
            52 | 53 => self.digest(3, rdata, Letters::Small)?,
            // Keys: DNSKEY, CDNSKEY, OPENPGPKEY.
            48 | 60 => {
                self.field(rdata.u16()?);
                self.field(rdata.u8()?);
                self.field(rdata.u8()?);
                self.field(STANDARD.encode(rdata.rest()?));
            }
            61 => self.field(STANDARD.encode(rdata.rest()?)),
            46 => self.rrsig(rdata)?,
            64 | 65 => self.svcb(rdata)?,
            256 => {
                self.field(rdata.u16()?);
                self.field(rdata.u16()?);
                self.quoted(rdata.rest()?)?;
            }
            257 => {
                self.field(rdata.u8()?);
                let tag = rdata.string()?;
                self.field(String::from_utf8_lossy(tag));
                self.quoted(rdata.rest()?)?;
            }
            _ => return Err(Malformed(format!("records of type {kind} have no text"))),
        }
        within(self.out)
    }

    fn soa(&mut self, rdata: &mut Rdata<'_>) -> Result<(), Malformed> {
        self.name(rdata)?;
        self.name(rdata)?;
        for _ in 0..5 {
            self.field(rdata.u32()?);
        }
        Ok(())
    }

    fn naptr(&mut self, rdata: &mut Rdata<'_>) -> Result<(), Malformed> {
        self.field(rdata.u16()?);
        self.field(rdata.u16()?);
        for _ in 0..3 {
            self.quoted(rdata.string()?)?;
        }
        self.name(rdata)
    }

    fn rrsig(&mut self, rdata: &mut Rdata<'_>) -> Result<(), Malformed> {
        self.field(QueryType(rdata.u16()?));
        self.field(rdata.u8()?);
        self.field(rdata.u8()?);
        self.field(rdata.u32()?);
        self.instant(rdata.u32()?);
        self.instant(rdata.u32()?);
        self.field(rdata.u16()?);
        self.name(rdata)?;
        self.field(STANDARD.encode(rdata.rest()?));
        Ok(())
    }

    /// Seconds since 1970 as `20261122023000`.
    fn instant(&mut self, seconds: u32) {
        match jiff::Timestamp::from_second(i64::from(seconds)) {
            Ok(instant) => self.field(instant.strftime("%Y%m%d%H%M%S")),
            Err(_) => self.field(seconds),
        }
    }

    /// SVCB and HTTPS: a priority, a name, and parameters as `key="value"`.
    fn svcb(&mut self, rdata: &mut Rdata<'_>) -> Result<(), Malformed> {
        self.field(rdata.u16()?);
        self.name(rdata)?;
        while rdata.left() != 0 {
            let key = rdata.u16()?;
            let length = rdata.u16()?;
            let value = parameter(key, rdata.bytes(usize::from(length))?)?;
            self.field(format_args!("{}=\"{value}\"", parameter_name(key)));
            within(self.out)?;
        }
        Ok(())
    }

    /// `numbers` numbers of a byte each, and the rest in hexadecimal digits.
    fn digest(&mut self, numbers: usize, rdata: &mut Rdata<'_>, letters: Letters) -> Result<(), Malformed> {
        for _ in 0..numbers {
            self.field(rdata.u8()?);
        }
        self.space();
        let start = self.out.len();
        hex(self.out, rdata.rest()?)?;
        if letters == Letters::Capital {
            self.out[start..].make_ascii_uppercase();
        }
        Ok(())
    }

    fn name(&mut self, rdata: &mut Rdata<'_>) -> Result<(), Malformed> {
        let name = rdata.name()?;
        self.space();
        write_name(self.out, &name);
        Ok(())
    }

    fn quoted(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.space();
        self.out.push('"');
        for &byte in bytes {
            escape(self.out, byte, b"\"\\");
        }
        self.out.push('"');
        within(self.out)
    }

    fn field(&mut self, field: impl std::fmt::Display) {
        self.space();
        put(self.out, format_args!("{field}"));
    }

    fn space(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(' ');
        }
    }
}

/// How the digits above nine are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    Capital,
    Small,
}

fn parameter_name(key: u16) -> String {
    let known = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];
    known.get(usize::from(key)).map_or_else(|| format!("key{key}"), |name| (*name).to_owned())
}

/// The value of a service parameter, without its quotes.
fn parameter(key: u16, value: &[u8]) -> Result<String, Malformed> {
    let joined = |parts: Vec<String>| parts.join(",");
    Ok(match key {
        0 => joined(
            value
                .chunks(2)
                .map(|key| parameter_name(key.iter().fold(0, |key, byte| key << 8 | u16::from(*byte))))
                .collect(),
        ),
        1 => {
            let mut out = String::new();
            let mut rest = value;
            while let Some((&length, after)) = rest.split_first() {
                let (name, after) = after
                    .split_at_checked(usize::from(length))
                    .ok_or_else(|| Malformed("a protocol's name is longer than its field".to_owned()))?;
                if !out.is_empty() {
                    out.push(',');
                }
                name.iter().for_each(|&byte| escape(&mut out, byte, b"\"\\,"));
                rest = after;
            }
            out
        }
        3 if value.len() == 2 => u16::from_be_bytes([value[0], value[1]]).to_string(),
        4 => joined(
            value
                .chunks(4)
                .filter_map(|part| <[u8; 4]>::try_from(part).ok())
                .map(|part| Ipv4Addr::from(part).to_string())
                .collect(),
        ),
        5 => STANDARD.encode(value),
        6 => joined(
            value
                .chunks(16)
                .filter_map(|part| <[u8; 16]>::try_from(part).ok())
                .map(|part| Ipv6Addr::from(part).to_string())
                .collect(),
        ),
        _ => {
            let mut out = String::new();
            value.iter().for_each(|&byte| escape(&mut out, byte, b"\"\\"));
            out
        }
    })
}

/// A name with its last dot, and what has a meaning in zone files escaped.
fn write_name(out: &mut String, name: &Name) {
    if name.is_root() {
        out.push('.');
    }
    for label in name.iter() {
        for &byte in label {
            escape(out, byte, b". '@;()\"\\");
        }
        out.push('.');
    }
}

/// A byte, behind a backslash if it is one of `special`, as three digits if it is no printable letter.
fn escape(out: &mut String, byte: u8, special: &[u8]) {
    match byte {
        _ if special.contains(&byte) => out.extend(['\\', char::from(byte)]),
        b' '..=b'~' => out.push(char::from(byte)),
        _ => put(out, format_args!("\\{byte:03}")),
    }
}

fn hex(out: &mut String, bytes: &[u8]) -> Result<(), Malformed> {
    if TEXT_BYTES_MAX < out.len() + 2 * bytes.len() {
        return Err(too_long());
    }
    bytes.iter().for_each(|byte| put(out, format_args!("{byte:02x}")));
    Ok(())
}

fn within(out: &str) -> Result<(), Malformed> {
    if TEXT_BYTES_MAX < out.len() { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> Malformed {
    Malformed(format!("the text of a record is longer than {TEXT_BYTES_MAX} bytes"))
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a text can't fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::serialize::binary::BinDecoder;

    /// The line of a record of `example.com.` with the type `kind` and the data `rdata`.
    fn line(kind: u16, rdata: &[u8]) -> Result<String, Malformed> {
        let mut message = b"\x07example\x03com\0".to_vec();
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 14, 16]);
        message.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
        message.extend(rdata);
        let record = Record::read(&mut BinDecoder::new(&message), &message)?;
        let mut out = String::new();
        write(&record, &mut out).map(|()| out)
    }

    #[test]
    fn records_read_as_miekg_dns_prints_them() {
        let check = |kind: u16, rdata: &[u8], word: &str, data: &str| {
            assert_eq!(line(kind, rdata).unwrap(), format!("example.com.\t3600\tIN\t{word}\t{data}"));
        };
        check(1, &[127, 0, 0, 1], "A", "127.0.0.1");
        check(28, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "AAAA", "::1");
        // A pointer to the owner's name at byte 0.
        check(2, b"\x02ns\xc0\x00", "NS", "ns.example.com.");
        check(5, b"\xc0\x00", "CNAME", "example.com.");
        check(12, b"\0", "PTR", ".");
        check(15, b"\x00\x0a\x04mail\xc0\x00", "MX", "10 mail.example.com.");
        check(
            6,
            b"\x02ns\xc0\x00\x03noc\xc0\x00\0\0\x03\xe8\0\0\x1c\x20\0\0\x0e\x10\0\x12\x75\0\0\0\x0e\x10",
            "SOA",
            "ns.example.com. noc.example.com. 1000 7200 3600 1209600 3600",
        );
        check(16, b"\x07a \"b\\\x01\xff\x03two", "TXT", r#""a \"b\\\001\255" "two""#);
        check(33, b"\0\x01\0\x02\x01\xbb\xc0\x00", "SRV", "1 2 443 example.com.");
        check(35, b"\0\x01\0\x02\x01u\x07E2U+sip\x03!a!\0", "NAPTR", r#"1 2 "u" "E2U+sip" "!a!" ."#);
        check(257, b"\0\x05issueca.example", "CAA", r#"0 issue "ca.example""#);
        check(43, &[1, 2, 8, 2, 0xab, 0xcd], "DS", "258 8 2 ABCD");
        check(44, &[1, 2, 0xab], "SSHFP", "1 2 AB");
        check(52, &[3, 1, 1, 0xab], "TLSA", "3 1 1 ab");
        check(48, &[1, 1, 3, 13, 1, 2, 3], "DNSKEY", "257 3 13 AQID");
        check(
            46,
            b"\0\x01\x0d\x02\0\0\x0e\x10\x65\x53\xf1\x00\x65\x53\xf1\x01\x01\x02\x03com\0\x01\x02\x03",
            "RRSIG",
            "A 13 2 3600 20231114221320 20231114221321 258 com. AQID",
        );
        check(
            65,
            b"\0\x01\0\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\x01\xbb\0\x04\0\x04\x01\x02\x03\x04",
            "HTTPS",
            r#"1 . alpn="h2,h3" port="443" ipv4hint="1.2.3.4""#,
        );
    }

    #[test]
    fn a_type_without_a_form_is_written_in_digits() {
        assert_eq!(line(65280, &[1, 0xab]).unwrap(), "example.com.\t3600\tCLASS1\tTYPE65280\t\\# 2 01ab");
        assert_eq!(line(29, &[]).unwrap(), "example.com.\t3600\tCLASS1\tTYPE29\t\\# 0 ");
    }

    #[test]
    fn what_could_end_a_name_or_a_field_is_escaped() {
        assert_eq!(line(5, b"\x05a.b \x1b\x01\xc0\0").unwrap(), "example.com.\t3600\tIN\tCNAME\ta\\.b\\ \\027.\\192.");
    }

    #[test]
    fn data_that_does_not_fit_its_type_is_refused() {
        for (kind, rdata) in [
            (1, &[1, 2, 3][..]),
            (1, &[1, 2, 3, 4, 5]),
            (28, &[0; 15]),
            (15, &[0, 1]),
            (16, &[5, 1]),
            (65, &[0, 1, 0, 0, 1, 0, 9]),
        ] {
            assert!(line(kind, rdata).is_err(), "{kind} {rdata:?}");
        }
        let long = [[255].as_slice(), &[1; 255]].concat().repeat(250);
        assert!(line(16, &long).unwrap_err().0.contains("longer than 65536 bytes"));
    }
}
