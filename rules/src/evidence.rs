//! What one probe saw, as a value.
//!
//! The prober writes it and [`crate::judge`] reads it; nothing here says whether what was seen is
//! good. Text that came from outside is cut and stripped of control characters on the way in, so
//! whoever shows it later need only escape for their own format.

// One file for each kind of answer
mod dialog;
mod dns;
mod exec;
mod flow;
mod grpc;
mod http;
mod icmp;
mod page;
mod promql;
mod tls;
mod ws;

pub use dialog::{DialogFacts, Ending, Expectation, Unmet};
pub use dns::{DnsAnswer, DnsFacts, Edns, RECORDS_SHOWN_MAX, SectionFacts, TcpFallback};
pub use exec::{ExecFacts, PERFDATA_MAX, Perfdata, ProcessEnd};
pub use flow::{FlowFacts, Shortfall, StepEnd, StepFacts};
pub use grpc::{GrpcCode, GrpcFacts, GrpcStatus, ServingStatus};
pub use http::{Found, HttpFacts, HttpVersion, Transport, Way};
pub use icmp::{IcmpFacts, IcmpSocket};
pub use page::{ASSETS_TOLD_MAX, AssetFacts, AssetFailure, Excess, PageFacts, Trouble};
pub use promql::{PromqlFacts, Sample};
pub use tls::{CERTIFICATE_NAMES_MAX, CertificateFacts, ClientCertificate, TlsFacts, TlsVersion, Trust};
pub use ws::WsFacts;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

/// The longest text kept of anything a target or a library said.
pub const SAID_BYTES_MAX: usize = 300;

/// What one probe saw.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Evidence {
    /// How long each step took, summed over redirects.
    pub phases: Phases,
    /// The addresses that connections were tried to, in order, over all redirects.
    pub attempts: Vec<Attempt>,
    /// What TLS said, on the last connection that spoke it.
    pub tls: Option<TlsFacts>,
    /// What the last HTTP answer said.
    pub http: Option<HttpFacts>,
    /// What else the answer said, by kind of check.
    pub facts: Option<Facts>,
    /// What broke, if anything did.
    pub failure: Option<Failure>,
    /// From the start of the attempt to its end, in whole microseconds.
    pub elapsed: Duration,
}

impl Evidence {
    /// The address that the last successful connection went to.
    pub fn answered(&self) -> Option<SocketAddr> {
        self.attempts.iter().rev().find(|attempt| attempt.fault.is_none()).map(|attempt| attempt.address)
    }
}

/// What an answer said that is no HTTP answer, or more than one.
#[derive(Clone, PartialEq, Debug)]
pub enum Facts {
    /// What was said in a dialog.
    Dialog(Box<DialogFacts>),
    /// What a name server answered.
    Dns(Box<DnsFacts>),
    /// What came back of the echo requests.
    Icmp(Box<IcmpFacts>),
    /// What the gRPC health service answered.
    Grpc(Box<GrpcFacts>),
    /// What the upgrade to a WebSocket came to.
    Ws(Box<WsFacts>),
    /// What each step of a flow came to.
    Flow(Box<FlowFacts>),
    /// What a command answered.
    Exec(Box<ExecFacts>),
    /// What a query came to.
    Promql(Box<PromqlFacts>),
    /// What a page and its assets came to.
    Page(Box<PageFacts>),
}

/// One connection tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Where to.
    pub address: SocketAddr,
    /// Why it failed; absent if it was made.
    pub fault: Option<Fault>,
    /// How long it took.
    pub elapsed: Duration,
}

/// A step of a probe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// From name to addresses.
    Resolve,
    /// From address to connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request to the first byte of its answer.
    FirstByte,
    /// From the first byte to the last.
    Transfer,
}

impl Phase {
    /// All phases, in the order they happen.
    pub const ALL: [Phase; 5] = [Phase::Resolve, Phase::Connect, Phase::Tls, Phase::FirstByte, Phase::Transfer];

    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Resolve => "resolve",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::FirstByte => "first_byte",
            Phase::Transfer => "transfer",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How long each phase took, in whole microseconds; a phase that was never entered has no length.
/// The phase that broke has the time up to its break.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Phases([Option<Duration>; 5]);

impl Phases {
    /// How long `phase` took.
    pub fn length(&self, phase: Phase) -> Option<Duration> {
        self.0[phase as usize]
    }

    /// Adds `length` to `phase`.
    pub fn add(&mut self, phase: Phase, length: Duration) {
        let sum = &mut self.0[phase as usize];
        *sum = Some(sum.unwrap_or_default().saturating_add(length));
    }

    /// The phases that were entered, with their lengths, in the order they happen.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, Duration)> {
        Phase::ALL.into_iter().filter_map(|phase| self.length(phase).map(|length| (phase, length)))
    }
}

/// What broke, where, and in whose words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What broke.
    pub fault: Fault,
    /// The phase in which it broke; absent if the probe never began.
    pub phase: Option<Phase>,
    /// What the system, the library or the target said about it.
    pub detail: Said,
}

/// What can break while a prober looks. It names what was seen; [`crate::judge`] says whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// The name does not exist, or has no address of the wanted family.
    NoSuchName,
    /// The name's servers answered, and their answer was a failure.
    NameServers,
    /// No resolver answered.
    ResolverSilent,
    /// The connection was refused.
    Refused,
    /// There is no way there, as a router, a firewall or this machine's own routes say.
    Unreachable,
    /// The connection was cut before the answer was whole.
    Reset,
    /// The deadline passed.
    Deadline,
    /// The TLS handshake failed.
    Tls,
    /// The certificate is not valid for this name and time.
    Certificate,
    /// The answer broke its protocol.
    Protocol,
    /// The answer's head or body was larger than allowed.
    TooLarge,
    /// Too many redirects, or one that can't be followed.
    Redirect,
    /// This machine was out of descriptors, buffers or ports.
    Exhausted,
    /// The probe could not be carried out as instructed: a file is missing, a value can't be sent.
    Instruction,
    /// The address is one that this agent may not connect to.
    Forbidden,
    /// Something that has no name here.
    Unnamed,
}

impl Fault {
    /// Whether this machine is what broke, whatever the target does.
    pub fn is_own(self) -> bool {
        matches!(self, Fault::Exhausted | Fault::Instruction)
    }

    /// The word used in logs and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::NoSuchName => "no_such_name",
            Fault::NameServers => "name_servers",
            Fault::ResolverSilent => "resolver_silent",
            Fault::Refused => "refused",
            Fault::Unreachable => "unreachable",
            Fault::Reset => "reset",
            Fault::Deadline => "deadline",
            Fault::Tls => "tls",
            Fault::Certificate => "certificate",
            Fault::Protocol => "protocol",
            Fault::TooLarge => "too_large",
            Fault::Redirect => "redirect",
            Fault::Exhausted => "exhausted",
            Fault::Instruction => "instruction",
            Fault::Forbidden => "forbidden",
            Fault::Unnamed => "unnamed",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Text from outside: at most [`SAID_BYTES_MAX`] bytes, without control characters or direction marks.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Said(String);

impl Said {
    /// Keeps what fits of `text`; control characters and direction marks become escapes.
    pub fn new(text: &str) -> Said {
        let mut kept = String::new();
        for c in text.chars() {
            let length = escaped(c).map(char::len_utf8).sum::<usize>();
            if SAID_BYTES_MAX < kept.len() + length {
                break;
            }
            kept.extend(escaped(c));
        }
        Said(kept)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// `c`, or its escape if it could steer a terminal or reorder the text around it.
pub fn escaped(c: char) -> impl Iterator<Item = char> {
    let harmful = c.is_control() || crate::id::is_direction_mark(c);
    let escape = harmful.then(|| c.escape_default());
    let plain = (!harmful).then_some(c);
    escape.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_keeps_its_letters_and_loses_its_control_characters() {
        let said = Said::new("안녕 \u{1b}[31m\r\n\u{202e}x");
        assert_eq!(said.as_str(), "안녕 \\u{1b}[31m\\r\\n\\u{202e}x");
    }

    #[test]
    fn what_was_said_is_cut_between_characters() {
        let said = Said::new(&"가".repeat(200));
        assert_eq!(said.as_str().len(), SAID_BYTES_MAX);
        let escapes = Said::new(&"\u{202e}".repeat(200));
        assert!(escapes.as_str().len() <= SAID_BYTES_MAX && escapes.as_str().ends_with('}'), "{escapes}");
    }

    #[test]
    fn phases_add_up_and_one_never_entered_stays_absent() {
        let mut phases = Phases::default();
        phases.add(Phase::Connect, Duration::from_micros(3));
        phases.add(Phase::Connect, Duration::from_micros(4));
        assert!(phases.iter().eq([(Phase::Connect, Duration::from_micros(7))]));
    }
}
