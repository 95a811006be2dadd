//! Every configuration that somebody may copy loads: those in `config/examples` and those in `deploy`.
//! Doesn't say what they mean; `config` has its own tests.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

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
        load(&example);
    }
}

#[test]
fn what_deploy_ships_loads_without_a_warning() {
    let shipped = configurations(&root().join("deploy"));
    assert_ne!(shipped, Vec::<PathBuf>::new(), "deploy ships no configuration");
    let warnings: Vec<_> = shipped.iter().flat_map(|path| load(path)).collect();
    assert!(warnings.is_empty(), "{}", warnings.join("\n"));
}
