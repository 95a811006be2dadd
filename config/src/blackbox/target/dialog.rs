//! What `tcp`, `unix` and `websocket` modules say to a target.

use super::http::{auth, sources};
use super::{Refusal, route, tls};
use crate::blackbox::module::{QueryResponse, TcpModule, UnixModule, WebsocketModule};
use rules::check::{DialogStep, Security, Sending, TcpTarget, TlsBegins, UnixTarget, WsTarget};

pub(super) fn tcp(module: &TcpModule, address: &str) -> Result<TcpTarget, Refusal> {
    let target = TcpTarget::parse(address).map_err(|error| Refusal::new(error.to_string()))?;
    Ok(TcpTarget {
        route: route(&module.preferred_ip_protocol, module.ip_protocol_fallback, &module.source_ip_address)?,
        security: security(module.tls),
        tls: tls(&module.tls_config)?,
        dialog: dialog(&module.query_response),
        ..target
    })
}

pub(super) fn unix(module: &UnixModule, address: &str) -> Result<UnixTarget, Refusal> {
    let target = UnixTarget::parse(address).map_err(|error| Refusal::new(error.to_string()))?;
    let (tls, dialog) = (tls(&module.tls_config)?, dialog(&module.query_response));
    Ok(UnixTarget { security: security(module.tls), tls, dialog, ..target })
}

pub(super) fn websocket(module: &WebsocketModule, address: &str) -> Result<WsTarget, Refusal> {
    let target = WsTarget::parse(address).map_err(|error| Refusal::new(error.to_string()))?;
    let client = &module.http_config;
    let headers = sources(&module.headers).chain(sources(&client.http_headers)).collect();
    Ok(WsTarget {
        headers,
        auth: auth(client)?,
        dialog: dialog(&module.query_response),
        route: route(&module.preferred_ip_protocol, module.ip_protocol_fallback, "")?,
        tls: tls(&client.tls_config)?,
        ..target
    })
}

fn security(speaks_tls: bool) -> Security {
    if speaks_tls { Security::Tls } else { Security::Plain }
}

fn dialog(steps: &[QueryResponse]) -> Vec<DialogStep> {
    steps.iter().map(step).collect()
}

fn step(given: &QueryResponse) -> DialogStep {
    let send = match given.send.0.as_slice() {
        [] => None,
        // Text is a line; what no text can be goes out as it is.
        bytes if str::from_utf8(bytes).is_ok() && !bytes.contains(&0) => Some(Sending::Line(bytes.to_vec())),
        bytes => Some(Sending::Bytes(bytes.to_vec())),
    };
    DialogStep {
        expect: given.expect.as_ref().map(|regexp| regexp.pattern.clone()),
        reject: None,
        labels: given.labels.iter().map(|label| (label.name.clone(), label.value.clone())).collect(),
        expect_bytes: (!given.expect_bytes.0.is_empty()).then(|| given.expect_bytes.0.clone()),
        send,
        tls: if given.starttls { TlsBegins::Here } else { TlsBegins::No },
    }
}
