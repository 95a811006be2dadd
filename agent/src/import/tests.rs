//! What becomes of jobs, and that the agent takes it.

use super::*;
use rules::check::Target;
use std::fs;
use std::time::Duration;

const MODULES: &str = r#"
modules:
  http_2xx: { prober: http, timeout: 5s, http: { valid_status_codes: [200, 204], fail_if_not_ssl: true } }
  login:
    prober: http
    http: { method: POST, headers: { X-Price: "$5" }, basic_auth: { username: me, password: hunter2 } }
  port: { prober: tcp }
"#;

const JOBS: &str = r#"
global: { scrape_interval: 30s }
scrape_configs:
  - job_name: node
    static_configs: [{ targets: ["a:9100"] }]
  - job_name: pages
    metrics_path: /probe
    params: { module: [http_2xx] }
    scheme: https
    static_configs:
      - targets: ["https://a.example/login", "b.example", "ftp://c.example"]
        labels: { env: prod }
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: "blackbox:9115" }
  - job_name: logins
    metrics_path: /probe
    scrape_interval: 10s
    params: { module: [login] }
    static_configs: [{ targets: ["a.example", "dropped.example"] }]
    relabel_configs:
      - { source_labels: [__address__], regex: "dropped.*", action: drop }
      - { source_labels: [__address__], target_label: __param_target, replacement: "https://$1/login" }
  - job_name: found
    metrics_path: /probe
    params: { module: [port] }
    file_sd_configs: [{ files: ["targets/*.json"] }]
    http_sd_configs: [{ url: "https://inventory.example/targets", refresh_interval: 2m }]
    relabel_configs:
      - { source_labels: [env], regex: "prod|stage", action: keep }
      - { source_labels: [__address__], target_label: __param_target }
  - job_name: urls
    metrics_path: /probe
    params: { module: [http_2xx] }
    file_sd_configs: [{ files: ["urls.yaml"] }]
    dns_sd_configs: [{ names: [x] }]
    relabel_configs: [{ source_labels: [__address__], target_label: __param_target }]
"#;

fn imported() -> Imported {
    let dir = tempfile::tempdir().unwrap();
    let (modules, jobs) = (dir.path().join("blackbox.yml"), dir.path().join("prometheus.yml"));
    fs::write(&modules, MODULES).unwrap();
    fs::write(&jobs, JOBS).unwrap();
    let imported = blackbox(&modules, &jobs).unwrap_or_else(|error| panic!("{error}"));
    Imported { yaml: imported.yaml.replace(&format!("{}/", dir.path().display()), ""), ..imported }
}

#[test]
fn what_is_imported_is_what_the_agent_takes() {
    let imported = imported();
    // The variable is for whoever runs the agent to set.
    let yaml = imported.yaml.replace("${NINES_LOGIN_BASIC_AUTH_PASSWORD}", "${PATH}");
    assert_ne!(yaml, imported.yaml);
    let loaded =
        config::agent::parse(&yaml, "a.yaml", Path::new("/etc")).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let checks: Vec<_> = loaded
        .value
        .checks
        .list
        .iter()
        .map(|assigned| {
            let check = &assigned.check;
            (
                assigned.service.to_string(),
                check.id.to_string(),
                check.target.address().to_owned(),
                check.every,
                check.timeout,
            )
        })
        .collect();
    let seconds = Duration::from_secs;
    let of = |service: &str, check: &str, url: &str, every, timeout| {
        (service.to_owned(), check.to_owned(), url.to_owned(), every, timeout)
    };
    assert_eq!(
        checks,
        [
            of("pages", "a.example_login", "https://a.example/login", seconds(30), seconds(5)),
            of("pages", "b.example", "http://b.example", seconds(30), seconds(5)),
            of("logins", "a.example_login", "https://a.example/login", seconds(10), Duration::from_millis(9_500)),
        ]
    );
    let Target::Http(login) = &loaded.value.checks.list[2].check.target else { panic!("not http") };
    assert_eq!((login.method.as_str(), login.headers.len()), ("POST", 1));
    let sources: Vec<_> = loaded.value.discovery.iter().map(|source| source.id.to_string()).collect();
    assert_eq!(sources, ["found", "found-2", "urls", "urls-hosts"]);
}

#[test]
fn what_is_not_carried_over_is_said() {
    let imported = imported();
    for part in [
        "job `node`: it scrapes metrics",
        "the labels {\"env\": \"prod\"}",
        "target ftp://c.example: ",
        "dns_sd_configs",
        "the secret `login.basic_auth.password`: set NINES_LOGIN_BASIC_AUTH_PASSWORD",
    ] {
        assert!(
            imported.left_out.iter().any(|said| said.contains(part)),
            "{part} is not said: {:#?}",
            imported.left_out
        );
        assert!(imported.yaml.contains(part), "{part} is no comment of\n{}", imported.yaml);
    }
    assert!(imported.yaml.contains("its relabelling drops the target dropped.example"), "{}", imported.yaml);
    assert!(!imported.yaml.contains("hunter2"));
}

#[test]
fn it_reads_as_if_typed() {
    let yaml = imported().yaml;
    let check = r#"
  # job `logins`, module `login`
  - service: logins
    check: a.example_login
    http: "https://a.example/login"
    every: 10s
    timeout: 9s500ms
    basic_auth: {"password":"${NINES_LOGIN_BASIC_AUTH_PASSWORD}","username":"me"}
    headers: {"X-Price":"$$5"}
    method: POST
"#;
    let source = r#"
  # job `found`, module `port`
  - source: found
    file_sd: ["targets/*.json"]
    select: {"env":{"matches":"prod|stage"}}
    service: found
    checks:
      - tcp: "{address}"
        every: 30s
        timeout: 9s500ms
"#;
    for part in [check, source] {
        assert!(yaml.contains(part), "{part} is not in\n{yaml}");
    }
}
