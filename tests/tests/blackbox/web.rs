//! A web server that answers each path as its table says, byte by byte, over plain text or TLS.

use std::io::Write as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What an `Authorization` must be.
const BASIC: &str = "authorization: basic dtpw"; // u:p
const BEARER: &str = "authorization: bearer t0ken";

/// Reads one request and answers it.
pub(crate) async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let Some((head, body)) = request(&mut stream).await else { return };
    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
    match path.as_str() {
        "/silent" => return std::future::pending().await,
        "/stall" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345").await;
            let _ = stream.flush().await;
            return std::future::pending().await;
        }
        "/cut" => return,
        _ => {}
    }
    let _ = stream.write_all(&answer(&path, &head, &body)).await;
    let _ = stream.flush().await;
    let _ = stream.shutdown().await;
}

/// The head, in lower case but for its first line, and the body.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => bytes.extend_from_slice(&more[..length]),
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let (first, rest) = text.split_once("\r\n")?;
    let head = format!("{first}\r\n{}", rest.to_ascii_lowercase());
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let mut body = bytes[end..].to_vec();
    while body.len() < length.unwrap_or(0) {
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => break,
            Ok(length) => body.extend_from_slice(&more[..length]),
        }
    }
    Some((head, body))
}

fn answer(path: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let has = |what: &str| head.contains(what);
    let guarded =
        |is_right: bool| if is_right { page("200 OK", "", b"in") } else { page("401 Unauthorized", "", b"out") };
    match path.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        ["status", code] => page(&format!("{code} Told"), "", b"told"),
        ["bare", code] => format!("HTTP/1.1 {code} Told\r\n\r\n").into_bytes(),
        ["redirect", "0"] => page("200 OK", "", b"arrived"),
        ["redirect", count] => {
            let next = count.parse::<u32>().map_or(0, |count| count - 1);
            page("302 Found", &format!("Location: /redirect/{next}\r\n"), b"")
        }
        ["loop"] => page("302 Found", "Location: /loop\r\n", b""),
        ["moved", code] => page(&format!("{code} Moved"), "Location: /ok\r\n", b"moved"),
        ["nowhere"] => page("302 Found", "", b"nowhere"),
        ["away"] => page("302 Found", "Location: http://127.0.0.1:1/\r\n", b""),
        ["cookie"] => page("302 Found", "Set-Cookie: a=b; Path=/\r\nLocation: /need-cookie\r\n", b""),
        ["need-cookie"] => guarded(has("cookie: a=b")),
        ["basic"] => guarded(has(BASIC)),
        ["bearer"] => guarded(has(BEARER)),
        ["host"] => guarded(has("host: shop.example\r\n")),
        ["agent"] => guarded(has("user-agent: probe/1")),
        ["default-agent"] => guarded(has("user-agent: blackbox")),
        ["header"] => guarded(has("x-key: value")),
        ["post"] => guarded(head.starts_with("POST ") && body == b"a=1"),
        ["put"] => guarded(head.starts_with("PUT ")),
        ["head"] => b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".to_vec(),
        ["json"] => page("200 OK", "Content-Type: application/json\r\n", br#"{"status":"ok","n":3}"#),
        ["headers"] => page(
            "200 OK",
            "Content-Type: text/html\r\nX-Empty:\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
            b"h",
        ),
        ["modified-badly"] => page("200 OK", "Last-Modified: yesterday\r\n", b"h"),
        ["old"] => b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold".to_vec(),
        ["open-end"] => b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end".to_vec(),
        ["chunked"] => {
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n".to_vec()
        }
        ["short"] => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".to_vec(),
        ["garbage"] => b"SSH-2.0-garbage\r\n\r\n".to_vec(),
        ["large"] => page("200 OK", "", &[b'x'; 100_000]),
        ["gzip"] => page("200 OK", "Content-Encoding: gzip\r\n", &gzip(b"unpacked text of some length")),
        ["gzip-large"] => page("200 OK", "Content-Encoding: gzip\r\n", &gzip(&[b'x'; 100_000])),
        ["deflate"] => page("200 OK", "Content-Encoding: deflate\r\n", &deflate(b"unpacked text of some length")),
        ["not-gzip"] => page("200 OK", "Content-Encoding: gzip\r\n", b"plain"),
        ["unknown-encoding"] => page("200 OK", "Content-Encoding: zstd\r\n", b"whatever"),
        _ => page("200 OK", "", b"welcome to the shop"),
    }
}

fn page(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut page = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    page.extend_from_slice(body);
    page
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}
