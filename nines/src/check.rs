//! `nines check`: one probe now, told to whoever asked.
//!
//! It keeps nothing and asks no reference, so what it calls down may be this machine's own network.

mod json;
mod kinds;
mod text;

use agent::prober::Prober;
use clap::{Args, ValueEnum};
use config::reading::ConfigError;
use daemon::clock::Clock;
use rules::check::target::TargetError;
use rules::check::{
    CommandError, DnsTarget, ExecTarget, GrpcTarget, HttpTarget, IcmpTarget, PageTarget, PromqlTarget, Target,
    TcpTarget, TlsTarget, UnixTarget, WsTarget,
};
use rules::evidence::{Evidence, escaped};
use rules::judge::{Circumstances, complaint, judge};
use rules::outcome::{Outcome, OutcomeKind};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The pause between two probes: what one would wait oneself.
const PAUSE: Duration = Duration::from_secs(1);
/// The answer is "up".
const UP: u8 = 0;
/// The answer is "down".
const DOWN: u8 = 1;
/// There is no answer, or the question can't be understood.
const NO_ANSWER: u8 = 2;

/// Probe a target once, now, and show each step.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  nines check https://shop.example/login
  nines check tcp:db.example:5432 --count 3
  nines check tls:shop.example:443
  nines check https://shop.example/ --json | jq .phases_us

Exits with 0 if every probe was up, 1 if one was down, 2 if one could not be judged.")]
pub struct CheckArgs {
    /// A URL, `tcp:host:port`, `host:port`, `tls:host:port`, `wss://host/path`, `unix:/path`,
    /// `dns://server/name?type=MX`, `grpc:host:port[/service]`, `grpcs:…`, `icmp:host`, `page:URL`, `flow:FILE`,
    /// `promql:URL EXPRESSION` or `exec:/path/to/program argument…`
    pub target: String,
    /// The kind of probe, when the target's form should not decide
    #[arg(long)]
    pub kind: Option<Kind>,
    /// How many probes, a second apart
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,
    /// One deadline over all steps of a probe
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = timeout)]
    pub timeout: Duration,
    /// One JSON object a probe instead of text
    #[arg(long)]
    pub json: bool,
}

/// A kind of probe.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A page, over HTTP or HTTPS
    Http,
    /// A port that accepts connections
    Tcp,
    /// A name server and a question: `dns://server/name?type=MX`
    Dns,
    /// A port that speaks TLS, and its certificate
    Tls,
    /// A WebSocket, `ws://…` or `wss://…`
    Ws,
    /// A socket in the file system
    Unix,
    /// A server with the gRPC health protocol: `host:port[/service]`, `grpcs:…` for TLS
    Grpc,
    /// A host that answers echo requests
    Icmp,
    /// A local command with the exit codes of Nagios plugins
    Exec,
    /// A page with the assets that it needs: `page:https://host/path`
    Page,
    /// The steps in a file: `flow:flows/create-project.yaml`
    Flow,
    /// A query to a Prometheus server: `promql:http://host:9090 EXPRESSION`
    Promql,
}

/// A text that names nothing to look at.
#[derive(Debug, thiserror::Error)]
enum NotATarget {
    /// It is no address.
    #[error(transparent)]
    Address(#[from] TargetError),
    /// It is no command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It is no file with a flow.
    #[error("the flow can't be read:\n{0}")]
    Flow(#[from] ConfigError),
    /// It is no server with a query.
    #[error("`{0}` has no query; write `promql:http://host:9090 EXPRESSION`")]
    Query(String),
}

/// One probe and what it came to.
struct Look<'a> {
    target: &'a Target,
    evidence: &'a Evidence,
    outcome: Outcome,
    /// What is wrong, unless it is up.
    why: Option<String>,
}

/// Probes as `args` say, prints what was seen, and answers by its exit code.
pub async fn run(args: CheckArgs) -> ExitCode {
    let clock = Clock::system();
    let target = match target(&args) {
        Ok(target) => target,
        Err(error) => return refuse(&error),
    };
    let prober = match Prober::new(clock.clone()) {
        Ok(prober) => prober,
        Err(error) => return refuse(&error),
    };
    let plan = prober.plan(&target, args.timeout);
    let mut answer = UP;
    for number in 0..args.count {
        if 0 < number {
            clock.sleep(PAUSE).await;
        }
        let evidence = prober.probe(&plan).await;
        let outcome = judge(&evidence, &target, args.timeout, Circumstances::default());
        let why = complaint(&evidence, &target, args.timeout).map(|complaint| complaint.to_string());
        let look = Look { target: &target, evidence: &evidence, outcome, why };
        let shown = if args.json { json::line(&look) } else { text::picture(&look, clock.wall()) };
        // A reader that went away, as `head` does, has seen enough.
        if std::io::stdout().write_all(shown.as_bytes()).is_err() {
            break;
        }
        answer = worse(answer, outcome.kind());
    }
    ExitCode::from(answer)
}

/// A command is read here alone: an address may also come from those who must not start programs.
fn target(args: &CheckArgs) -> Result<Target, NotATarget> {
    let command = args.target.strip_prefix("exec:");
    match (args.kind, command) {
        (None, Some(command)) => Ok(Target::Exec(ExecTarget::from_line(command)?)),
        (Some(Kind::Exec), _) => Ok(Target::Exec(ExecTarget::from_line(command.unwrap_or(&args.target))?)),
        (kind, _) => several(kind, &args.target).unwrap_or_else(|| Ok(address(&args.target, kind)?)),
    }
}

/// What takes several requests, or more than an address to name; nothing if it is neither.
fn several(kind: Option<Kind>, text: &str) -> Option<Result<Target, NotATarget>> {
    let named = |wanted: Kind, word: &str| match text.strip_prefix(word) {
        Some(rest) if kind.is_none_or(|kind| kind == wanted) => Some(rest),
        _ if kind == Some(wanted) => Some(text),
        _ => None,
    };
    if let Some(url) = named(Kind::Page, "page:") {
        return Some(PageTarget::parse(url).map(Target::Page).map_err(NotATarget::from));
    }
    if let Some(file) = named(Kind::Flow, "flow:") {
        let flow = config::flow::load(Path::new(file));
        return Some(flow.map(|loaded| Target::Flow(loaded.value)).map_err(NotATarget::from));
    }
    let query = named(Kind::Promql, "promql:")?;
    Some(match query.trim().split_once(' ') {
        Some((server, query)) => {
            PromqlTarget::unbounded(server, query.trim()).map(Target::Promql).map_err(NotATarget::from)
        }
        None => Err(NotATarget::Query(safe(query))),
    })
}

fn address(text: &str, kind: Option<Kind>) -> Result<Target, TargetError> {
    match kind {
        None | Some(Kind::Exec | Kind::Page | Kind::Flow | Kind::Promql) => Target::parse(text),
        Some(Kind::Http) => HttpTarget::parse(text).map(Box::new).map(Target::Http),
        Some(Kind::Tcp) => TcpTarget::parse(text).map(Target::Tcp),
        Some(Kind::Dns) => DnsTarget::parse(text).map(Box::new).map(Target::Dns),
        Some(Kind::Tls) => TlsTarget::parse(text).map(Target::Tls),
        Some(Kind::Ws) => WsTarget::parse(text).map(Target::Ws),
        Some(Kind::Unix) => UnixTarget::parse(text).map(Target::Unix),
        Some(Kind::Icmp) => IcmpTarget::parse(text).map(Target::Icmp),
        Some(Kind::Grpc) => GrpcTarget::parse(text).map(Target::Grpc),
    }
}

/// A deadline: some time, for nothing comes in none.
fn timeout(given: &str) -> Result<Duration, String> {
    match config::scalar::parse_duration(given) {
        Ok(Duration::ZERO) => Err(format!("`{given}` leaves no time to answer; write one such as `10s`")),
        Ok(timeout) => Ok(timeout),
        Err(error) => Err(error.to_string()),
    }
}

fn refuse(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("nines check: {error}");
    ExitCode::from(NO_ANSWER)
}

/// Down outweighs an absent answer, and that outweighs up.
fn worse(answer: u8, kind: OutcomeKind) -> u8 {
    match (answer, kind) {
        (DOWN, _) | (_, OutcomeKind::Down) => DOWN,
        (_, OutcomeKind::Void) => NO_ANSWER,
        (_, OutcomeKind::Up) => answer,
    }
}

/// Text of the operator's own, made safe for a terminal.
fn safe(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::check::TIMEOUT_DEFAULT;

    #[test]
    fn the_default_timeout_is_that_of_a_check() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: CheckArgs,
        }
        let line = <Line as clap::Parser>::parse_from(["check", "http://a/"]);
        assert_eq!(line.args.timeout, TIMEOUT_DEFAULT);
    }

    #[test]
    fn a_target_of_several_requests_is_named_by_its_word_or_by_its_kind() {
        let read = |text: &str, kind| several(kind, text).map(|target| target.map(|target| target.kind()));
        assert!(matches!(read("page:http://a/", None), Some(Ok("page"))));
        assert!(matches!(read("http://a/", Some(Kind::Page)), Some(Ok("page"))));
        assert!(matches!(read("promql:http://a:9090 sum(up) > 1", None), Some(Ok("promql"))));
        assert!(matches!(read("promql:http://a:9090", None), Some(Err(NotATarget::Query(_)))));
        assert!(matches!(read("flow:/nonexistent", None), Some(Err(NotATarget::Flow(_)))));
        assert!(read("http://a/", None).is_none());
        assert!(read("page:http://a/", Some(Kind::Http)).is_none());
    }

    #[test]
    fn one_failure_decides_the_answer() {
        use OutcomeKind::{Down, Up, Void};
        let check = |kinds: &[OutcomeKind], expected| {
            assert_eq!(kinds.iter().fold(UP, |answer, &kind| worse(answer, kind)), expected, "{kinds:?}");
        };
        check(&[Up, Up], UP);
        check(&[Up, Void, Up], NO_ANSWER);
        check(&[Down, Void, Up], DOWN);
        check(&[Void, Down], DOWN);
    }
}
