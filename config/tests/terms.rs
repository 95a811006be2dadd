//! What is agreed over time: versions, standings, retainers, and the people who are told.

use config::collector::evidence::{ArchiveConfig, ClosingConfig, StoreUrl};
use config::collector::notify::{Channel, Told, Way};
use config::collector::reports::{Form, Report, Schedule};
use config::collector::users::{Role, User};
use config::collector::{self, CollectorConfig};
use config::secret::Secret;
use rules::agreement::Effective;
use rules::decimal::Money;
use rules::period::Month;
use rules::retainer::{ManMonths, Retainer};
use rules::standing::{Change, Standing, StandingRule};
use rules::time::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3600);

#[track_caller]
fn collector(text: &str) -> CollectorConfig {
    collector::parse(text, "c.yaml", Path::new("/etc/nines")).unwrap_or_else(|error| panic!("{error}")).value
}

fn month(text: &str) -> Month {
    text.parse().expect("it is a month")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("it is an instant")
}

#[test]
fn users_have_a_role_a_token_and_perhaps_agreements() {
    let config = collector(
        "
users:
  - { user: kim, role: admin, token_sha256: 0a00000000000000000000000000000000000000000000000000000000000FfF }
  - { user: Acme 담당, role: viewer, token_sha256: 0b00000000000000000000000000000000000000000000000000000000000000, agreements: acme }
agreements: [{ agreement: acme, policy: aicc }, { agreement: other, policy: aicc }]
",
    );
    let mut kims = [0; 32];
    (kims[0], kims[30], kims[31]) = (0x0a, 0x0f, 0xff);
    let kim = User { user: "kim".to_owned(), role: Role::Admin, token_sha256: kims, agreements: None };
    assert_eq!(config.users[0], kim);
    assert_eq!((config.users[1].user.as_str(), config.users[1].role), ("Acme 담당", Role::Viewer));
    assert_eq!(config.users[1].agreements, Some(["acme".parse().expect("it is a name")].into()));
}

#[test]
fn each_way_of_telling_has_its_keys_and_hears_of_what_it_lists() {
    let config = collector(
        "
notify:
  - channel: hook
    webhook: { url: 'https://hooks.example/${CARGO_PKG_NAME}', secret: '${CARGO_PKG_NAME}-secret' }
    agreements: [acme]
    events: [incident_opened, statement_issued]
  - channel: mail
    email: { server: 'smtps://nines@mail.example:465', password: '${CARGO_PKG_NAME}', from: 'Nines <n@a.example>', to: [a@b.example, c@d.example] }
  - { channel: alerts, alertmanager: { url: 'http://127.0.0.1:9093/' } }
  - { channel: pager, pagerduty: { routing_key: '${CARGO_PKG_NAME}' } }
agreements: [{ agreement: acme, policy: aicc }, { agreement: other, policy: aicc }]
",
    );
    let ways: Vec<&Way> = config.channels.iter().map(|channel| &channel.way).collect();
    let secret = |text: &str| Secret::new(text);
    let expected = [
        &Way::Webhook { url: secret("https://hooks.example/config"), secret: Some(secret("config-secret")) },
        &Way::Email {
            server: "smtps://nines@mail.example:465".to_owned(),
            password: Some(secret("config")),
            from: "Nines <n@a.example>".to_owned(),
            to: vec!["a@b.example".to_owned(), "c@d.example".to_owned()],
        },
        &Way::Alertmanager { url: secret("http://127.0.0.1:9093") },
        &Way::PagerDuty { url: "https://events.pagerduty.com/v2/enqueue".to_owned(), routing_key: secret("config") },
    ];
    assert_eq!(ways, expected);
    let hears =
        |channel: &Channel, agreement: &str, told| channel.hears(&agreement.parse().expect("it is a name"), told);
    let hook = &config.channels[0];
    assert!(hears(hook, "acme", Told::IncidentOpened) && hears(hook, "acme", Told::StatementIssued));
    assert!(!hears(hook, "other", Told::IncidentOpened) && !hears(hook, "acme", Told::ClockMissed));
    assert!(Told::ALL.iter().all(|told| hears(&config.channels[1], "other", *told)));
    assert!(!format!("{:?}", config.channels).contains("hooks.example"), "a webhook's URL is shown");
}

#[test]
fn reports_go_at_six_in_the_evening_and_on_fridays_unless_they_say_otherwise() {
    let config = collector(
        "
notify: [{ channel: mail, email: { server: 'smtp://mail.example', from: a@b.example, to: c@d.example } }]
reports:
  - { report: a, every: daily, channel: mail }
  - { report: b, every: weekly, channel: mail, format: html }
  - { report: c, every: weekly, weekday: monday, at: '07:30', channel: mail, agreements: [acme] }
  - { report: d, every: monthly, channel: mail }
agreements: [{ agreement: acme, policy: aicc }]
",
    );
    let schedules: Vec<Schedule> = config.reports.iter().map(|report| report.schedule).collect();
    let expected = [
        Schedule::Daily { at: 18 * HOUR },
        Schedule::Weekly { weekday: 5, at: 18 * HOUR },
        Schedule::Weekly { weekday: 1, at: HOUR * 15 / 2 },
        Schedule::Monthly,
    ];
    assert_eq!(schedules, expected);
    let Report { channel, format, agreements, .. } = &config.reports[1];
    assert_eq!((channel.as_str(), *format, agreements), ("mail", Form::Html, &None));
    assert_eq!(config.reports[0].format, Form::Pdf);
    assert_eq!(config.reports[2].agreements, Some(["acme".parse().expect("it is a name")].into()));
}

#[test]
fn evidence_stays_in_the_ledger_unless_an_archive_is_named() {
    let of = |text: &str| collector(&format!("{text}\nagreements: []"));
    assert_eq!(of("").archive, None);
    let closing = ClosingConfig { keys: PathBuf::from("/etc/nines/data/keys"), grace: 10 * DAY };
    assert_eq!(of("").closing, closing);
    let given = of("closing: { keys: /k, grace: 5d }").closing;
    assert_eq!(given, ClosingConfig { keys: PathBuf::from("/k"), grace: 5 * DAY });
    let directory = |path: &str| StoreUrl::Directory(PathBuf::from(path));
    let default = ArchiveConfig {
        store: directory("/etc/nines/data/evidence"),
        seal_every: HOUR,
        keep_blocks: 45 * DAY,
        keep_unpromised: None,
    };
    assert_eq!(of("evidence: {}").archive, Some(default));
    let store =
        |url: &str| of(&format!("evidence: {{ store: '{url}', seal_every: 10m }}")).archive.map(|given| given.store);
    assert_eq!(store("e"), Some(directory("/etc/nines/e")));
    assert_eq!(store("file:e"), Some(directory("/etc/nines/e")));
    assert_eq!(store("file:///var/e"), Some(directory("/var/e")));
    assert_eq!(store("s3://bucket/prefix"), Some(StoreUrl::Cloud("s3://bucket/prefix".to_owned())));
}

#[test]
fn a_policy_says_what_standings_lead_to_and_what_is_promised_of_backups_and_maintenance() {
    let text = "policies: [{ policy: p, planned_downtime: 2h, backup: 99.9, retention: 90d, standing: { trial: 15d, screens_stop: 1d, collection_stops: 10d, data_deleted: 20d, terminated_deleted: 30d } }]\nagreements: []";
    let config = collector(text);
    let policy = &config.policies[0];
    assert_eq!((policy.planned_downtime, policy.retention), (Some(2 * HOUR), Some(90 * DAY)));
    assert_eq!(policy.backup, Some("99.9".parse().expect("it is a percentage")));
    let rule = StandingRule {
        trial: Some(15 * DAY),
        screens_stop: Some(DAY),
        collection_stops: Some(10 * DAY),
        data_deleted: Some(20 * DAY),
        terminated_deleted: Some(30 * DAY),
    };
    assert_eq!(policy.standing, rule);
}

#[test]
fn an_agreement_has_standings_and_a_retainer_with_the_sources_defaults() {
    let config = collector(
        "
agreements:
  - agreement: acme
    policy: cloud-apm
    standing:
      - { from: 2026-10-05T00:00:00+09:00, standing: trial }
      - { from: 2026-10-20T00:00:00+09:00, standing: paid }
    retainer: { from: 2026-01, a_year: '2.0' }
",
    );
    let agreement = &config.agreements[0];
    let expected = [
        Change { from: at("2026-10-05T00:00:00+09:00"), standing: Standing::Trial },
        Change { from: at("2026-10-20T00:00:00+09:00"), standing: Standing::Paid },
    ];
    assert_eq!(agreement.standing, expected);
    let retainer = Retainer {
        from: month("2026-01"),
        a_year: ManMonths(200),
        carried: ManMonths(0),
        incident_at_least: ManMonths(50),
        carry_at_most: "20".parse().expect("it is a percentage"),
    };
    assert_eq!(agreement.retainer, Some(retainer));
}

/// Policies and agreements with versions; each stretch of `acme` as `from..until objective`.
#[track_caller]
fn stretches(text: &str) -> Vec<String> {
    let config = collector(text);
    let shown = |month: Option<Month>| month.map_or_else(String::new, |month| month.to_string());
    let stretch = |agreement: &rules::agreement::Agreement| {
        let Effective { from, until } = agreement.effective;
        format!("{}..{} {}", shown(from), shown(until), agreement.policy.availability.objective)
    };
    config.versions("acme").map(stretch).collect()
}

#[test]
fn versions_of_an_agreement_and_of_its_policy_meet_in_stretches_of_months() {
    let policies = "
policies:
  - { policy: p, effective_from: 2026-11, availability: { objective: 99.8 } }
  - { policy: p, availability: { objective: 99.5 } }
  - { policy: q, availability: { objective: 90 } }";
    let check = |agreements: &str, expected: &[&str]| {
        assert_eq!(stretches(&format!("{policies}\nagreements: {agreements}")), expected, "{agreements}");
    };
    check("[{ agreement: acme, policy: q }]", &[".. 90"]);
    check("[{ agreement: acme, policy: p }]", &["..2026-11 99.5", "2026-11.. 99.8"]);
    check("[{ agreement: acme, policy: p, effective_from: 2026-12 }]", &["2026-12.. 99.8"]);
    check(
        "[{ agreement: acme, policy: q, effective_from: 2026-12 }, { agreement: acme, policy: p, effective_from: 2026-10 }]",
        &["2026-10..2026-11 99.5", "2026-11..2026-12 99.8", "2026-12.. 90"],
    );
    check(
        "[{ agreement: acme, policy: p }, { agreement: other, policy: q }, { agreement: acme, policy: q, effective_from: 2026-11 }]",
        &["..2026-11 99.5", "2026-11.. 90"],
    );
}

const TWO_VERSIONS: &str = "
agreements:
  - agreement: acme
    zone: Asia/Seoul
    policy: aicc
    fees: { currency: KRW, default: 1000, 2026-09: 900 }
    services: [{ service: s, checks: [{ check: c, tcp: 'a:1' }] }, { service: leaves, checks: [{ check: c, tcp: 'a:1' }] }]
    exclusions: [{ services: [leaves], from: 2026-10-31T10:00:00Z, until: 2026-11-01T10:00:00Z, class: force_majeure }]
  - agreement: acme
    effective_from: 2026-11
    zone: Asia/Seoul
    policy: aicc
    fees: { currency: KRW, default: 3000 }
    services: [{ service: s, checks: [{ check: c, tcp: 'a:1' }] }, { service: joins, checks: [{ check: c, tcp: 'a:1' }] }]
    standing: [{ from: 2026-09-01T00:00:00+09:00, standing: paid }]
";

#[test]
fn a_later_version_remembers_what_was_due_under_the_one_before() {
    let config = collector(TWO_VERSIONS);
    let due = |of: &str, looked_at: &str| {
        let version = config.agreement("acme", month(of)).expect("it is in force");
        rules::credit::due(version, month(looked_at))
    };
    assert_eq!(due("2026-11", "2026-11"), Some(Money(3000)));
    assert_eq!(due("2026-11", "2026-10"), Some(Money(1000)));
    assert_eq!(due("2026-11", "2026-09"), Some(Money(900)));
    assert_eq!(due("2026-11", "2026-08"), None);
    assert_eq!(due("2026-10", "2026-10"), Some(Money(1000)));
}

#[test]
fn exclusions_and_standings_hold_for_all_versions() {
    let config = collector(TWO_VERSIONS);
    assert_eq!(config.agreements.len(), 2);
    for version in config.versions("acme") {
        assert_eq!((version.exclusions.len(), version.standing.len()), (1, 1), "{:?}", version.effective);
    }
}

#[test]
fn the_version_in_force_turns_at_local_midnight_of_the_months_first_day() {
    let config = collector(TWO_VERSIONS);
    let names = |now: Timestamp| -> Vec<String> {
        config.services_in_force(now).map(|(_, service)| service.id.to_string()).collect()
    };
    let turn = at("2026-10-31T15:00:00Z");
    let before = turn.minus(Duration::from_millis(1));
    assert_eq!(names(before), ["s", "leaves"]);
    assert_eq!(names(turn), ["s", "joins"]);
    assert_eq!((config.turns_after(before), config.turns_after(turn)), (Some(turn), None));
    assert!(config.service("leaves", month("2026-10")).is_some());
    assert!(config.service("leaves", month("2026-11")).is_none());
    assert_eq!(config.nearest(turn).count(), 1);
}
