//! The house rules that no compiler checks: who may depend on whom, how long a file may be, what may not be left behind.
//! Reads the sources as text and judges nothing it cannot point at: every finding names a file and a line.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Which crate may depend on which, from the ground floor up. A crate that is missing here is a finding.
const ARROWS: &[(&str, &[&str])] = &[
    ("rules", &[]),
    ("config", &["rules"]),
    ("daemon", &["rules"]),
    ("agent", &["rules", "config", "daemon"]),
    ("collector", &["rules", "config", "daemon"]),
    ("nines", &["rules", "config", "daemon", "agent", "collector"]),
    ("tests", &["rules", "config", "daemon", "agent", "collector", "nines"]),
];

/// Look for a seam at 400 lines; nothing grows beyond this.
const LINES_MAX: usize = 600;

/// Where nothing of ours lives.
const NOT_OURS: &[&str] = &["target", ".git", "nines-data", "node_modules"];

/// A drawer without a name fills up.
const DRAWERS: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "mod"];

/// The only file that reads a clock.
const CLOCK: &str = "daemon/src/clock.rs";

/// Targets that are slow because a test says how slow. Nobody waits here for something to have happened.
const SLOW_ON_PURPOSE: &[&str] = &[
    "agent/tests/prober/main.rs",
    "agent/tests/prober/servers.rs",
    "agent/tests/hostile/servers.rs",
    "agent/tests/hostile/speech.rs",
    "agent/tests/kinds/dns.rs",
    "agent/tests/kinds/grpc/servers.rs",
];

/// This file names what it forbids.
const SELF: &str = "tests/tests/tidy.rs";

/// Something wrong at one place.
struct Finding {
    path: String,
    line: usize,
    why: String,
}

/// One text file of the tree, with its path as `git` would write it.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines with their numbers, from one.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    fn finding(&self, line: usize, why: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, why: why.into() }
    }

    /// The file without its tests.
    fn product(self) -> Source {
        let text = self.text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
        Source { text, ..self }
    }

    fn stem(&self) -> &str {
        Path::new(&self.path).file_stem().and_then(|stem| stem.to_str()).unwrap()
    }

    fn is_under(&self, directory: &str) -> bool {
        self.path.split('/').any(|part| part == directory)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file of the tree with this extension, in order of path; `under` is a directory from the root, or empty.
fn sources(under: &str, extension: &str) -> Vec<Source> {
    fn walk(directory: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            if path.is_dir() && !NOT_OURS.contains(&name) {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut paths = Vec::new();
    walk(&root.join(under), extension, &mut paths);
    paths.sort();
    assert_ne!(paths, Vec::<PathBuf>::new(), "no .{extension} file under {under:?}: the walk is broken");
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

fn rust() -> Vec<Source> {
    sources("", "rs").into_iter().filter(|source| source.path != SELF).collect()
}

fn manifest(of: &str) -> Source {
    let path = format!("{of}/Cargo.toml");
    Source { text: fs::read_to_string(root().join(&path)).unwrap(), path }
}

/// The crates of the workspace, from the root manifest's `members` line.
fn members() -> Vec<String> {
    let manifest = manifest(".");
    let line = manifest.text.lines().find(|line| line.starts_with("members")).unwrap();
    Regex::new(r#""([^"]+)""#).unwrap().captures_iter(line).map(|name| name[1].to_owned()).collect()
}

/// The lines of these files that match, each a finding that quotes itself.
fn matching(sources: &[Source], pattern: &str) -> Vec<Finding> {
    let pattern = Regex::new(pattern).unwrap();
    let lines = sources.iter().flat_map(|source| source.lines().map(move |(line, text)| (source, line, text)));
    let found = lines.filter(|(_, _, text)| pattern.is_match(text));
    found.map(|(source, line, text)| source.finding(line, text.trim())).collect()
}

fn assert_tidy(rule: &str, findings: Vec<Finding>) {
    let list = findings.iter().fold(String::new(), |mut list, finding| {
        let _ = write!(list, "\n  {}:{}: {}", finding.path, finding.line, finding.why);
        list
    });
    assert!(findings.is_empty(), "{rule}:{list}");
}

#[test]
fn crates_depend_only_downwards() {
    let members = members();
    let dependency = Regex::new(r"^(?:\[.*dependencies\.)?([A-Za-z0-9_-]+)\s*(\.workspace)?\s*[=\]]").unwrap();
    let mut findings = Vec::new();
    for member in &members {
        let manifest = manifest(member);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == member) else {
            findings.push(manifest.finding(1, format!("the crate {member} has no place in the picture: see ARROWS")));
            continue;
        };
        let mut in_dependencies = false;
        for (line, text) in manifest.lines() {
            if text.starts_with('[') {
                in_dependencies = text.ends_with("dependencies]") || text.contains("dependencies.");
            }
            let Some(name) = dependency.captures(text).filter(|_| in_dependencies) else { continue };
            let name = &name[1];
            if members.iter().any(|it| it == name) && !allowed.contains(&name) {
                findings.push(manifest.finding(line, format!("{member} must not know {name}")));
            }
        }
    }
    assert_tidy("a crate may depend only on what lies below it", findings);
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let lacking = members().into_iter().map(|member| manifest(&member)).filter(|manifest| {
        let lints = manifest.text.split_once("\n[lints]\n").map(|(_, after)| after.trim_start());
        !lints.is_some_and(|after| after.starts_with("workspace = true"))
    });
    let findings = lacking.map(|manifest| manifest.finding(1, "lacks `[lints] workspace = true`")).collect();
    assert_tidy("every crate is held to the same lints", findings);
}

#[test]
fn no_file_outgrows_its_subject() {
    let long = sources("", "rs").into_iter().filter(|source| LINES_MAX < source.lines().count());
    let findings = long.map(|source| source.finding(LINES_MAX, "goes on beyond this line: find the seam")).collect();
    assert_tidy("a file holds one subject", findings);
}

#[test]
fn every_module_says_what_it_is_for() {
    let modules = rust().into_iter().filter(|source| source.stem() != "tests");
    let silent = modules.filter(|source| !source.text.starts_with("//!"));
    let findings = silent.map(|source| source.finding(1, "begins without a `//!` sentence")).collect();
    assert_tidy("a module begins with what it is for and what it never does", findings);
}

#[test]
fn nothing_is_left_behind() {
    let leftovers = r"\b(todo|unimplemented|dbg)!|#\[ignore|\bFIXME\b|\bXXX\b|\bTODO\b|To be written";
    assert_tidy("what is unfinished does not stay", matching(&rust(), leftovers));
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    let allowed = matching(&rust(), r"#!?\[(cfg_attr\(.*)?allow\(|#!?\[expect\([a-z_:, ]+\)\]");
    assert_tidy("`#[expect(lint, reason = …)]` reports itself when no longer needed", allowed);
}

#[test]
fn modules_are_named_after_their_subject() {
    let rust = rust();
    let mut findings = matching(&rust, &format!(r"^\s*(pub(\([a-z]+\))? )?mod ({})\b", DRAWERS.join("|")));
    let files = rust.iter().filter(|source| DRAWERS.contains(&source.stem()));
    findings.extend(files.map(|source| source.finding(1, "names a drawer, not a subject")));
    assert_tidy("modules are domain nouns", findings);
}

#[test]
fn only_one_file_reads_clocks() {
    let elsewhere: Vec<_> = rust().into_iter().filter(|source| source.path != CLOCK).collect();
    let read = matching(&elsewhere, r"\b(SystemTime|Instant|Timestamp|Zoned)::now\b|\bclock_gettime\b");
    assert_tidy("`now` is an argument; daemon/src/clock.rs alone reads clocks", read);
    assert!(root().join(CLOCK).exists(), "{CLOCK} is gone: who reads the clock now?");
}

#[test]
fn tests_wait_for_conditions_and_never_sleep() {
    let sleep = Regex::new(r"thread::sleep\(|(^|[\s(])((tokio::)?time::)?sleep(_until)?\(.*\.await").unwrap();
    let mut findings = Vec::new();
    for source in rust().into_iter().filter(|source| !SLOW_ON_PURPOSE.contains(&source.path.as_str())) {
        let mut in_tests = source.is_under("tests") || source.stem() == "tests";
        for (line, text) in source.lines() {
            in_tests |= text.trim_start().starts_with("mod tests {");
            if in_tests && sleep.is_match(text) {
                findings.push(source.finding(line, text.trim()));
            }
        }
    }
    assert_tidy("a test waits for what it wants to see", findings);
}

/// Names of our metrics in a text and the line each first stands in, without the suffixes that a histogram's series carry.
fn metrics(source: &Source, pattern: &str) -> Vec<(usize, String)> {
    let pattern = Regex::new(pattern).unwrap();
    let suffix = Regex::new("_(bucket|sum|count)$").unwrap();
    let mut seen = BTreeSet::new();
    let found = source.lines().flat_map(|(line, text)| pattern.captures_iter(text).map(move |it| (line, it)));
    let named = found.map(|(line, name)| (line, suffix.replace(&name[1], "").into_owned()));
    named.filter(|(_, name)| seen.insert(name.clone())).collect()
}

/// What the programs write, by the string literals that begin like a metric of ours.
fn metrics_written() -> BTreeSet<String> {
    let programs = ["collector/src", "agent/src", "daemon/src"].into_iter().flat_map(|under| sources(under, "rs"));
    let literals = programs.flat_map(|source| metrics(&source.product(), r#""(nines_[a-z0-9_]+)"#));
    literals.map(|(_, name)| name).collect()
}

#[test]
fn every_metric_in_dashboards_is_one_that_a_program_writes() {
    let written = metrics_written();
    let mut files = sources("dashboards", "json");
    files.extend(sources("dashboards", "yaml"));
    let used = files
        .iter()
        .flat_map(|source| metrics(source, r"\b(nines_[a-z0-9_]+)").into_iter().map(move |it| (source, it)));
    let unknown = used.filter(|(_, (_, name))| !written.contains(name));
    let findings =
        unknown.map(|(source, (line, name))| source.finding(line, format!("no program writes {name}"))).collect();
    assert_tidy("a panel without data looks like a service without trouble", findings);
}

#[test]
fn docs_name_every_metric_and_no_other() {
    let written = metrics_written();
    let page = sources("docs", "md").into_iter().find(|source| source.path == "docs/metrics.md").unwrap();
    let named = metrics(&page, r"\| `(nines_[a-z0-9_]+)` \|");
    let unknown = named.iter().filter(|(_, name)| !written.contains(name));
    let mut findings: Vec<_> =
        unknown.map(|(line, name)| page.finding(*line, format!("no program writes {name}"))).collect();
    let named: BTreeSet<_> = named.iter().map(|(_, name)| name.clone()).collect();
    let last = page.lines().count();
    findings.extend(written.difference(&named).map(|name| page.finding(last, format!("{name} is not explained"))));
    assert_tidy("docs/metrics.md says what /metrics says", findings);
}
