//! Through a proxy to a place behind it: by `CONNECT` (RFC 9110, section 9.3.6) or by SOCKS 5
//! (RFC 1928 and 1929).
//!
//! It belongs to the phase connect. A proxy that says no is no way there: whether the target is well is
//! not known.

use super::credentials::basic;
use super::line::Stream;
use super::proxy::{Server, authority};
use crate::prober::trace::{Break, fault_of};
use rules::check::Secret;
use rules::evidence::Fault;
use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The largest head of a proxy's answer.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Asks the proxy at the other end of `stream` for a way to `host` and `port`, by `CONNECT`.
pub(super) async fn connect(
    stream: &mut impl Stream,
    proxy: &Server,
    (host, port): (&str, u16),
    headers: &[(String, Secret)],
) -> Result<(), Break> {
    let to = authority(host, port);
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: {}\r\n", daemon::version::USER_AGENT);
    if let Some((user, password)) = &proxy.who {
        request.push_str(&format!("Proxy-Authorization: {}\r\n", basic(user.expose(), password.expose())));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {}\r\n", value.expose()));
    }
    request.push_str("\r\n");
    let cut = |error: io::Error| broken(proxy, &error);
    stream.write_all(request.as_bytes()).await.map_err(cut)?;
    let mut head = Vec::new();
    // The target speaks only when it is spoken to: nothing of it can follow the head.
    while !head.ends_with(b"\r\n\r\n") {
        if HEAD_BYTES_MAX <= head.len() {
            return Err(refused(proxy, "its answer's head is too large"));
        }
        if stream.read_buf(&mut head).await.map_err(cut)? == 0 {
            return Err(cut(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or(b"")).into_owned();
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    match status {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => Err(refused(proxy, &format!("it answers `{line}` to CONNECT {to}"))),
    }
}

/// As [`connect`], by SOCKS 5.
pub(super) async fn socks5(stream: &mut impl Stream, proxy: &Server, (host, port): (&str, u16)) -> Result<(), Break> {
    let cut = |error: io::Error| broken(proxy, &error);
    let offered: &[u8] = if proxy.who.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(offered).await.map_err(cut)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(cut)?;
    match (chosen, &proxy.who) {
        ([5, 0], _) => {}
        ([5, 2], Some((user, password))) => {
            let mut who = vec![1];
            push_short(&mut who, user.expose(), proxy)?;
            push_short(&mut who, password.expose(), proxy)?;
            stream.write_all(&who).await.map_err(cut)?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await.map_err(cut)?;
            if answer[1] != 0 {
                return Err(refused(proxy, "it does not know the user"));
            }
        }
        _ => return Err(refused(proxy, "it takes none of the ways to say who asks")),
    }
    let mut request = vec![5, 1, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => request.extend([&[1][..], &address.octets()].concat()),
        Ok(IpAddr::V6(address)) => request.extend([&[4][..], &address.octets()].concat()),
        Err(_) => {
            request.push(3);
            push_short(&mut request, host, proxy)?;
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await.map_err(cut)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.map_err(cut)?;
    if answer[..2] != [5, 0] {
        return Err(refused(proxy, reply(answer[1])));
    }
    // The address that it connects from, which is of no use.
    let rest = match answer[3] {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await.map_err(cut)?),
    };
    let mut bound = vec![0; rest + 2];
    stream.read_exact(&mut bound).await.map_err(cut)?;
    Ok(())
}

fn push_short(message: &mut Vec<u8>, text: &str, proxy: &Server) -> Result<(), Break> {
    let too_long = |_| refused(proxy, "a name or password is longer than the 255 bytes that SOCKS allows");
    message.push(u8::try_from(text.len()).map_err(too_long)?);
    message.extend_from_slice(text.as_bytes());
    Ok(())
}

fn reply(code: u8) -> &'static str {
    match code {
        2 => "its rules forbid it",
        3 => "it finds the network unreachable",
        4 => "it finds the host unreachable",
        5 => "it finds the connection refused",
        6 => "its packet's time to live ran out",
        _ => "it says no",
    }
}

fn refused(proxy: &Server, why: &str) -> Break {
    Break::new(Fault::Unreachable, &format!("the proxy {} makes no way to the target: {why}", proxy.place()))
}

fn broken(proxy: &Server, error: &io::Error) -> Break {
    let fault = fault_of(error).unwrap_or(Fault::Unnamed);
    Break::new(fault, &format!("the proxy {}: {error}", proxy.place()))
}
