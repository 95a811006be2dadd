//! What ships as an example or preset is read as it stands.

use config::{agent, collector};
use std::path::{Path, PathBuf};

fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn warnings_of_collector(text: &str) -> Vec<String> {
    let loaded = collector::parse(text, "c.yaml", Path::new(".")).unwrap_or_else(|error| panic!("{error}"));
    loaded.warnings.iter().map(|warning| warning.message.clone()).collect()
}

#[test]
fn the_full_examples_are_read_without_a_doubt() {
    let loaded = collector::load(&shipped("examples/collector.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.value.agreements[0].services[0].checks.len(), 3);
    let loaded = agent::load(&shipped("examples/agent.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.warnings, []);
    let uplink = loaded.value.collector.expect("the example names a collector");
    assert_eq!(uplink.token.expect("the example names a token file").expose(), "replace-me");
    assert!(loaded.value.checks.from_collector);
    let services: Vec<_> = loaded.value.checks.list.iter().map(|assigned| assigned.service.to_string()).collect();
    assert_eq!(services, ["seoul-1", "intranet"]);
}

#[test]
fn the_example_of_agreements_over_their_life_is_read_without_a_doubt() {
    let path = shipped("examples/collector-agreements.yaml");
    let loaded = collector::load(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.warnings, []);
    let config = loaded.value;
    let under = |month: &str| {
        let version = config.agreement("acme-apm", month.parse().expect("it is a month")).expect("it is in force");
        (version.policy.availability.objective.to_string(), version.services.len())
    };
    let months = ["2026-10", "2026-11", "2026-12"].map(under);
    assert_eq!(months, [("99.5".to_owned(), 1), ("99.9".to_owned(), 1), ("99.9".to_owned(), 2)]);
    assert_eq!((config.users.len(), config.channels.len(), config.reports.len()), (2, 3, 3));
}

#[test]
fn the_small_examples_are_read() {
    let loaded = agent::load(&shipped("examples/agent-small.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((loaded.value.collector, loaded.warnings), (None, Vec::new()));
    let loaded = collector::load(&shipped("examples/collector-small.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.value.policies[0].id.as_str(), "cloud-apm");
}

#[test]
fn a_preset_and_its_file_say_the_same() {
    for preset in ["aicc", "aws-compute", "azure-compute", "cloud-apm", "google-compute", "retainer"] {
        let agreement = format!("agreements: [{{ agreement: a, policy: {preset} }}]");
        let by_name = collector::parse(&agreement, "c.yaml", &shipped("")).unwrap_or_else(|error| panic!("{error}"));
        let by_file = format!("policies: policies/{preset}.yaml\n{agreement}");
        let by_file = collector::parse(&by_file, "c.yaml", &shipped("")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(by_name.value, by_file.value, "{preset}");
    }
}

#[test]
fn only_the_source_agreements_own_oddities_are_doubted_in_a_preset() {
    let tiers = |preset: &str| {
        let text = format!("agreements: [{{ agreement: a, policy: {preset}, fees: {{ currency: KRW }} }}]");
        warnings_of_collector(&text).into_iter().filter(|warning| !warning.contains("never measured")).count()
    };
    assert_eq!(tiers("cloud-apm"), 2);
    for preset in ["aicc", "aws-compute", "azure-compute", "google-compute", "retainer"] {
        assert_eq!(tiers(preset), 0, "{preset}");
    }
}

#[test]
fn policies_and_agreements_come_from_files_and_from_the_list_together() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file can be written");
    write("p-1.yaml", "policy: one");
    write("p-2.yaml", "- policy: two\n- policy: three");
    write("a.yaml", "agreement: b\npolicy: two");
    let main = "policies: [p-*.yaml, { policy: four }]\nagreements: [a.yaml, { agreement: c, policy: four }]";
    let loaded = collector::parse(main, "c.yaml", dir.path()).unwrap_or_else(|error| panic!("{error}"));
    let policies: Vec<_> = loaded.value.policies.iter().map(|policy| policy.id.as_str()).collect();
    assert_eq!(policies, ["one", "two", "three", "four"]);
    let agreements: Vec<_> = loaded.value.agreements.iter().map(|agreement| agreement.policy.id.as_str()).collect();
    assert_eq!(agreements, ["two", "four"]);
}

#[test]
fn a_mistake_in_a_named_file_is_shown_with_that_files_name() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    std::fs::write(dir.path().join("p.yaml"), "policy: one\nlatncy: []").expect("a file can be written");
    let error =
        collector::parse("policies: p.yaml\nagreements: []", "c.yaml", dir.path()).expect_err("a key is unknown");
    let shown = error.to_string();
    assert!(shown.contains("p.yaml:2:1: unknown key `latncy` in a policy; did you mean `latency`?"), "{shown}");
}

#[test]
fn a_directory_with_the_signs_of_a_pattern_is_a_name() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let odd = dir.path().join("[x]*");
    std::fs::create_dir(&odd).expect("a directory can be made");
    std::fs::write(odd.join("p.yaml"), "policy: one").expect("a file can be written");
    let loaded = collector::parse("policies: '*.yaml'\nagreements: []", "c.yaml", &odd);
    assert_eq!(loaded.unwrap_or_else(|error| panic!("{error}")).value.policies.len(), 1);
}

#[test]
fn a_secret_is_in_no_output() {
    let text = "ledger: postgres://nines:hunter2@127.0.0.1/nines\nagreements: []";
    let loaded = collector::parse(text, "c.yaml", Path::new(".")).unwrap_or_else(|error| panic!("{error}"));
    assert!(!format!("{:?}", loaded.value).contains("hunter2"));
    assert_eq!(
        loaded.value.ledger,
        collector::LedgerUrl::Postgres(config::secret::Secret::new("postgres://nines:hunter2@127.0.0.1/nines"))
    );
}

#[test]
fn the_configurations_in_the_documentation_are_read() {
    let page = std::fs::read_to_string(shipped("../docs/configuration.md")).expect("the page is there");
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let outcome = match block.lines().next() {
            Some("# collector.yaml") => collector::parse(block, "c.yaml", Path::new(".")).map(|_| ()),
            Some("# agent.yaml") => agent::parse(block, "a.yaml", Path::new(".")).map(|_| ()),
            first => panic!("{first:?} names neither file"),
        };
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_documentation_names_every_key_of_the_full_examples() {
    // The keys of a kind stand on the kind's own page; the examples use these two.
    let pages = ["../docs/configuration.md", "../docs/checks/http.md"];
    let page = pages.map(|page| std::fs::read_to_string(shipped(page)).expect("the page is there")).concat();
    for example in ["examples/collector.yaml", "examples/collector-agreements.yaml", "examples/agent.yaml"] {
        let text = std::fs::read_to_string(shipped(example)).expect("the example is there");
        let words = text.lines().filter_map(|line| line.split('#').next()).flat_map(|line| line.split([' ', '{', ',']));
        let keys = words
            .filter_map(|word| word.strip_suffix(':'))
            .filter(|key| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        for key in keys {
            assert!(page.contains(key), "{key} is missing");
        }
    }
}
