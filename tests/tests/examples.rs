//! Every configuration that somebody may copy loads: those in `config/examples`, those in `deploy` and those on the pages
//! about checks and discovery, whose tables name keys that are read.
//! Doesn't say what they mean; `config` has its own tests.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The YAML files below a directory that are ours and not Kubernetes'.
fn configurations(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(configurations(&path));
        } else if path.extension().is_some_and(|it| it == "yaml")
            && !fs::read_to_string(&path).unwrap().contains("apiVersion:")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a file is a flow, which is read by the configuration that names it.
fn is_flow(path: &Path) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with("flows"))
}

/// Loads a file as the program would that it is for; a token's file, which no repository holds, is put in its place.
/// Gives the warnings.
fn load(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let name = path.strip_prefix(root()).unwrap().display().to_string();
    let is_agent = text.lines().any(|line| line.starts_with("agent:"));
    let is_collector = text.lines().any(|line| line.starts_with("agreements:"));
    let base = path.parent().unwrap();
    let warnings = match (is_agent, is_collector) {
        (true, false) => {
            let token = tempfile::NamedTempFile::new().unwrap();
            fs::write(token.path(), "a token\n").unwrap();
            let line = format!("token_file: {}", token.path().display());
            let text = Regex::new(r"(?m)^token_file: .*$").unwrap().replace(&text, line);
            config::agent::parse(&text, &name, base).map(|loaded| loaded.warnings)
        }
        (false, true) => config::collector::parse(&text, &name, base).map(|loaded| loaded.warnings),
        _ => panic!("{name} is for neither an agent nor a collector"),
    };
    let warnings = warnings.unwrap_or_else(|error| panic!("{name} does not load:\n{error}"));
    warnings.iter().map(|warning| format!("{name}: {warning}")).collect()
}

#[test]
fn every_example_loads() {
    let examples = configurations(&root().join("config/examples"));
    assert_ne!(examples, Vec::<PathBuf>::new(), "config/examples is empty");
    let (flows, examples): (Vec<_>, Vec<_>) = examples.into_iter().partition(|path| is_flow(path));
    let texts: String = examples.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for flow in flows {
        let name = format!("flows/{}", flow.file_name().unwrap().to_str().unwrap());
        assert!(texts.contains(&name), "no example uses {name}, so nothing reads it");
    }
    for example in examples {
        let warnings = load(&example);
        let is_of_kind = example.file_name().unwrap().to_str().unwrap().starts_with("check-");
        assert!(!is_of_kind || warnings.is_empty(), "{}", warnings.join("\n"));
    }
}

#[test]
fn what_deploy_ships_loads_without_a_warning() {
    let shipped = configurations(&root().join("deploy"));
    assert_ne!(shipped, Vec::<PathBuf>::new(), "deploy ships no configuration");
    let warnings: Vec<_> = shipped.iter().flat_map(|path| load(path)).collect();
    assert!(warnings.is_empty(), "{}", warnings.join("\n"));
}

/// Each table of keys on the pages, by page and heading, and a part of an agent's configuration that has them at `KEY`.
const TABLES: &[(&str, &str, &str)] = &[
    ("checks/dns.md", "Options", "checks: [{ check: a, dns: 192.0.2.53, query_name: a.example, KEY }]"),
    (
        "checks/dns.md",
        "Rules about records",
        "checks: [{ check: a, dns: 192.0.2.53, query_name: a.example, validate_answer_rrs: { KEY } }]",
    ),
    ("checks/exec.md", "Options", "checks: [{ check: a, exec: [/bin/true], KEY }]"),
    (
        "checks/flow.md",
        "The flow",
        "checks: [{ check: a, flow: { steps: [{ step: b, request: 'http://a.example/' }], KEY } }]",
    ),
    (
        "checks/flow.md",
        "A step",
        "checks: [{ check: a, flow: { steps: [{ step: b, request: 'http://a.example/', KEY }] } }]",
    ),
    ("checks/grpc.md", "Options", "checks: [{ check: a, grpc: a.example, KEY }]"),
    ("checks/heartbeat.md", "Options", "checks: [{ check: a, heartbeat: '@daily', KEY }]"),
    ("checks/http.md", "What is asked", "checks: [{ check: a, http: 'http://a.example/', KEY }]"),
    ("checks/http.md", "What is expected", "checks: [{ check: a, http: 'http://a.example/', KEY }]"),
    ("checks/http.md", "How it is asked", "checks: [{ check: a, http: 'http://a.example/', KEY }]"),
    ("checks/icmp.md", "Options", "checks: [{ check: a, icmp: a.example, KEY }]"),
    ("checks/page.md", "Options", "checks: [{ check: a, page: 'http://a.example/', KEY }]"),
    ("checks/promql.md", "Options", "checks: [{ check: a, promql: up, server: 'http://a.example', KEY }]"),
    ("checks/tcp.md", "Options", "checks: [{ check: a, tcp: 'a.example:25', KEY }]"),
    ("checks/tcp.md", "Steps of a dialog", "checks: [{ check: a, tcp: 'a.example:25', query_response: [{ KEY }] }]"),
    ("checks/tls.md", "Options", "checks: [{ check: a, tls: 'a.example:443', KEY }]"),
    ("checks/tls.md", "tls_config", "checks: [{ check: a, tls: 'a.example:443', tls_config: { KEY } }]"),
    ("checks/unix.md", "Options", "checks: [{ check: a, unix: /run/a.sock, KEY }]"),
    ("checks/ws.md", "Options", "checks: [{ check: a, ws: 'ws://a.example/', KEY }]"),
    (
        "discovery.md",
        "Discovery",
        "discovery: [{ source: a, file_sd: a.json, service: b, checks: [{ tcp: '{address}' }], KEY }]",
    ),
    (
        "discovery.md",
        "http_sd",
        "discovery: [{ source: a, http_sd: 'http://a.example/', service: b, checks: [{ tcp: '{address}' }], KEY }]",
    ),
    ("discovery.md", "kubernetes", "discovery: [{ source: a, kubernetes: services, KEY }]"),
];

/// The pages about checks and discovery, by their paths below `docs`.
fn pages() -> Vec<(String, String)> {
    let docs = root().join("docs");
    let kinds = fs::read_dir(docs.join("checks")).unwrap().map(|entry| entry.unwrap().path());
    let paths = kinds.chain([docs.join("discovery.md")]);
    let read =
        |path: PathBuf| (path.strip_prefix(&docs).unwrap().display().to_string(), fs::read_to_string(&path).unwrap());
    let mut pages: Vec<_> = paths.map(read).collect();
    pages.sort();
    pages
}

/// Reads a part of agent.yaml as a page shows it, beside the examples; the agent's name may be left out.
fn read_part(part: &str, name: &str) -> Result<(), String> {
    let named = part.lines().any(|line| line.starts_with("agent:"));
    let text = if named { part.to_owned() } else { format!("agent: a\n{part}") };
    let read = config::agent::parse(&text, name, &root().join("config/examples"));
    read.map(|_| ()).map_err(|error| error.to_string())
}

/// The keys in the tables of a page whose first column is `key`, each with the heading that it stands under.
fn keys_of_tables(page: &str) -> BTreeSet<(&str, &str)> {
    let mut keys = BTreeSet::new();
    let (mut heading, mut inside, mut fenced) = ("", false, false);
    for line in page.lines() {
        fenced ^= line.starts_with("```");
        inside = line.starts_with("| key |") || inside && line.starts_with('|');
        match line.split_once("# ") {
            Some((marks, title)) if !fenced && marks.chars().all(|mark| mark == '#') => heading = title,
            _ => {}
        }
        let first = line.split('|').nth(1).filter(|_| inside).unwrap_or_default();
        keys.extend(first.split('`').skip(1).step_by(2).map(|key| (heading, key)));
    }
    keys
}

#[test]
fn every_configuration_on_a_page_loads() {
    let mut found = 0;
    for (name, page) in pages() {
        let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        for block in blocks {
            read_part(block, &name)
                .unwrap_or_else(|error| panic!("docs/{name} has what does not load:\n{error}\n{block}"));
            found += 1;
        }
    }
    assert!(found > 5, "the pages show {found} configurations");
}

#[test]
fn every_key_in_a_table_of_a_page_is_read() {
    let mut seen = BTreeSet::new();
    for (name, page) in pages() {
        for (heading, key) in keys_of_tables(&page) {
            let Some(table) = TABLES.iter().find(|table| (table.0, table.1) == (&name, heading)) else {
                panic!("docs/{name} has a table of keys under `{heading}` that TABLES does not know");
            };
            seen.insert((table.0, table.1));
            let read = |key: &str| read_part(&table.2.replace("KEY", &format!("{key}: [[]]")), &name);
            let stranger = read("stranger").unwrap_err();
            assert!(stranger.contains("unknown key `stranger`"), "docs/{name}, {heading}: {stranger}");
            let refusal = read(key).err().unwrap_or_default();
            assert!(!refusal.contains("unknown key"), "docs/{name}, {heading}: {refusal}");
        }
    }
    let known: BTreeSet<_> = TABLES.iter().map(|table| (table.0, table.1)).collect();
    assert_eq!(seen, known, "a table of TABLES stands on no page");
}
