//! What the keys mean: each reaches its value, and each that is absent has its default.

use config::agent::{self, AgentConfig};
use config::collector::{self, CollectorConfig, LedgerUrl};
use rules::agreement::{Eligible, Language};
use rules::check::{Check, Counts, HttpTarget, Reprobe, Target, TcpTarget, Vantages};
use rules::decimal::Money;
use rules::exclusion::Class;
use rules::policy::{
    AvailabilityRule, Counting, CreditBasis, CreditRule, Denominator, Edge, LatencyObjective, MaintenanceRule, Minutes,
    Need, OutageExclusions, OutageRule, Policy, RecoveryRule, ResponseRule, Tier, Undetermined,
};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[track_caller]
fn collector(text: &str) -> CollectorConfig {
    collector::parse(text, "c.yaml", Path::new("/etc/nines")).unwrap_or_else(|error| panic!("{error}")).value
}

#[track_caller]
fn agent(text: &str) -> AgentConfig {
    agent::parse(text, "a.yaml", Path::new("/etc/nines")).unwrap_or_else(|error| panic!("{error}")).value
}

#[track_caller]
fn policy(text: &str) -> Policy {
    let config = collector(&format!("policies: [{text}]\nagreements: []"));
    (*config.policies[0]).clone()
}

/// The first check of the first service.
#[track_caller]
fn check(text: &str) -> Check {
    let agreement = "agreement: a, policy: aicc, services: [{ service: s, checks: [";
    collector(&format!("agreements: [{{ {agreement}{text}] }}] }}]")).agreements[0].services[0].checks[0].clone()
}

#[test]
fn a_policy_that_says_nothing_has_the_defaults_of_the_accounting_rules() {
    let expected = Policy {
        id: "gold".parse().unwrap(),
        availability: AvailabilityRule {
            objective: "99.9".parse().unwrap(),
            outage: OutageRule {
                at_least: 5 * MINUTE,
                need: Need::All,
                min_agents: 1,
                bridge: 5 * MINUTE,
                count: Counting::Whole,
                exclusions: OutageExclusions::WholeRun,
            },
            denominator: Denominator::Month,
            minutes: Minutes::Exact,
            undetermined: Undetermined::Up,
        },
        latency: Vec::new(),
        recovery: RecoveryRule::default(),
        error_rate: None,
        maintenance: MaintenanceRule::default(),
        planned_downtime: None,
        backup: None,
        standing: rules::standing::StandingRule::default(),
        retention: None,
        response: Vec::new(),
        credits: None,
    };
    assert_eq!(policy("{ policy: gold }"), expected);
    assert_eq!(policy("{ policy: gold, availability: { outage: { checks: all } } }"), expected);
}

#[test]
fn bridge_is_as_long_as_the_shortest_outage_unless_it_is_given() {
    let outage = |text: &str| {
        policy(&format!("{{ policy: gold, availability: {{ outage: {{ {text} }} }} }}")).availability.outage
    };
    assert_eq!(outage("for: 10m").bridge, 10 * MINUTE);
    assert_eq!(outage("for: 10m, bridge: 0s").bridge, Duration::ZERO);
}

#[test]
fn every_key_of_a_policy_reaches_its_value() {
    let text = "
  policy: gold
  availability:
    objective: 99.950
    outage: { for: 90s, agents: 2, min_agents: 3, bridge: 1m, count: after_threshold, exclusions: remainder }
    denominator: less_exclusions
    minutes: whole
    undetermined: down
  latency: [{ objective: page, mean: 1500ms }]
  recovery: { mttr: 2h, mttsr: 4h, sum: 6h, limits: at_most }
  error_rate: 0.5
  maintenance: { notice: 24h, at_most: 2h }
  response:
    - { severity: P1, acknowledge: 1m, first_notice: 2m, update_every: 3m, start: 4m, progress: 5m, resolve: 6m, report: 7m }
  credits: { basis: trailing_3_months, truncate_below: 10, tiers: [{ from: 99, below: '99.95', percent: 2.5% }] }
";
    let expected = Policy {
        id: "gold".parse().unwrap(),
        availability: AvailabilityRule {
            objective: "99.95".parse().unwrap(),
            outage: OutageRule {
                at_least: Duration::from_secs(90),
                need: Need::Count(2),
                min_agents: 3,
                bridge: MINUTE,
                count: Counting::AfterThreshold,
                exclusions: OutageExclusions::Remainder,
            },
            denominator: Denominator::LessExclusions,
            minutes: Minutes::Whole,
            undetermined: Undetermined::Down,
        },
        latency: vec![LatencyObjective { id: "page".parse().unwrap(), mean_max: Duration::from_millis(1500) }],
        recovery: RecoveryRule { mttr: Some(2 * HOUR), mttsr: Some(4 * HOUR), sum: Some(6 * HOUR), edge: Edge::AtMost },
        error_rate: Some("0.5".parse().unwrap()),
        maintenance: MaintenanceRule { notice: 24 * HOUR, at_most: Some(2 * HOUR) },
        planned_downtime: None,
        backup: None,
        standing: rules::standing::StandingRule::default(),
        retention: None,
        response: vec![ResponseRule {
            severity: "P1".to_owned(),
            acknowledge: Some(MINUTE),
            first_notice: Some(2 * MINUTE),
            update_every: Some(3 * MINUTE),
            start: Some(4 * MINUTE),
            progress: Some(5 * MINUTE),
            resolve: Some(6 * MINUTE),
            report: Some(7 * MINUTE),
        }],
        credits: Some(CreditRule {
            basis: CreditBasis::TrailingThreeMonths,
            truncate_below: NonZeroU64::new(10).unwrap(),
            tiers: vec![Tier {
                from: Some("99".parse().unwrap()),
                below: "99.95".parse().unwrap(),
                percent: "2.5".parse().unwrap(),
            }],
        }),
    };
    let config = collector(&format!("policies:\n- {}\nagreements: []", text.trim()));
    assert_eq!(*config.policies[0], expected);
}

#[test]
fn decimals_keep_digits_that_a_float_would_lose() {
    let objective =
        |text: &str| policy(&format!("{{ policy: p, availability: {{ objective: {text} }} }}")).availability;
    assert_eq!(objective("99.999999999").objective.to_string(), "99.999999999");
    assert_eq!(objective("99.90").objective, "99.9".parse().unwrap());
    let fees = "agreements: [{ agreement: a, policy: aicc, fees: { currency: USD, default: 90071992547409.93 } }]";
    let fees = collector(fees).agreements[0].fees.clone().expect("fees are given");
    assert_eq!(fees.default, Some(Money(9_007_199_254_740_993)));
}

#[test]
fn a_check_that_says_nothing_has_defaults_and_a_short_one_a_short_timeout() {
    let expected = Check {
        id: "login".parse().unwrap(),
        target: Target::Http(Box::new(HttpTarget::parse("https://a/").unwrap())),
        every: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        reprobe: Some(Reprobe::default()),
        counts: Counts::Yes,
        objective: None,
        agents: Vantages::All,
    };
    assert_eq!(check("{ check: login, http: 'https://a/' }"), expected);
    assert_eq!(check("{ check: login, http: 'https://a/', every: 2s }").timeout, Duration::from_secs(2));
}

#[test]
fn every_key_of_an_agreement_reaches_its_value() {
    let config = collector(
        r#"
agents: [{ agent: x, token_sha256: 0a00000000000000000000000000000000000000000000000000000000000FfF }]
agreements:
  - agreement: acme
    customer: Acme
    zone: Asia/Seoul
    policy: aicc
    language: ko
    eligible: false
    fees: { currency: KRW, default: 1200000, 2026-09: 1150000 }
    services:
      - { service: s, from: 2026-10-05T00:00:00+09:00, until: 2026-11-05T00:00:00+09:00, agents: [x] }
      - { service: t }
    exclusions:
      - { from: 2026-10-06T00:00:00Z, until: 2026-10-06T01:00:00Z, class: force_majeure }
      - services: [t]
        from: 2026-10-07T00:00:00Z
        until: 2026-10-07T01:00:00Z
        class: announced_maintenance
        told_at: 2026-10-01T00:00:00Z
        reason: upgrade
        recorded_by: kim
        recorded_at: 2026-10-02T00:00:00Z
"#,
    );
    let digest = config.agents[0].token_sha256.expect("a digest is given");
    assert_eq!((digest[0], digest[30], digest[31]), (0x0a, 0x0f, 0xff));
    let agreement = &config.agreements[0];
    assert_eq!((agreement.id.as_str(), agreement.customer.as_str()), ("acme", "Acme"));
    assert_eq!((agreement.zone.name(), agreement.policy.id.as_str()), ("Asia/Seoul", "aicc"));
    assert_eq!((agreement.language, agreement.eligible), (Language::Korean, Eligible::No));
    let fees = agreement.fees.as_ref().expect("fees are given");
    assert_eq!(fees.of("2026-09".parse().unwrap()), Some(Money(1_150_000)));
    assert_eq!(fees.of("2026-10".parse().unwrap()), Some(Money(1_200_000)));
    let service = &agreement.services[0];
    assert_eq!(service.from, Some("2026-10-04T15:00:00Z".parse().unwrap()));
    assert_eq!(service.until, Some("2026-11-04T15:00:00Z".parse().unwrap()));
    assert_eq!(service.agents, Vantages::Only([("x".parse().unwrap())].into()));
    let [of_all, of_one] = &agreement.exclusions[..] else { panic!("not two exclusions") };
    assert_eq!((&of_all.services, of_all.class, of_all.reason.as_str()), (&None, Class::ForceMajeure, ""));
    assert_eq!(of_one.services, Some(["t".parse().unwrap()].into()));
    assert_eq!((of_one.class, of_one.reason.as_str()), (Class::AnnouncedMaintenance, "upgrade"));
    assert_eq!(of_one.told_at, Some("2026-10-01T00:00:00Z".parse().unwrap()));
    assert_eq!(of_one.recorded_by.as_deref(), Some("kim"));
    assert_eq!(of_one.recorded_at, Some("2026-10-02T00:00:00Z".parse().unwrap()));
}

#[test]
fn a_collector_that_says_nothing_listens_on_loopback_and_keeps_its_ledger_beside_its_file() {
    let config = collector("agreements: []");
    assert_eq!((config.listen.web, config.listen.agents), (collector::WEB_DEFAULT, collector::AGENTS_DEFAULT));
    assert_eq!(config.ledger, LedgerUrl::Sqlite(PathBuf::from("/etc/nines/data/ledger.db")));
    assert_eq!((config.agents.len(), config.listen.tls), (0, None));
}

#[test]
fn the_ledger_is_named_by_its_url() {
    let ledger = |url: &str| collector(&format!("ledger: {url}\nagreements: []")).ledger;
    assert_eq!(ledger("sqlite::memory:"), LedgerUrl::SqliteMemory);
    assert_eq!(ledger("sqlite:l.db"), LedgerUrl::Sqlite(PathBuf::from("/etc/nines/l.db")));
    assert_eq!(ledger("sqlite:/var/l.db"), LedgerUrl::Sqlite(PathBuf::from("/var/l.db")));
    assert!(matches!(ledger("postgres://nines@db/nines"), LedgerUrl::Postgres(_)));
}

#[test]
fn an_agent_that_says_nothing_works_alone() {
    let config = agent("agent: x");
    assert_eq!((config.collector, config.references.len()), (None, 0));
    assert_eq!(config.spool, agent::Spool { dir: PathBuf::from("/var/lib/nines"), bytes_max: 1 << 30 });
    assert_eq!(config.listen, Some(agent::LISTEN_DEFAULT));
    assert_eq!((config.checks.from_collector, config.checks.list.len()), (false, 0));
}

#[test]
fn an_agent_with_a_collector_takes_its_checks_unless_it_says_otherwise() {
    let from_collector =
        |checks: &str| agent(&format!("agent: x\ncollector: https://c:9601/\n{checks}")).checks.from_collector;
    assert!(from_collector(""));
    assert!(from_collector("checks: from_collector"));
    assert!(from_collector("checks: [from_collector, { check: a, tcp: 'b:1' }]"));
    assert!(!from_collector("checks: [{ check: a, tcp: 'b:1' }]"));
    assert!(!from_collector("checks: []"));
}

#[test]
fn every_key_of_an_agent_reaches_its_value() {
    let config = agent(
        r#"
agent: x
collector: http://127.0.0.1:9601/
token: "${CARGO_PKG_NAME}-token"
tls: { cert_file: c.pem, key_file: /k.pem, ca_file: ca.pem }
spool: { dir: spool, at_most: 2GiB }
references: ["tcp:1.1.1.1:443", "https://a/"]
listen: none
checks: [{ service: s, check: c, tcp: "b:1", agents: all }]
"#,
    );
    let uplink = config.collector.expect("a collector is given");
    assert_eq!(uplink.url, "http://127.0.0.1:9601");
    assert_eq!(uplink.token.expect("a token is given").expose(), "config-token");
    let identity = uplink.tls.identity.expect("a certificate is given");
    assert_eq!(identity.cert_file, PathBuf::from("/etc/nines/c.pem"));
    assert_eq!(identity.key_file, PathBuf::from("/k.pem"));
    assert_eq!(uplink.tls.ca_file, Some(PathBuf::from("/etc/nines/ca.pem")));
    assert_eq!(config.spool, agent::Spool { dir: PathBuf::from("/etc/nines/spool"), bytes_max: 2 << 30 });
    assert_eq!(config.references[0], Target::Tcp(TcpTarget::parse("tcp:1.1.1.1:443").unwrap()));
    assert_eq!(config.references[1], Target::Http(Box::new(HttpTarget::parse("https://a/").unwrap())));
    assert_eq!((config.listen, config.checks.list[0].service.as_str()), (None, "s"));
}
