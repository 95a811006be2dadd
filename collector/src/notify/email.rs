//! E-mail by SMTP: secured by TLS from the first byte or by STARTTLS, in plain text on this machine only.
//!
//! A message's `Message-ID` is made from its key, so that a receiver and a reader can tell a second copy;
//! all mails about one incident are one thread.

use super::http::SendError;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use reqwest::Url;
use rules::check::Secret;
use rules::time::Timestamp;
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime};

/// How long the server may take for one answer; the whole of an attempt has a deadline of its own.
const ANSWER_TIME: Duration = Duration::from_secs(8);
/// Codes of a server that refuses this mail and not just this attempt: no such mailbox, not allowed, too
/// large, not acceptable. Others, like a refused log-in, may be mended within days.
const HOPELESS: std::ops::RangeInclusive<u16> = 550..=554;

/// Where mails go.
pub(super) struct Mailer<'a> {
    pub(super) server: &'a str,
    pub(super) password: Option<&'a Secret>,
    pub(super) from: &'a str,
    pub(super) to: &'a [String],
}

/// A mail.
pub(super) struct Mail {
    /// The message's key.
    pub(super) key: String,
    /// What it belongs to, if it is one of several.
    pub(super) thread: Option<String>,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) attached: Option<Attached>,
    pub(super) at: Timestamp,
}

/// What hangs on it.
pub(super) struct Attached {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Mailer<'_> {
    /// Hands `mail` to the server once.
    pub(super) async fn send(&self, mail: Mail) -> Result<(), SendError> {
        let message = self.message(mail)?;
        let transport = self.transport().await?;
        match transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let code = error.status().map(u16::from);
                let hopeless = code.is_some_and(|code| HOPELESS.contains(&code));
                // The server's own words are from outside and may repeat what it was told.
                let why = match code {
                    Some(code) => format!("the mail server answered {code}"),
                    None => daemon::error_text::whole(&error),
                };
                Err(if hopeless { SendError::Never(why) } else { SendError::later(why) })
            }
        }
    }

    fn message(&self, mail: Mail) -> Result<Message, SendError> {
        let unusable = |error: &dyn std::fmt::Display| SendError::Never(format!("the mail can't be written: {error}"));
        let address = |text: &str| text.parse::<Mailbox>().map_err(|error: AddressError| unusable(&error));
        let from = address(self.from)?;
        let domain = from.email.domain().to_owned();
        let identity = |of: &str| format!("<{}@{domain}>", digest(of));
        let mut builder: MessageBuilder = Message::builder()
            .from(from)
            .subject(mail.subject)
            .message_id(Some(identity(&mail.key)))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at.as_millis()).unwrap_or(0)))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(thread) = &mail.thread {
            builder = builder.references(identity(thread));
        }
        for receiver in self.to {
            builder = builder.to(address(receiver)?);
        }
        let built = match mail.attached {
            None => builder.header(ContentType::TEXT_PLAIN).body(mail.text),
            Some(Attached { name, kind, bytes }) => {
                let kind = ContentType::parse(kind).map_err(|error| unusable(&error))?;
                let attached = Attachment::new(name).body(bytes, kind);
                builder.multipart(MultiPart::mixed().singlepart(SinglePart::plain(mail.text)).singlepart(attached))
            }
        };
        built.map_err(|error| unusable(&error))
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
        let wrong = |what: &str| SendError::Never(format!("the channel's server is not right: {what}"));
        let url = Url::parse(self.server).map_err(|_| wrong("it is no URL"))?;
        let host = url.host_str().ok_or_else(|| wrong("it names no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let is_here =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let (port, tls) = match url.scheme() {
            "smtps" => (465, Tls::Wrapper(parameters(host.clone()).await?)),
            "smtp" => (587, Tls::Required(parameters(host.clone()).await?)),
            "smtp+plain" if is_here => (25, Tls::None),
            _ => return Err(wrong("it is `smtps`, `smtp`, or on this machine `smtp+plain`")),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host);
        let mut builder = builder.port(url.port().unwrap_or(port)).tls(tls).timeout(Some(ANSWER_TIME));
        if let Some(password) = self.password {
            let user = decoded(url.username()).ok_or_else(|| wrong("its user is no text"))?;
            builder = builder.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        Ok(builder.build())
    }
}

/// What the machine trusts; its certificates are read from files.
async fn parameters(host: String) -> Result<TlsParameters, SendError> {
    let read = tokio::task::spawn_blocking(move || TlsParameters::new(host)).await;
    match read {
        Ok(Ok(parameters)) => Ok(parameters),
        Ok(Err(error)) => Err(SendError::later(daemon::error_text::whole(&error))),
        Err(error) => Err(SendError::later(error.to_string())),
    }
}

/// A user's name out of a URL.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn digest(of: &str) -> String {
    Sha256::digest(of.as_bytes())[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer(to: &[String]) -> Mailer<'_> {
        Mailer { server: "smtp+plain://127.0.0.1:25", password: None, from: "Nines <nines@example.com>", to }
    }

    fn mail(subject: &str) -> Mail {
        Mail {
            key: "incident_opened:acme:1:mail".into(),
            thread: Some("acme:1".into()),
            subject: subject.into(),
            text: "장애\n.\nQUIT\n".into(),
            attached: None,
            at: Timestamp::from_millis(1_700_000_000_000),
        }
    }

    #[test]
    fn nothing_in_a_subject_becomes_a_header_and_a_second_copy_has_the_same_id() {
        let to = ["ops@example.com".to_owned()];
        let written =
            |subject: &str| String::from_utf8(mailer(&to).message(mail(subject)).unwrap().formatted()).unwrap();
        let hostile = written("down\r\nBcc: everybody@example.com\r\n\r\nHello");
        assert!(!hostile.lines().any(|line| line.starts_with("Bcc:") || line.starts_with("Hello")), "{hostile}");
        let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
        assert_eq!(id(&hostile), id(&written("something else")));
        assert!(hostile.contains("Auto-Submitted: auto-generated"), "{hostile}");
        assert!(hostile.contains("Date: Tue, 14 Nov 2023 22:13:20"), "{hostile}");
    }

    #[tokio::test]
    async fn plain_text_stays_on_this_machine() {
        let to = ["ops@example.com".to_owned()];
        let away = Mailer { server: "smtp+plain://mail.example.com:25", ..mailer(&to) };
        let refused = away.transport().await.unwrap_err().to_string();
        assert!(refused.contains("on this machine"), "{refused}");
        assert!(mailer(&to).transport().await.is_ok());
        assert_eq!(decoded("ops%40example.com").unwrap(), "ops@example.com");
    }
}
