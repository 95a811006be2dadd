//! Probes a WebSocket: the upgrade, and then the check's dialog, a message a step.
//!
//! Of each step that expects something the next message must match: messages have no end to wait for,
//! unlike lines. What came is noted and judged elsewhere; a message longer than [`MESSAGE_BYTES_MAX`]
//! ends the probe.

use super::Means;
use super::dialog::{Wire, note, said};
use super::handshake::{Alpn, Client, broken, server_name};
use super::http::credentials;
use super::resolve::Host;
use super::trace::{Break, Trace, fault_of};
use futures_util::{SinkExt, StreamExt};
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, Uri};
use rules::check::{DialogStep, Heeded, HttpAuth, Route, SecretSource, Sending, WsTarget};
use rules::evidence::{DialogFacts, Ending, Expectation, Facts, Fault, Phase, Said, Unmet, WsFacts};
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use url::{Position, Url};

/// The longest message, as the longest line of other dialogs.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// What the connection reads and gathers for writing at a time.
const BUFFER_BYTES: usize = 4 * 1024;

/// A WebSocket, ready to be probed.
#[derive(Debug)]
pub(crate) struct Ws {
    host: Host,
    port: u16,
    route: Route,
    uri: Uri,
    headers: Vec<(HeaderName, SecretSource)>,
    auth: HttpAuth,
    tls: Option<(Arc<Client>, ServerName<'static>)>,
    steps: Vec<DialogStep>,
}

impl Ws {
    pub(crate) fn prepare(target: &WsTarget, means: &Means) -> Result<Ws, Break> {
        let refuse = |why: &str| Break::new(Fault::Instruction, &format!("the URL can't be asked for: {why}"));
        let url = Url::parse(&target.address).map_err(|error| refuse(&error.to_string()))?;
        let (host, name) = match url.host().ok_or_else(|| refuse("it has no host"))? {
            url::Host::Ipv4(address) => (Host::Address(address.into()), address.to_string()),
            url::Host::Ipv6(address) => (Host::Address(address.into()), address.to_string()),
            url::Host::Domain(name) => (Host::read(name)?, name.to_owned()),
        };
        let tls = match url.scheme() {
            "wss" => Some((means.clients.client(&target.tls, Alpn::Http1)?, server_name(&target.tls, &name)?)),
            _ => None,
        };
        let uri = url[..Position::AfterQuery].parse().map_err(|_| refuse("its path can't be sent"))?;
        Ok(Ws {
            host,
            port: url.port_or_known_default().ok_or_else(|| refuse("it has no port"))?,
            route: target.route.clone(),
            uri,
            headers: target.headers.iter().map(header).collect::<Result<_, _>>()?,
            auth: target.auth.clone(),
            tls,
            steps: target.dialog.clone(),
        })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let stream = means.connect(&self.host, self.port, &self.route, budget, trace).await?;
        let wire: Box<dyn Wire> = match &self.tls {
            None => Box::new(stream),
            Some((client, name)) => {
                trace.enter(Phase::Tls);
                Box::new(client.handshake(stream, name.clone(), trace).await?)
            }
        };
        trace.enter(Phase::FirstByte);
        let Some(mut socket) = self.upgrade(wire, trace).await? else { return Ok(()) };
        self.hold(&mut socket, trace).await?;
        // A farewell; whether it is heard says nothing.
        let _ = socket.close(None).await;
        Ok(())
    }

    /// The open socket; absent if the target's answer is another one, which is then noted.
    async fn upgrade(
        &self,
        wire: Box<dyn Wire>,
        trace: &mut Trace,
    ) -> Result<Option<WebSocketStream<Box<dyn Wire>>>, Break> {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_write_buffer_size(MESSAGE_BYTES_MAX)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let request = self.request().await?;
        let first_byte = trace.first_byte();
        let (status, socket) = match tokio_tungstenite::client_async_with_config(request, wire, Some(config)).await {
            Ok((socket, answer)) => (answer.status().as_u16(), Some(socket)),
            Err(Error::Http(answer)) => (answer.status().as_u16(), None),
            Err(error) => return Err(cut(&error)),
        };
        first_byte.came();
        let steps = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let dialog = DialogFacts { steps, ..DialogFacts::default() };
        trace.evidence.facts = Some(Facts::Ws(Box::new(WsFacts { status, dialog })));
        Ok(socket)
    }

    async fn request(&self) -> Result<Request<()>, Break> {
        let refuse = |error: Error| Break::new(Fault::Instruction, &format!("the URL can't be asked for: {error}"));
        let mut request = self.uri.clone().into_client_request().map_err(refuse)?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(daemon::version::USER_AGENT));
        // The library's own come first; what the check says instead of one takes its place.
        for (name, _) in &self.headers {
            headers.remove(name);
        }
        for (name, source) in &self.headers {
            // The value may be a secret: only its name is said.
            let refuse = |_| Break::new(Fault::Instruction, &format!("the value of header `{name}` can't be sent"));
            headers.append(name.clone(), credentials::text(source).await?.parse().map_err(refuse)?);
        }
        if let Some(asks) = credentials::header(&self.auth).await? {
            headers.insert(AUTHORIZATION, asks);
        }
        Ok(request)
    }

    /// Takes the steps one after the other; ends early when a message is not what is expected.
    async fn hold(&self, socket: &mut WebSocketStream<Box<dyn Wire>>, trace: &mut Trace) -> Result<(), Break> {
        for (number, step) in (1..).zip(&self.steps) {
            let mut send = step.send.clone();
            if let Some(pattern) = &step.expect {
                let expected = Said::new(pattern.as_str());
                let unmet = |end| Unmet { step: number, by: Expectation::Regexp, expected, end };
                let Some(message) = message(socket).await? else {
                    note(trace, |facts| facts.unmet = Some(unmet(Ending::Closed)));
                    return Ok(());
                };
                note(trace, |facts| facts.heard = said(&message));
                let Some(Heeded { send: expanded, labels }) = step.heed(&message) else {
                    note(trace, |facts| facts.unmet = Some(unmet(Ending::Rejected)));
                    return Ok(());
                };
                send = expanded;
                note(trace, |facts| facts.labels.extend(labels));
            }
            let outgoing = match send {
                None => None,
                Some(Sending::Line(line)) => Some(text(line)),
                Some(Sending::Bytes(bytes)) => Some(Message::binary(bytes)),
            };
            if let Some(outgoing) = outgoing {
                socket.send(outgoing).await.map_err(|error| cut(&error))?;
            }
            note(trace, |facts| facts.done = number);
        }
        Ok(())
    }
}

fn header((name, source): &(String, SecretSource)) -> Result<(HeaderName, SecretSource), Break> {
    let refuse = |_| Break::new(Fault::Instruction, &format!("the header `{name}` can't be sent"));
    Ok((name.parse().map_err(refuse)?, source.clone()))
}

fn text(line: Vec<u8>) -> Message {
    match String::from_utf8(line) {
        Ok(text) => Message::text(text),
        Err(error) => Message::binary(error.into_bytes()),
    }
}

/// The next message of text or bytes; absent if the target closed instead.
async fn message(socket: &mut WebSocketStream<Box<dyn Wire>>) -> Result<Option<Vec<u8>>, Break> {
    loop {
        match socket.next().await {
            None | Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed)) => {
                return Ok(None);
            }
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                return Ok(Some(message.into_data().to_vec()));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return Err(cut(&error)),
        }
    }
}

/// What the library's complaint means.
fn cut(error: &Error) -> Break {
    let fault = match error {
        Error::Io(io) if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => return broken(io),
        Error::Io(io) => fault_of(io).unwrap_or(Fault::Unnamed),
        Error::Capacity(_) | Error::AttackAttempt => Fault::TooLarge,
        Error::Protocol(ProtocolError::HandshakeIncomplete | ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => Fault::Reset,
        Error::WriteBufferFull(_) => Fault::Instruction,
        Error::Protocol(_) | Error::Utf8(_) | Error::Http(_) | Error::HttpFormat(_) | Error::Url(_) | Error::Tls(_) => {
            Fault::Protocol
        }
    };
    Break::new(fault, &error.to_string())
}
