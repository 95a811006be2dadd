//! `file_sd`: real files, changed as people and programs change them.

use crate::running::{Place, port};
use std::fs;

const SOURCE: &str = r#"
checks:
  - { service: s, check: written, tcp: "127.0.0.1:1", every: 100ms }
discovery:
  - source: web
    file_sd: [targets/*.json, targets/*.yaml]
    service: "{team}"
    select: { env: prod }
    checks:
      - { check: "{__address__}-{name}", tcp: "{address}", every: 100ms, timeout: 100ms }
"#;

fn group(address: &str, name: &str) -> String {
    format!(r#"{{"targets": ["{address}"], "labels": {{"env": "prod", "team": "shop", "name": "{name}"}}}}"#)
}

#[tokio::test]
async fn what_files_say_is_probed_and_other_checks_keep_their_figures() {
    let (place, port) = (Place::new(), port().await);
    let address = port.address.to_string();
    let named = |name: &str| format!("{address}-{name}");
    place.configure(SOURCE);
    place.write("targets/a.json", &format!("[{}]", group(&address, "a")));
    let running = place.start().await;
    running.stands(&["written", &named("a")]).await;
    running.shows(&format!(r#"nines_probe_success{{service="shop",check="{}"}}"#, named("a")), 1.0).await;
    let written = r#"nines_probe_results_total{service="s",check="written",outcome="down"}"#;
    let before = running.value(written).await.unwrap();

    place.write(
        "targets/b.yaml",
        &format!("- targets: [\"{address}\"]\n  labels: {{ env: prod, team: shop, name: b }}\n"),
    );
    running.stands(&["written", &named("a"), &named("b")]).await;
    place.write("targets/a.json", &format!("[{}, {}]", group(&address, "c"), group("not an address", "d")));
    running.stands(&["written", &named("b"), &named("c")]).await;
    running.shows(r#"nines_agent_discovery_targets{source="web"}"#, 3.0).await;
    running.shows(r#"nines_agent_discovery_checks{source="web"}"#, 2.0).await;
    running.shows(r#"nines_agent_discovery_skipped{reason="invalid",source="web"}"#, 1.0).await;
    assert!(before <= running.value(written).await.unwrap(), "figures of a check that stays are kept");

    place.write("targets/a.json", "[{");
    while running.value(r#"nines_agent_discovery_failures_total{source="web"}"#).await < Some(1.0) {
        tokio::task::yield_now().await;
    }
    place.write("targets/b.yaml", "[]");
    running.stands(&["written", &named("c")]).await;
    fs::remove_file(place.path("targets/a.json")).unwrap();
    running.stands(&["written"]).await;
    running.stop().await;
}

#[tokio::test]
async fn a_reload_takes_other_templates_and_sources_up_and_drops_those_that_are_gone() {
    let (place, port) = (Place::new(), port().await);
    place.write("t.json", &format!(r#"[{{"targets": ["{}"]}}]"#, port.address));
    let source = |name: &str, rest: &str| {
        format!(
            "discovery: [{{ source: {name}, file_sd: t.json, service: s, checks: [{{ tcp: \"{{address}}\"{rest} }}] }}]\n"
        )
    };
    place.configure(&source("first", ""));
    let running = place.start().await;
    running.stands(&[&format!("first:{}", port.address)]).await;
    place.configure(&source("first", ", check: \"{host}\""));
    running.stands(&["127.0.0.1"]).await;
    place.configure(&source("second", ""));
    running.stands(&[&format!("second:{}", port.address)]).await;
    let (_, page) = running.ask("/metrics").await;
    assert!(!page.contains("source=\"first\""), "{page}");
    assert!(!place.path("spool/discovered-first.json").exists());
    running.stop().await;
}

#[tokio::test]
async fn a_written_check_stands_before_a_discovered_one_of_its_name() {
    let (place, port) = (Place::new(), port().await);
    let address = port.address;
    place.write("t.json", &format!(r#"[{{"targets": ["{address}"], "labels": {{"name": "same"}}}}]"#));
    let source = |name: &str| {
        format!(
            "  - {{ source: {name}, file_sd: t.json, service: s, checks: [{{ check: \"{{name}}\", tcp: \"{{address}}\" }}] }}\n"
        )
    };
    let written = "checks: [{ service: s, check: same, tcp: \"127.0.0.1:1\", every: 100ms }]\n";
    place.configure(&format!("{written}discovery:\n{}{}", source("first"), source("second")));
    let running = place.start().await;
    running.shows(r#"nines_agent_discovery_skipped{reason="collision",source="first"}"#, 1.0).await;
    running.shows(r#"nines_probe_success{service="s",check="same"}"#, 0.0).await;
    place.configure(&format!("discovery:\n{}{}", source("first"), source("second")));
    running.shows(r#"nines_probe_success{service="s",check="same"}"#, 1.0).await;
    running.shows(r#"nines_agent_discovery_skipped{reason="collision",source="first"}"#, 0.0).await;
    running.shows(r#"nines_agent_discovery_skipped{reason="collision",source="second"}"#, 1.0).await;
    running.stop().await;
}

#[tokio::test]
async fn a_named_file_that_is_away_is_waited_for_and_what_it_said_outlives_a_restart() {
    let (place, port) = (Place::new(), port().await);
    place.configure("discovery: [{ source: web, file_sd: t.json, service: s, checks: [{ tcp: \"{address}\" }] }]");
    let running = place.start().await;
    let (status, why) = loop {
        let (status, why) = running.ask("/readyz").await;
        if why.contains("(the file") {
            break (status, why);
        }
        tokio::task::yield_now().await;
    };
    let expected = format!(
        "discovery: waiting for the first answer of `web` (the file {} is not there)\n",
        place.path("t.json").display()
    );
    assert_eq!((status, why), (503, expected));
    place.write("t.json", &format!(r#"[{{"targets": ["{}"]}}]"#, port.address));
    running.is_ready().await;
    let name = format!("web:{}", port.address);
    running.stands(&[&name]).await;
    fs::remove_file(place.path("t.json")).unwrap();
    running.stop().await;
    let running = place.start().await;
    running.stands(&[&name]).await;
    assert_eq!(running.ask("/readyz").await.0, 200);
    running.stop().await;
}
