//! A name server whose answers are in the name that is asked for: `count` records, a code, a zone, a delay.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// Answers datagrams for ever.
pub(crate) async fn serve_datagrams(socket: UdpSocket) {
    let mut buffer = [0; 1500];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { return };
        if let Some(answer) = answer(&buffer[..length], Way::Datagram) {
            let _ = socket.send_to(&answer, from as SocketAddr).await;
        }
    }
}

/// Answers the questions of one visitor.
pub(crate) async fn serve(mut stream: TcpStream) {
    loop {
        let Ok(length) = stream.read_u16().await else { return };
        let mut question = vec![0; usize::from(length)];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        let Some(answer) = answer(&question, Way::Stream) else { return std::future::pending().await };
        let _ = stream.write_u16(u16::try_from(answer.len()).unwrap()).await;
        let _ = stream.write_all(&answer).await;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Datagram,
    Stream,
}

/// Sections and code by the name's first label.
fn answer(question: &[u8], way: Way) -> Option<Vec<u8>> {
    let (name_end, label) = name(question)?;
    let (qtype, end) = (u16::from_be_bytes([question[name_end], question[name_end + 1]]), name_end + 4);
    let a = |last: u8| record(1, &[127, 0, 0, last]);
    let (mut code, mut flags, mut answers, mut authority, mut additional) = (0, 0x8180_u16, vec![], vec![], vec![]);
    match label.as_str() {
        "one" => answers.push(a(1)),
        "two" => answers.extend([a(1), a(2)]),
        "soa" if qtype == 6 => answers.push(record(6, &soa())),
        "soa" => answers.push(a(1)),
        "full" => {
            answers.push(a(1));
            authority.push(record(2, b"\x02ns\x07example\x00"));
            additional.push(a(9));
        }
        "delegated" => {
            flags = 0x8100;
            authority.push(record(2, b"\x02ns\x07example\x00"));
            additional.push(a(9));
        }
        "none" => {}
        "missing" => code = 3,
        "broken" => code = 2,
        "refused" => code = 5,
        "cut" if way == Way::Datagram => flags |= 0x0200,
        "cut" => answers.extend([a(1), a(2), a(3)]),
        _ => return None,
    }
    let count = |records: &[Vec<u8>]| u16::try_from(records.len()).unwrap().to_be_bytes();
    let mut out = question[..2].to_vec();
    out.extend((flags | code).to_be_bytes());
    out.extend([0, 1]);
    out.extend(count(&answers).into_iter().chain(count(&authority)).chain(count(&additional)));
    out.extend(&question[12..end]);
    out.extend(answers.iter().chain(&authority).chain(&additional).flatten());
    Some(out)
}

/// Where the question's name ends, and its first label.
fn name(question: &[u8]) -> Option<(usize, String)> {
    let mut at = 12;
    let first = usize::from(*question.get(at)?);
    let label = String::from_utf8_lossy(question.get(13..13 + first)?).to_ascii_lowercase();
    while *question.get(at)? != 0 {
        at += 1 + usize::from(question[at]);
    }
    Some((at + 1, label))
}

/// A record of the name that was asked for.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut record = vec![0xc0, 12];
    record.extend(kind.to_be_bytes());
    record.extend([0, 1, 0, 0, 0x0e, 0x10]);
    record.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    record.extend(data);
    record
}

fn soa() -> Vec<u8> {
    let mut data = b"\x02ns\x07example\x00\x04root\x07example\x00".to_vec();
    for number in [2_026_112_201_u32, 7200, 3600, 1_209_600, 300] {
        data.extend(number.to_be_bytes());
    }
    data
}
