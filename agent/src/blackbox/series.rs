//! From what a probe saw to blackbox_exporter's series: names, labels and help as there.
//!
//! What was not reached has no series where the peer writes a zero for it (`docs/blackbox.md`).

mod dialog;
mod dns;
mod grpc;
mod http;
mod icmp;
mod network;
mod tls;

use super::exposition::Gauges;
use config::blackbox::Module;
use rules::check::Target;
use rules::evidence::Evidence;
use rules::judge::Complaint;

/// What a probe looked at and saw.
pub(crate) struct Seen<'a> {
    pub(crate) target: &'a Target,
    pub(crate) evidence: &'a Evidence,
    /// What is wrong with it.
    pub(crate) complaint: Option<&'a Complaint<'a>>,
}

/// Writes the series of a probe by `module`; `seen` is absent if it could not begin.
pub(crate) fn write(module: &Module, seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    match module.prober.as_str() {
        "http" => http::write(&module.http, seen, gauges),
        "tcp" => dialog::tcp(&module.tcp.query_response, seen, gauges),
        "unix" => dialog::unix(&module.unix.query_response, seen, gauges),
        "websocket" => {
            let steps = module.websocket.as_ref().map_or(&[][..], |websocket| &websocket.query_response);
            dialog::websocket(steps, seen, gauges);
        }
        "grpc" => grpc::write(seen, gauges),
        "icmp" => icmp::write(seen, gauges),
        "dns" => dns::write(&module.dns, seen, gauges),
        _ => {}
    }
}
