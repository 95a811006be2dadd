//! What templates make of targets, and what they refuse.

use crate::agent;
use crate::agent::discovery::{Labels, Source};
use rules::check::{Assignment, SecretSource, Target};
use std::path::Path;
use std::time::Duration;

/// The one source of a configuration; `rest` are its keys beside its name and place.
#[track_caller]
fn source(rest: &str) -> Source {
    let text = format!("agent: a\ndiscovery: [{{ source: web, file_sd: t.json, {rest} }}]");
    let loaded = agent::parse(&text, "a.yaml", Path::new("/etc/nines")).unwrap_or_else(|error| panic!("{error}"));
    loaded.value.discovery[0].clone()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What the one template of a source makes of a target.
#[track_caller]
fn made(rest: &str, pairs: &[(&str, &str)]) -> Result<Assignment, String> {
    let mut made = source(rest).checks(&labels(pairs));
    assert_eq!(made.len(), 1);
    made.remove(0).map_err(|refusal| refusal.to_string())
}

#[track_caller]
fn check(rest: &str, pairs: &[(&str, &str)], expected: Result<(&str, &str, &str), &str>) {
    let made = made(rest, pairs);
    let made = made.as_ref().map(|made| (made.service.as_str(), made.check.id.as_str(), made.check.target.address()));
    assert_eq!(made.map_err(String::as_str), expected);
}

#[test]
fn labels_and_parts_of_the_address_fill_the_places() {
    let rest = r#"service: "{team}-prod", checks: [{ http: "https://{host}:9{port}/{path}?of={address}" }]"#;
    let target = [("__address__", "10.0.0.1:80"), ("team", "shop"), ("path", "healthz")];
    let expected = ("shop-prod", "web:10.0.0.1:80", "https://10.0.0.1:980/healthz?of=10.0.0.1:80");
    check(rest, &target, Ok(expected));
    check(
        r#"service: s, checks: [{ check: "{app}", tcp: "{address}" }]"#,
        &[("__address__", "a:1"), ("app", "shop/web")],
        Ok(("s", "shop_web~1b2ce43c", "a:1")),
    );
    check(
        r#"service: s, checks: [{ tcp: "{host}:443" }]"#,
        &[("__address__", "https://[::1]:8443/x")],
        Ok(("s", "web:https:__[::1]:8443_x~94ccfe5e", "[::1]:443")),
    );
    check(
        r#"service: s, checks: [{ tcp: "{host}:1" }]"#,
        &[("__address__", "a:2"), ("host", "b")],
        Ok(("s", "web:a:2", "b:1")),
    );
}

#[test]
fn a_target_that_makes_no_check_is_refused_with_the_reason() {
    let template = r#"service: "{team}", checks: [{ http: "http://{address}/", every: "{every}" }]"#;
    let with = |team: &str, every: &str| {
        made(template, &[("__address__", "a:80"), ("team", team), ("every", every)]).map(|made| made.check.every)
    };
    assert_eq!(with("shop", "10s"), Ok(Duration::from_secs(10)));
    let refused = |result: Result<Duration, String>, why: &str| assert!(result.unwrap_err().contains(why), "{why}");
    refused(with("a/b", "10s"), "slash");
    refused(with("shop", "10"), "has no unit");
    check(template, &[("__address__", "a:80"), ("team", "shop")], Err("it has no label `every`"));
    check(r#"service: s, checks: [{ tcp: "{address}" }]"#, &[("team", "shop")], Err("it has no label `__address__`"));
    let wrong = made(r#"service: s, checks: [{ http: "http://{address}/" }]"#, &[("__address__", "a b\n")]);
    assert!(wrong.is_err(), "{wrong:?}");
    let long = "x".repeat(1 << 20);
    let wrong = made(r#"service: s, checks: [{ http: "http://a/{x}" }]"#, &[("__address__", "a"), ("x", &long)]);
    assert!(wrong.unwrap_err().contains("more than 65536 bytes"));
}

#[test]
fn the_environment_is_read_with_the_template_and_never_for_a_label() {
    let rest = r#"service: s, checks: [{ http: "http://{address}/", headers: { A: "${CARGO_PKG_NAME} {x} $$" } }]"#;
    let made = made(rest, &[("__address__", "a:80"), ("x", "${HOME} $$ {team}")]).unwrap();
    let Target::Http(http) = &made.check.target else { panic!("not http") };
    assert_eq!(http.headers, [("A".to_owned(), SecretSource::given("config ${HOME} $$ {team} $"))]);
}

#[test]
fn braces_that_hold_no_label_stay() {
    let body = |text: &str| {
        let rest = format!(r#"service: s, checks: [{{ http: "http://{{address}}/", method: POST, body: '{text}' }}]"#);
        let made = made(&rest, &[("__address__", "a:80"), ("x", "1")]).unwrap();
        let Target::Http(http) = &made.check.target else { panic!("not http") };
        http.body.clone().unwrap()
    };
    assert_eq!(body(r#"{"a": {"b": "{x}"}}"#), SecretSource::given(r#"{"a": {"b": "1"}}"#));
    assert_eq!(body(r"\d{3}{{x}}{ x }{}{x"), SecretSource::given(r"\d{3}{x}{ x }{}{x"));
}

#[test]
fn several_templates_make_several_checks_of_a_target() {
    let rest = r#"service: s, checks: [{ check: "{address}-a", tcp: "{address}" }, { check: "{address}-b", service: t, http: "http://{address}/" }]"#;
    let made = source(rest).checks(&labels(&[("__address__", "a:80")]));
    let named = |made: &Assignment| (made.service.to_string(), made.check.id.to_string());
    let names: Vec<_> = made.iter().map(|made| named(made.as_ref().unwrap())).collect();
    assert_eq!(names, [("s".to_owned(), "a:80-a".to_owned()), ("t".to_owned(), "a:80-b".to_owned())]);
}

#[test]
fn a_selection_keeps_those_that_all_conditions_hold_for() {
    let rest = |select: &str| format!(r#"select: {select}, service: s, checks: [{{ tcp: "{{address}}" }}]"#);
    let keeps = |select: &str, pairs: &[(&str, &str)]| source(&rest(select)).select.keeps(&labels(pairs));
    let prod = [("env", "prod"), ("tier", "web")];
    for (select, expected) in [
        ("{}", true),
        ("{ env: prod }", true),
        ("{ env: [dev, prod] }", true),
        ("{ env: dev }", false),
        ("{ env: prod, tier: api }", false),
        ("{ env: { is_not: dev } }", true),
        ("{ env: { is_not: [dev, prod] } }", false),
        ("{ tier: { matches: 'w.b|api' } }", true),
        ("{ tier: { matches: 'we' } }", false),
        ("{ tier: { matches_not: 'we' } }", true),
        ("{ tier: { present: true }, team: { present: false } }", true),
        ("{ team: { present: true } }", false),
        ("{ team: { matches: '.*' } }", false),
        ("{ team: { is_not: shop } }", true),
    ] {
        assert_eq!(keeps(select, &prod), expected, "{select}");
    }
}
