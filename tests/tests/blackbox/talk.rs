//! Servers that hold a dialog in lines, by the port they listen on.

use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// What a server says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Talk {
    /// A banner, then whatever comes is taken.
    Ssh,
    /// Names are asked for, then a ping must be answered.
    Irc,
    /// A banner of several lines.
    Pop3,
    /// Nothing, and stays.
    Silent,
    /// Nothing, and leaves.
    Leaves,
    /// A greeting, and TLS when asked for it.
    Smtp,
    /// What comes is said back.
    Echo,
}

/// Talks to one visitor; whatever goes wrong is the visitor's affair.
pub(crate) async fn serve(stream: TcpStream, talk: Talk, secured: Arc<ServerConfig>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    match talk {
        Talk::Ssh => {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").await;
            let _ = stream.read_line(&mut line).await;
        }
        Talk::Irc => {
            let _ = stream.read_line(&mut line).await;
            let _ = stream.read_line(&mut line).await;
            let _ = stream.write_all(b":irc NOTICE * :looking\r\nPING :12345\r\n").await;
            line.clear();
            let _ = stream.read_line(&mut line).await;
            let said: &[u8] =
                if line.trim_end() == "PONG 12345" { b":irc 001 prober :Welcome\r\n" } else { b":irc 451\r\n" };
            let _ = stream.write_all(said).await;
        }
        Talk::Pop3 => {
            let _ = stream.write_all(b"-ERR first\r\n+OK ready\r\n").await;
        }
        Talk::Silent => std::future::pending().await,
        Talk::Leaves => {}
        Talk::Smtp => {
            let _ = stream.write_all(b"220 mail ESMTP\r\n").await;
            let _ = stream.read_line(&mut line).await;
            let _ = stream.write_all(b"250-mail\r\n250-STARTTLS\r\n250 DSN\r\n").await;
            let _ = stream.read_line(&mut line).await;
            let _ = stream.write_all(b"220 go on\r\n").await;
            let Ok(mut secured) = TlsAcceptor::from(secured).accept(stream.into_inner()).await else { return };
            let mut heard = [0; 64];
            let _ = secured.read(&mut heard).await;
            let _ = secured.write_all(b"250 secured\r\n").await;
            let _ = secured.flush().await;
            let _ = secured.read(&mut heard).await;
        }
        Talk::Echo => {
            while stream.read_line(&mut line).await.is_ok_and(|length| length != 0) {
                let _ = stream.write_all(line.as_bytes()).await;
                line.clear();
            }
        }
    }
}
