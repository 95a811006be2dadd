//! A check of every kind, from the collector or from the agent's own file, against servers that are well and then fail.

mod servers;

use reqwest::Client;
use servers::{GRPC_SERVICE, Servers};
use std::ffi::OsStr;
use std::fmt::Write as _;
use tempfile::TempDir;
use tests::exposition::{sample, sum};
use tests::patience::{eventually, holds};
use tests::program::{self, address};
use tests::world::{AGREEMENT, Agent, Plan, Store, World};

const OUTAGE: &str = "{ for: 5m }";
/// What the check of a service is called; the service is named after its kind.
const CHECK: &str = "probe";

/// One kind of check.
struct Kind {
    name: &'static str,
    /// Its keys and options.
    keys: String,
    rhythm: &'static str,
    /// A metric of the agent's that only this kind has, a label beside `service` and `check`, and its value while all is
    /// well.
    proof: (&'static str, &'static str, f64),
    /// What it is down by when the servers fail; absent if it goes on.
    cause: Option<&'static str>,
}

impl Kind {
    /// The check as an item of a YAML list, with these keys before its own.
    fn check(&self, before: &str) -> String {
        format!("{{ {before}check: {CHECK}, {}, {} }}", self.keys, self.rhythm)
    }

    /// A check of the same name that fails, of which another one takes the place.
    fn decoy(&self) -> String {
        let every = self.rhythm.split(',').next().unwrap();
        format!("{{ check: {CHECK}, tcp: '127.0.0.1:1', {every} }}")
    }

    /// The name of a series about its check.
    fn series(&self, metric: &str, more: &str) -> String {
        format!("{metric}{{service=\"{}\",check=\"{CHECK}\"{more}}}", self.name)
    }

    /// What the page says of a metric of its service, in whatever order the labels stand.
    fn shown(&self, page: &str, metric: &str, label: &str) -> Option<f64> {
        let (metric, service) = (format!("{metric}{{"), format!("service=\"{}\"", self.name));
        let line =
            page.lines().find(|line| line.starts_with(&metric) && line.contains(&service) && line.contains(label))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }
}

fn kinds(servers: &Servers) -> Vec<Kind> {
    let Servers { web, port, tls, authority, socket, dns, grpc, ws, file, .. } = servers;
    let (port, ca, socket, file) = (port.address(), authority.display(), socket.display(), file.display());
    let kind = |name, keys, proof, cause| Kind { name, keys, rhythm: "every: 1s, timeout: 1s", proof, cause };
    let order = format!(
        "flow: {{ name: order, steps: [
          {{ step: login, request: 'http://{web}/login', capture: {{ token: {{ json: '$.token', secret: true }} }} }},
          {{ step: order, request: {{ url: 'http://{web}/order', headers: {{ authorization: 'Bearer ${{token}}' }} }},
             expect: {{ fail_if_body_not_matches_regexp: '^done$' }} }}] }}"
    );
    let talk = "query_response: [{ send: \"GET / HTTP/1.0\\r\" }, { send: \"\\r\" }, { expect: '^HTTP/1.1 200' }]";
    let ping = "query_response: [{ send: PING }, { expect: '^\\+PONG', reject: '^-' }]";
    let question = "query_name: www.example.com, query_type: A";
    let records = "validate_answer_rrs: { fail_if_none_matches_regexp: ['\\tA\\t192\\.0\\.2\\.80$'] }";
    vec![
        kind(
            "http",
            format!("http: 'http://{web}/health'"),
            ("nines_probe_http_status_code", "", 200.0),
            Some("status"),
        ),
        kind("page", format!("page: 'http://{web}/page'"), ("nines_probe_page_assets", "", 1.0), Some("status")),
        kind("flow", order, ("nines_probe_flow_step_success", "step=\"order\"", 1.0), Some("content")),
        kind("tcp", format!("tcp: '{port}', {talk}"), ("nines_probe_dialog_steps_done", "", 3.0), Some("refused")),
        kind(
            "tls",
            format!("tls: '{tls}', expires_in_at_least: 1d, tls_config: {{ ca_file: '{ca}' }}"),
            ("nines_probe_tls_verified", "", 1.0),
            Some("certificate"),
        ),
        kind("unix", format!("unix: '{socket}', {ping}"), ("nines_probe_dialog_steps_done", "", 2.0), Some("content")),
        kind("dns", format!("dns: '{dns}', {question}, {records}"), ("nines_probe_dns_rcode", "", 0.0), Some("status")),
        kind(
            "icmp",
            "icmp: 127.0.0.1, packets: 2, interval: 10ms".into(),
            ("nines_probe_icmp_loss_ratio", "", 0.0),
            None,
        ),
        kind(
            "grpc",
            format!("grpc: '{grpc}', grpc_service: {GRPC_SERVICE}"),
            ("nines_probe_grpc_serving_status", "serving_status=\"SERVING\"", 1.0),
            Some("unhealthy"),
        ),
        kind(
            "ws",
            format!("ws: 'ws://{ws}/', query_response: [{{ expect: '^hello$' }}]"),
            ("nines_probe_ws_status_code", "", 101.0),
            Some("reset"),
        ),
        kind(
            "exec",
            format!("exec: [/usr/bin/test, -e, '{file}'], warning: down, depends_on: this_machine"),
            ("nines_probe_exec_exit_status", "", 0.0),
            Some("unhealthy"),
        ),
        Kind {
            name: "heartbeat",
            keys: "heartbeat: every, grace: 2s".to_owned(),
            rhythm: "every: 2s",
            proof: ("nines_heartbeat_running", "", 0.0),
            cause: Some("missed"),
        },
        kind(
            "promql",
            format!("promql: queue_length, server: 'http://{web}', at_most: 5"),
            ("nines_probe_promql_highest_value", "", 2.0),
            Some("bound"),
        ),
    ]
}

/// The services of the agreement, one for each kind, each with the check that is given for it.
fn services<'a>(checks: impl IntoIterator<Item = (&'a Kind, String)>) -> String {
    checks.into_iter().fold(String::new(), |mut list, (kind, check)| {
        let _ = writeln!(list, "      - {{ service: {}, checks: [{check}] }}", kind.name);
        list
    })
}

/// Reports a run of the job that the agent awaits.
async fn report(agent: &mut Agent) -> Result<(), String> {
    let door = address(&agent.program.logged("Agent started").await, "listen");
    let url = format!("http://{door}/heartbeat/heartbeat/{CHECK}/success");
    let answer =
        Client::builder().no_proxy().build().unwrap().post(url).send().await.map_err(|error| error.to_string())?;
    holds(answer.status().is_success(), || format!("the report is answered with {}", answer.status()))
}

/// Waits until each kind is up in the eyes of the agent, was probed as what it is, and is known to the collector as up.
async fn all_are_up(world: &mut World, kinds: &[Kind]) {
    let console = world.console().clone();
    let agent = &mut world.agents[0];
    eventually("each kind is up", async || {
        report(agent).await?;
        let (seen, committed) = (agent.metrics().await, console.page("/metrics").await);
        for kind in kinds {
            let (metric, more, value) = kind.proof;
            let results = format!(
                "nines_check_results_total{{agreement=\"{AGREEMENT}\",service=\"{}\",check=\"{CHECK}\",outcome=\"up\"}}",
                kind.name
            );
            let is_up = sample(&seen, &kind.series("nines_probe_success", "")) == Some(1.0);
            let is_itself = kind.shown(&seen, metric, more) == Some(value);
            let is_known = sample(&committed, &results).is_some_and(|count| 0.0 < count);
            let of_it = || seen.lines().filter(|line| line.contains(&format!("\"{}\"", kind.name))).collect::<Vec<_>>();
            let judged = (is_up, is_itself, is_known) == (true, true, true);
            holds(judged, || format!("{}: up {is_up}, itself {is_itself}, known {is_known}: {:#?}", kind.name, of_it()))?;
        }
        Ok(())
    })
    .await;
}

/// Waits until the agent and the collector say of each kind what it is when the servers fail.
async fn all_have_failed(world: &mut World, kinds: &[Kind]) {
    let console = world.console().clone();
    for kind in kinds {
        let (success, outcome) = if kind.cause.is_some() { (0.0, "down") } else { (1.0, "up") };
        world.agents[0].has(&kind.series("nines_probe_success", ""), success).await;
        eventually(&format!("{} is {outcome} by {:?}", kind.name, kind.cause), async || {
            let shown = console.json(&format!("/api/v1/services/{}", kind.name)).await;
            let last = &shown["series"][0];
            holds(last["outcome"] == outcome && last["cause"].as_str() == kind.cause, || shown.to_string())
        })
        .await;
    }
}

/// Every kind with a cause is explained by it, from the results that the spools held.
fn assert_explained(world: &World, kinds: &[Kind]) {
    let (config, results, period) = (world.collector_config(), world.file("results.ndjson"), world.period());
    for kind in kinds {
        let mut arguments: Vec<&OsStr> = ["collector", "explain", "--service", kind.name].map(OsStr::new).to_vec();
        arguments.extend(["--config".as_ref(), config.as_os_str(), "--results".as_ref(), results.as_os_str()]);
        arguments.extend(["--period", &period].map(OsStr::new));
        let told = program::answer(&arguments);
        let by = told.lines().find_map(|line| line.trim().strip_prefix("Attempts failed by: "));
        match kind.cause {
            Some(cause) => assert!(by.is_some_and(|by| by.contains(cause)), "{cause}: {told}"),
            None => assert_eq!(by, None, "{told}"),
        }
    }
}

/// Hands out every second check, beginning with that of number `first`; the others stand in the agent's own file.
async fn every_kind_comes_up_and_goes_down(first: usize) {
    let dir = TempDir::new().unwrap();
    let servers = Servers::start(dir.path()).await;
    let kinds = kinds(&servers);
    let is_handed = |at: usize| at % 2 == first;
    let promised = kinds.iter().enumerate().map(|(at, kind)| {
        let check = if is_handed(at) { kind.check("") } else { kind.decoy() };
        (kind, check)
    });
    let services = services(promised);
    let own = kinds.iter().enumerate().filter(|&(at, _)| !is_handed(at)).fold(String::new(), |mut own, (_, kind)| {
        let _ = write!(own, "\n  - {}", kind.check(&format!("service: {}, ", kind.name)));
        own
    });
    let plan = Plan { agents: &["seoul-1"], outage: OUTAGE, services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", &format!("exec: {{ allow: [/usr/bin/test] }}\nchecks:\n  - from_collector{own}"));
    all_are_up(&mut world, &kinds).await;
    servers.fail().await;
    all_have_failed(&mut world, &kinds).await;
    world.stop_and_reconcile().await;
    assert_explained(&world, &kinds);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_check_is_up_and_down_by_its_cause_whoever_says_what_to_check() {
    tokio::join!(every_kind_comes_up_and_goes_down(0), every_kind_comes_up_and_goes_down(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_agent_does_not_allow_is_never_started_and_void() {
    let dir = TempDir::new().unwrap();
    let mark = dir.path().join("mark");
    let exec = Kind {
        name: "exec",
        keys: format!("exec: [/usr/bin/touch, '{}']", mark.display()),
        rhythm: "every: 1s, timeout: 1s",
        proof: ("nines_probe_exec_exit_status", "", 0.0),
        cause: None,
    };
    let services = services([(&exec, exec.check(""))]);
    let plan = Plan { agents: &["seoul-1"], outage: OUTAGE, services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", "");
    let console = world.console().clone();
    let agent = &mut world.agents[0];
    eventually("the agent tells of voids and their cause", async || {
        let page = agent.metrics().await;
        let voids = sample(&page, &exec.series("nines_probe_void_results_total", ",cause=\"prober\""));
        holds(voids.is_some_and(|count| 2.0 <= count), || page.clone())?;
        assert_eq!(sample(&page, &exec.series("nines_probe_success", "")), None, "{page}");
        assert_eq!(voids, Some(sum(&page, "nines_probe_void_results_total{")), "{page}");
        Ok(())
    })
    .await;
    let told = agent.program.logged("`/usr/bin/touch` is not started for a check from elsewhere").await;
    assert!(told.contains("allow it in agent.yaml"), "{told}");
    console.hears("exec", &["seoul-1"], "void").await;
    console.shows("exec", "unknown").await;
    assert!(!mark.exists(), "it was started");

    agent.reconfigure(|text| format!("{text}exec: {{ allow: [/usr/bin/touch] }}\n"));
    console.shows("exec", "up").await;
    assert!(mark.exists());
}
