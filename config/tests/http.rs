//! What the keys of an `http` check mean: each reaches its value, and each value its key again.

use config::{agent, check_document};
use rules::check::{
    Assignment, Compression, ContentRule, FailsIf, HttpAuth, HttpOptions, HttpTarget, HttpVersions, IpPreference, Look,
    Missing, OAuth2, Pattern, Pem, Proxy, ProxyChoice, Redirects, ResolvedBy, Route, Secret, SecretSource, Secured,
    Target, TlsIdentity, TlsRule, TlsVersions, Verify,
};
use rules::evidence::{HttpVersion, TlsVersion};
use std::path::Path;

/// The `http` check that `keys` make up.
#[track_caller]
fn read(keys: &str) -> (Assignment, HttpTarget) {
    let text = format!("agent: x\nchecks: [{{ service: s, check: c, http: 'https://a/', {keys} }}]");
    let loaded = agent::parse(&text, "a.yaml", Path::new("/etc")).unwrap_or_else(|error| panic!("{error}"));
    let assignment = loaded.value.checks.list[0].clone();
    let Target::Http(target) = assignment.check.target.clone() else { panic!("not http") };
    (assignment, *target)
}

/// Holds what `keys` mean against `expected`, and what a collector makes of it for its agents.
#[track_caller]
fn check(keys: &str, expected: HttpTarget) {
    let (assignment, target) = read(keys);
    assert_eq!(target, expected);
    let json = check_document::to_json(std::slice::from_ref(&assignment));
    let back = check_document::from_json(&json).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(back, [assignment], "{json}");
}

fn page() -> HttpTarget {
    HttpTarget::parse("https://a/").expect("it is a URL")
}

fn with(options: HttpOptions) -> HttpTarget {
    HttpTarget { options, ..page() }
}

fn given(text: &str) -> SecretSource {
    SecretSource::given(text)
}

fn pattern(source: &str) -> Pattern {
    Pattern::new(source).expect("it compiles")
}

#[test]
fn what_is_asked_and_expected_reaches_its_value() {
    let header =
        |name: &str, source, missing| Look::Header { name: name.to_owned(), pattern: pattern(source), missing };
    let rule = |look, fails| ContentRule { look, fails };
    check(
        r#"method: POST, headers: { A: "1", B: "2 ${CARGO_PKG_NAME}" }, body: "{a: $HOME}",
        http_headers: { C: { values: [x, y], secrets: ["${CARGO_PKG_NAME}"], files: [/f, /g] } },
        valid_status_codes: [200, 301-308], valid_http_versions: [HTTP/1.1, HTTP/2.0], fail_if_not_ssl: true,
        fail_if_body_matches_regexp: [p, q], fail_if_body_not_matches_regexp: r,
        fail_if_header_matches: { header: Server, regexp: s },
        fail_if_header_not_matches: [{ header: D, regexp: t, allow_missing: true }],
        fail_if_body_json_matches_cel: "body.a == 1", fail_if_body_json_not_matches_cel: "body.b.exists(x, x > 2)""#,
        HttpTarget {
            method: "POST".to_owned(),
            headers: vec![
                ("A".to_owned(), given("1")),
                ("B".to_owned(), given("2 config")),
                ("C".to_owned(), given("x")),
                ("C".to_owned(), given("y")),
                ("C".to_owned(), given("config")),
                ("C".to_owned(), SecretSource::File("/f".to_owned())),
                ("C".to_owned(), SecretSource::File("/g".to_owned())),
            ],
            body: Some(given("{a: $HOME}")),
            valid_status_codes: vec![200..=200, 301..=308],
            valid_versions: vec![HttpVersion::V1_1, HttpVersion::V2],
            secured: Secured::Required,
            content: vec![
                rule(header("server", "s", Missing::Fails), FailsIf::Found),
                rule(header("d", "t", Missing::Holds), FailsIf::Missing),
                rule(Look::Body(pattern("p")), FailsIf::Found),
                rule(Look::Body(pattern("q")), FailsIf::Found),
                rule(Look::Body(pattern("r")), FailsIf::Missing),
                rule(Look::Json("body.a == 1".to_owned()), FailsIf::Found),
                rule(Look::Json("body.b.exists(x, x > 2)".to_owned()), FailsIf::Missing),
            ],
            ..page()
        },
    );
    let body = Some(SecretSource::File("/b".to_owned()));
    check("body_file: /b, fail_if_ssl: true", HttpTarget { body, secured: Secured::Refused, ..page() });
}

#[test]
fn how_http_is_spoken_reaches_its_value() {
    check("method: GET", page());
    check(
        "follow_redirects: false, compression: br, body_size_limit: 1KiB, enable_http2: false,
        preferred_ip_protocol: ip6, ip_protocol_fallback: false, source_ip_address: '::1',
        tls_config: { insecure_skip_verify: true, ca_file: ca.pem, server_name: b, cert_file: c.pem, key_file: k.pem,
        min_version: TLS13 }",
        with(HttpOptions {
            route: Route { ip: IpPreference::OnlyV6, source: "::1".parse().ok() },
            tls: TlsRule {
                verify: Verify::Nothing,
                ca: Some(Pem::File("ca.pem".to_owned())),
                identity: Some(TlsIdentity {
                    certificate: Pem::File("c.pem".to_owned()),
                    key: Pem::File("k.pem".to_owned()),
                }),
                server_name: Some("b".to_owned()),
                versions: TlsVersions::new(TlsVersion::V1_3, TlsVersion::V1_3).expect("it is in order"),
            },
            versions: HttpVersions::Http1,
            compression: Some(Compression::Brotli),
            redirects: Redirects::Stop,
            body_bytes_max: 1024,
            ..HttpOptions::default()
        }),
    );
    let stopped = HttpOptions { redirects: Redirects::Stop, ..HttpOptions::default() };
    check("no_follow_redirects: true", with(stopped));
    let http3 = HttpOptions { versions: HttpVersions::Http3, ..HttpOptions::default() };
    let only_3 = HttpTarget { valid_versions: vec![HttpVersion::V3], ..with(http3) };
    check("enable_http2: false, enable_http3: true, valid_http_versions: [HTTP/3.0]", only_3);
}

#[test]
fn each_way_of_saying_who_asks_reaches_its_value() {
    let file = |path: &str| SecretSource::File(path.to_owned());
    let who = |keys: &str, auth| check(keys, with(HttpOptions { auth, ..HttpOptions::default() }));
    who(
        "basic_auth: { username: u, password: '${CARGO_PKG_NAME}' }",
        HttpAuth::Basic { username: given("u"), password: Some(given("config")) },
    );
    who("basic_auth: { username_file: /u }", HttpAuth::Basic { username: file("/u"), password: None });
    let bearer = |credentials| HttpAuth::Credentials { scheme: "Bearer".to_owned(), credentials };
    who("bearer_token: '${CARGO_PKG_NAME}'", bearer(given("config")));
    who("bearer_token_file: /t", bearer(file("/t")));
    who("authorization: { credentials_file: /t }", bearer(file("/t")));
    who(
        "authorization: { type: Token, credentials: '${CARGO_PKG_NAME}' }",
        HttpAuth::Credentials { scheme: "Token".to_owned(), credentials: given("config") },
    );
    who(
        "oauth2: { token_url: 'https://t/', client_id: i, client_secret_file: /s, scopes: [a, b],
        endpoint_params: { audience: c }, tls_config: { ca_file: ca.pem }, proxy_url: 'http://p:1' }",
        HttpAuth::OAuth2(Box::new(OAuth2 {
            token_url: "https://t/".to_owned(),
            client_id: "i".to_owned(),
            client_secret: file("/s"),
            scopes: vec!["a".to_owned(), "b".to_owned()],
            endpoint_params: vec![("audience".to_owned(), Secret::new("c"))],
            tls: TlsRule { ca: Some(Pem::File("ca.pem".to_owned())), ..TlsRule::default() },
            proxy: Proxy {
                choice: ProxyChoice::At { url: Secret::new("http://p:1"), except: None },
                ..Proxy::default()
            },
        })),
    );
}

#[test]
fn each_way_through_a_proxy_reaches_its_value() {
    let through = |keys: &str, proxy| check(keys, with(HttpOptions { proxy, ..HttpOptions::default() }));
    through(
        "proxy_url: 'http://u:${CARGO_PKG_NAME}@p:3128', no_proxy: 'a.example,10.0.0.0/8',
        proxy_connect_header: { X-A: [b, c], X-D: e }, skip_resolve_phase_with_proxy: true",
        Proxy {
            choice: ProxyChoice::At {
                url: Secret::new("http://u:config@p:3128"),
                except: Some("a.example,10.0.0.0/8".to_owned()),
            },
            connect_headers: [("X-A", "b"), ("X-A", "c"), ("X-D", "e")]
                .map(|(name, value)| (name.to_owned(), Secret::new(value)))
                .into(),
            resolved_by: ResolvedBy::Proxy,
        },
    );
    let environment = Proxy { choice: ProxyChoice::FromEnvironment, ..Proxy::default() };
    through("proxy_from_environment: true", environment);
}

#[test]
fn a_secret_of_a_check_is_not_shown_when_debugged() {
    let (assignment, _) = read(
        "headers: { A: '${CARGO_PKG_NAME}' }, body: '{config}', basic_auth: { username: u, password: '${CARGO_PKG_NAME}' },
        proxy_url: 'http://u:${CARGO_PKG_NAME}@p:3128'",
    );
    let shown = format!("{assignment:?}");
    assert!(!shown.contains("config"), "{shown}");
}
