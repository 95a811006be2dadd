//! What is said to a target, and what is expected of what it says: blackbox_exporter's `query_response`.

use super::Pattern;
use crate::evidence::Said;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// How many steps a dialog may have: protocols greet, log in and leave in ten.
pub const DIALOG_STEPS_MAX: usize = 100;

/// One step of a dialog: what it names happens in the order of its fields.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DialogStep {
    /// Lines are read until one matches.
    pub expect: Option<Pattern>,
    /// What is read fails at once if this matches it, instead of being waited past.
    pub reject: Option<Pattern>,
    /// What is kept of the line that matched: names, and values in which `${1}` is the first group.
    pub labels: Vec<(String, String)>,
    /// Bytes are read until these were among them.
    pub expect_bytes: Option<Vec<u8>>,
    /// What is sent.
    pub send: Option<Sending>,
    /// Whether TLS begins here.
    pub tls: TlsBegins,
}

/// What is sent in a step. It may be a password, so Debug does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum Sending {
    /// A line, in which `${1}` is the first group of what matched; its end is added.
    Line(Vec<u8>),
    /// These bytes and no others.
    Bytes(Vec<u8>),
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sending::Line(_) => "Line([redacted])",
            Sending::Bytes(_) => "Bytes([redacted])",
        })
    }
}

/// Whether TLS begins after a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TlsBegins {
    /// It goes on as before.
    #[default]
    No,
    /// The next byte is TLS's: STARTTLS.
    Here,
}

/// What follows from a line, or message, that is as expected.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heeded {
    /// What is to be sent, with the groups in their places and without a line's end.
    pub send: Option<Sending>,
    /// The labels with their values.
    pub labels: Vec<(String, Said)>,
}

impl DialogStep {
    /// What follows from `heard`; absent if it is not what is expected. A step that expects no line
    /// is content with any.
    pub fn heed(&self, heard: &[u8]) -> Option<Heeded> {
        let Some(pattern) = &self.expect else {
            return Some(Heeded { send: self.send.clone(), labels: Vec::new() });
        };
        let labels = self.labels.iter().map(|(_, value)| value.as_bytes());
        let line = match &self.send {
            Some(Sending::Line(line)) => line.as_slice(),
            Some(Sending::Bytes(_)) | None => &[],
        };
        let mut expanded = pattern.expand(heard, &labels.chain([line]).collect::<Vec<_>>())?;
        let line = expanded.pop().unwrap_or_default();
        let values = expanded.iter().map(|value| Said::new(&String::from_utf8_lossy(value)));
        Some(Heeded {
            send: match &self.send {
                Some(Sending::Line(_)) => Some(Sending::Line(line)),
                other => other.clone(),
            },
            labels: self.labels.iter().map(|(name, _)| name.clone()).zip(values).collect(),
        })
    }
}

/// A protocol that begins in plain text and goes on with TLS when asked to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartTls {
    /// Mail on its way (RFC 3207).
    Smtp,
    /// Mailboxes (RFC 2595).
    Imap,
    /// Mailboxes (RFC 2595).
    Pop3,
    /// Files (RFC 4217).
    Ftp,
    /// PostgreSQL's own.
    Postgres,
}

impl StartTls {
    /// All of them, in the order of documents.
    pub const ALL: [StartTls; 5] = [StartTls::Smtp, StartTls::Imap, StartTls::Pop3, StartTls::Ftp, StartTls::Postgres];

    /// The word in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            StartTls::Smtp => "smtp",
            StartTls::Imap => "imap",
            StartTls::Pop3 => "pop3",
            StartTls::Ftp => "ftp",
            StartTls::Postgres => "postgres",
        }
    }

    /// What is said until TLS begins.
    pub fn dialog(self) -> Vec<DialogStep> {
        match self {
            StartTls::Smtp => vec![
                line("^220 ", "^[45]", "EHLO nines\r"),
                line("^250 ", "^[45]", "STARTTLS\r"),
                DialogStep { tls: TlsBegins::Here, ..line("^220 ", "^[45]", "") },
            ],
            StartTls::Imap => vec![
                line(r"^\* OK", r"^\* BYE", "a STARTTLS\r"),
                DialogStep { tls: TlsBegins::Here, ..line("^a OK", "^a (NO|BAD)", "") },
            ],
            StartTls::Pop3 => vec![
                line(r"^\+OK", "^-ERR", "STLS\r"),
                DialogStep { tls: TlsBegins::Here, ..line(r"^\+OK", "^-ERR", "") },
            ],
            StartTls::Ftp => vec![
                line("^220 ", "^[45]", "AUTH TLS\r"),
                DialogStep { tls: TlsBegins::Here, ..line("^234", "^[45]", "") },
            ],
            StartTls::Postgres => vec![
                // The length, and the number that stands for "TLS, please"; `S` means yes.
                DialogStep { send: Some(Sending::Bytes(vec![0, 0, 0, 8, 4, 210, 22, 47])), ..DialogStep::default() },
                DialogStep {
                    expect_bytes: Some(b"S".to_vec()),
                    reject: Pattern::new("^[^S]").ok(),
                    tls: TlsBegins::Here,
                    ..DialogStep::default()
                },
            ],
        }
    }
}

fn line(expect: &str, reject: &str, send: &str) -> DialogStep {
    let send = (!send.is_empty()).then(|| Sending::Line(send.as_bytes().to_vec()));
    let (expect, reject) = (Pattern::new(expect).ok(), Pattern::new(reject).ok());
    DialogStep { expect, reject, send, ..DialogStep::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matched_goes_into_what_is_sent_and_kept() {
        let step = DialogStep {
            labels: vec![("host".into(), "${1}".into()), ("both".into(), "$2@$1 $$".into())],
            ..line(r"^220 (\S+) (.*)$", "^5", "EHLO ${1}")
        };
        assert_eq!(step.heed(b"554 no"), None);
        let heeded = step.heed(b"220 mx.example \x1b").unwrap();
        assert_eq!(heeded.send, Some(Sending::Line(b"EHLO mx.example".to_vec())));
        let labels = [("host".into(), Said::new("mx.example")), ("both".into(), Said::new("\u{1b}@mx.example $"))];
        assert_eq!(heeded.labels, labels);
    }

    #[test]
    fn every_protocol_s_dialog_compiles_and_ends_with_tls() {
        for protocol in StartTls::ALL {
            let dialog = protocol.dialog();
            let last = dialog.last().unwrap();
            assert!(last.expect.is_some() || last.expect_bytes.is_some(), "{protocol:?}");
            assert!(last.reject.is_some(), "{protocol:?}");
            let begins: Vec<_> = dialog.iter().map(|step| step.tls == TlsBegins::Here).collect();
            assert_eq!(begins.iter().position(|&begins| begins), Some(dialog.len() - 1), "{protocol:?}");
        }
    }

    #[test]
    fn what_is_sent_is_not_shown_when_debugged() {
        let shown = alloc::format!("{:?}", line("^x", "^y", "PASS hunter2"));
        assert!(!shown.contains("hunter2") && shown.contains("redacted"), "{shown}");
    }
}
