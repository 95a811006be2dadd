//! Holds a dialog over a connection of any make: line by line, or byte by byte, with TLS from the start
//! or from a step on.
//!
//! What was heard and what was missing is noted, not judged. A target can't make it hold more than a
//! line of [`heard::LINE_BYTES_MAX`], nor read more than [`heard::DIALOG_BYTES_MAX`] in all.

mod heard;

use super::Means;
use super::handshake::{Alpn, Client, broken, server_name};
use super::trace::{Break, Trace, fault_of};
use heard::Heard;
pub(crate) use heard::Wire;
use rules::check::{DialogStep, Heeded, Security, Sending, TlsBegins, TlsRule, Verify};
use rules::evidence::{ClientCertificate, DialogFacts, Ending, Expectation, Facts, Fault, Phase, Said, Unmet};
use rustls::pki_types::{IpAddr, Ipv4Addr, ServerName};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How long a target that asked for a certificate may take to say that it does not like it: a reply
/// travels to the other side of the earth and back in a third of that.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(1);

/// What is said over a connection, ready to be said.
#[derive(Debug)]
pub(crate) struct Talk {
    steps: Vec<DialogStep>,
    security: Security,
    /// What TLS is made with; absent if it never begins.
    tls: Option<(Arc<Client>, ServerName<'static>)>,
}

impl Talk {
    /// Reads what `rule` names if TLS begins at any time. `host` is whom the certificate must be for;
    /// absent if the target has no name of its own.
    pub(crate) fn prepare(
        steps: &[DialogStep],
        security: Security,
        rule: &TlsRule,
        host: Option<&str>,
        means: &Means,
    ) -> Result<Talk, Break> {
        let begins = security == Security::Tls || steps.iter().any(|step| step.tls == TlsBegins::Here);
        let tls = match begins {
            true => Some((means.clients.client(rule, Alpn::None)?, name(rule, host)?)),
            false => None,
        };
        Ok(Talk { steps: steps.to_vec(), security, tls })
    }

    /// Says and hears everything over `wire`; ends early when what is expected does not come.
    pub(crate) async fn hold(&self, wire: Box<dyn Wire>, trace: &mut Trace) -> Result<(), Break> {
        let steps = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        if !self.steps.is_empty() {
            trace.evidence.facts = Some(Facts::Dialog(Box::new(DialogFacts { steps, ..DialogFacts::default() })));
        }
        let wire = match self.security {
            Security::Plain => wire,
            Security::Tls => self.secure(wire, trace).await?,
        };
        let mut heard = Heard::new(wire, trace.first_byte());
        for (number, step) in (1..).zip(&self.steps) {
            trace.enter(Phase::FirstByte);
            match self.take(number, step, &mut heard, trace).await? {
                Some(unmet) => {
                    note(trace, |facts| facts.unmet = Some(unmet));
                    return Ok(());
                }
                None => note(trace, |facts| facts.done = number),
            }
            if step.tls == TlsBegins::Here {
                let wire = self.secure(heard.into_wire()?, trace).await?;
                heard = Heard::new(wire, trace.first_byte());
            }
        }
        let asked =
            trace.evidence.tls.as_ref().is_some_and(|tls| tls.client_certificate != ClientCertificate::NotAsked);
        if asked && heard.is_silent() { refusal(heard.into_wire()?).await } else { Ok(()) }
    }

    /// One step, up to where TLS may begin; answers with what did not come.
    async fn take(
        &self,
        number: u32,
        step: &DialogStep,
        heard: &mut Heard,
        trace: &mut Trace,
    ) -> Result<Option<Unmet>, Break> {
        let mut send = step.send.clone();
        if let Some(pattern) = &step.expect {
            let unmet = |end| {
                let expected = Said::new(pattern.as_str());
                Ok(Some(Unmet { step: number, by: Expectation::Regexp, expected, end }))
            };
            let Heeded { send: expanded, labels } = loop {
                let Some(line) = heard.line().await? else { return unmet(Ending::Closed) };
                note(trace, |facts| facts.heard = said(&line));
                if let Some(heeded) = step.heed(&line) {
                    break heeded;
                }
                if step.reject.as_ref().is_some_and(|reject| reject.is_found(&line)) {
                    return unmet(Ending::Rejected);
                }
            };
            send = expanded;
            note(trace, |facts| facts.labels.extend(labels));
        }
        if let Some(bytes) = &step.expect_bytes {
            let (came, end) = heard.bytes(bytes, step.reject.as_ref()).await?;
            note(trace, |facts| facts.heard = said(&came));
            if let Some(end) = end {
                return Ok(Some(Unmet { step: number, by: Expectation::Bytes, expected: said(bytes), end }));
            }
        }
        match send {
            Some(Sending::Line(line)) => heard.say(&[line.as_slice(), b"\n"].concat()).await?,
            Some(Sending::Bytes(bytes)) => heard.say(&bytes).await?,
            None => {}
        }
        Ok(None)
    }

    async fn secure(&self, wire: Box<dyn Wire>, trace: &mut Trace) -> Result<Box<dyn Wire>, Break> {
        let Some((client, name)) = &self.tls else {
            return Err(Break::new(Fault::Instruction, "TLS begins in a dialog that was not prepared for it"));
        };
        trace.enter(Phase::Tls);
        Ok(Box::new(client.handshake(wire, name.clone(), trace).await?))
    }
}

fn name(rule: &TlsRule, host: Option<&str>) -> Result<ServerName<'static>, Break> {
    match (host, &rule.server_name, rule.verify) {
        // Nothing is verified and there is no name to ask for: an address is not sent.
        (None, None, Verify::Nothing) => Ok(ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([127, 0, 0, 1])))),
        (host, ..) => server_name(rule, host.unwrap_or("")),
    }
}

/// Writes into what is known of the dialog, if there is one.
pub(crate) fn note(trace: &mut Trace, write: impl FnOnce(&mut DialogFacts)) {
    if let Some(facts) = trace.evidence.facts.as_mut().and_then(Facts::dialog_mut) {
        write(facts);
    }
}

/// The beginning of what came, as it may be shown.
pub(crate) fn said(bytes: &[u8]) -> Said {
    // What is kept of it is shorter still.
    Said::new(&String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]))
}

/// Waits for a target that asked for our certificate to refuse it. With TLS 1.3 it does so only after
/// the handshake is complete on our side; a target that is content says nothing and closes.
async fn refusal(mut wire: Box<dyn Wire>) -> Result<(), Break> {
    let mut last_words = async || {
        wire.shutdown().await?;
        let mut piece = [0; 512];
        let mut left = heard::DIALOG_BYTES_MAX;
        while let read @ 1.. = wire.read(&mut piece).await? {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    match timeout(REFUSAL_PATIENCE, last_words()).await {
        Ok(Err(error)) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => Err(broken(&error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What a connection that broke in mid-dialog means.
fn broken_off(error: &io::Error) -> Break {
    match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => broken(error),
        _ => Break::new(fault_of(error).unwrap_or(Fault::Unnamed), &error.to_string()),
    }
}
