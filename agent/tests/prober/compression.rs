//! Bodies that are compressed, as told and otherwise, and those that are made to burst.

use crate::servers::read_head;
use crate::servers::serve;
use crate::{AMPLE, header, http, page, pattern, probe};
use flate2::Compression as Level;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use rules::check::{Compression, ContentRule, FailsIf, HttpOptions, HttpTarget, Look};
use rules::outcome::{Cause, Outcome};
use std::io::Write;
use std::net::SocketAddr;

const PLAIN: &[u8] =
    b"hello worldhello worldhello worldhello worldhello worldhello worldhello worldhello worldhello worldhello world";
/// [`PLAIN`], as Node's brotli writes it.
const BROTLI: &[u8] = &[
    0x1b, 0x6d, 0x00, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x55, 0x86, 0x96, 0x6c, 0x20, 0x6f, 0x35, 0x0b, 0x60, 0x15,
    0x40, 0x06, 0xc4, 0xdd, 0x01,
];

/// Twenty million zeros, as Node's brotli writes them.
const BROTLI_BOMB: &[u8] = &[
    0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x8f, 0xff, 0xff, 0x7f, 0xf0, 0x4f,
    0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0x5f, 0xfe, 0xb3, 0xc4, 0xe0, 0x9f, 0x00, 0x88, 0xc3, 0x02, 0x00, 0x5d,
    0x92, 0x18,
];

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn bare(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Level::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Level::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Serves `body` in three pieces.
fn server(body: Vec<u8>, encoding: &'static str) -> SocketAddr {
    serve(move |mut stream| {
        read_head(&mut stream);
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n");
        let mut written = stream.write_all(head.as_bytes());
        for piece in body.chunks(length.div_ceil(3).max(1)) {
            written = written.and_then(|()| stream.write_all(piece));
        }
        let _ = written;
    })
}

fn asking(address: SocketAddr, compression: Option<Compression>, body_bytes_max: u64) -> HttpTarget {
    let options = HttpOptions { compression, body_bytes_max, ..HttpOptions::default() };
    HttpTarget { options, ..page(address) }
}

#[tokio::test]
async fn a_body_is_decompressed_as_told_and_not_otherwise() {
    let check = async |body: Vec<u8>, encoding, told, expected: Result<usize, Cause>| {
        let wire = body.len();
        let mut target = asking(server(body, encoding), told, 10_000);
        if expected == Ok(PLAIN.len()) {
            let look = Look::Body(pattern("^(hello world){10}$"));
            target.content = vec![ContentRule { look, fails: FailsIf::Missing }];
        }
        let (evidence, outcome) = probe(http(target), AMPLE).await;
        let facts = evidence.http.unwrap();
        assert_eq!(outcome, expected.map_or_else(Outcome::Down, |_| Outcome::Up), "{encoding} {told:?}: {facts:?}");
        assert_eq!(facts.content_length, Some(wire as u64), "{encoding} {told:?}");
        if let Ok(length) = expected {
            assert_eq!((facts.wire_bytes, facts.body_bytes), (wire as u64, length as u64), "{encoding} {told:?}");
        }
    };
    let whole = Ok(PLAIN.len());
    check(gzip(PLAIN), "gzip", Some(Compression::Gzip), whole).await;
    check(BROTLI.to_vec(), "br", Some(Compression::Brotli), whole).await;
    check(bare(PLAIN), "deflate", Some(Compression::Deflate), whole).await;
    check(zlib(PLAIN), "deflate", Some(Compression::Deflate), whole).await;
    check(PLAIN.to_vec(), "identity", Some(Compression::Identity), whole).await;
    check(PLAIN.to_vec(), "xxx", None, whole).await;
    check(gzip(PLAIN), "gzip", None, Ok(gzip(PLAIN).len())).await;
    check(BROTLI.to_vec(), "br", None, Ok(BROTLI.len())).await;
    check(gzip(PLAIN), "gzip", Some(Compression::Deflate), Err(Cause::Protocol)).await;
    check(PLAIN.to_vec(), "identity", Some(Compression::Gzip), Err(Cause::Protocol)).await;
    check(Vec::new(), "gzip", Some(Compression::Gzip), Err(Cause::Protocol)).await;
}

#[tokio::test]
async fn a_compressed_body_that_ends_too_early_or_is_changed_is_down() {
    for (whole, compression) in [
        (gzip(PLAIN), Compression::Gzip),
        (zlib(PLAIN), Compression::Deflate),
        (bare(PLAIN), Compression::Deflate),
        (BROTLI.to_vec(), Compression::Brotli),
    ] {
        let cut = whole[..whole.len() - 3].to_vec();
        let target = asking(server(cut, "x"), Some(compression), 10_000);
        let (evidence, outcome) = probe(http(target), AMPLE).await;
        assert_eq!(outcome, Outcome::Down(Cause::Protocol), "{compression:?} {evidence:?}");
    }
    let mut changed = gzip(PLAIN);
    let checksum = changed.len() - 6;
    changed[checksum] ^= 1;
    let target = asking(server(changed, "gzip"), Some(Compression::Gzip), 10_000);
    assert_eq!(probe(http(target), AMPLE).await.1, Outcome::Down(Cause::Protocol));
}

#[tokio::test]
async fn a_bomb_ends_at_the_limit_of_what_it_would_become() {
    let zeros = vec![0; 20_000_000];
    for (bomb, compression) in [
        (gzip(&zeros), Compression::Gzip),
        (bare(&zeros), Compression::Deflate),
        (BROTLI_BOMB.to_vec(), Compression::Brotli),
    ] {
        assert!(bomb.len() < 30_000);
        let target = asking(server(bomb, "x"), Some(compression), 100_000);
        let (evidence, outcome) = probe(http(target), AMPLE).await;
        assert_eq!(outcome, Outcome::Down(Cause::TooLarge), "{compression:?}");
        assert_eq!(evidence.http.unwrap().body_bytes, 100_000);
    }
    let exact = asking(server(gzip(PLAIN), "gzip"), Some(Compression::Gzip), PLAIN.len() as u64);
    assert_eq!(probe(http(exact), AMPLE).await.1, Outcome::Up);
}

#[tokio::test]
async fn an_encoding_is_asked_for_by_name_unless_the_check_asks_itself() {
    let echo = crate::servers::reply(|head| format!("HTTP/1.1 200 OK\r\n\r\n{head}"));
    let check = async |own: Option<&str>, expected: &str| {
        let mut target = asking(echo, Some(Compression::Identity), 10_000);
        target.headers = own.map(|own| header("accept-encoding", own)).into_iter().collect();
        let look = Look::Body(pattern(expected));
        target.content = vec![ContentRule { look, fails: FailsIf::Missing }];
        assert_eq!(probe(http(target), AMPLE).await.1, Outcome::Up, "{own:?}");
    };
    check(None, r"\r\naccept-encoding: identity\r\n").await;
    check(Some("*"), r"\r\naccept-encoding: \*\r\n").await;
}
