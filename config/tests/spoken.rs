//! Checks of the kinds `tls`, `tcp`, `unix` and `ws`: from their keys to their values, and back.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use config::check_document::{from_json, to_json};
use rules::check::{
    DialogStep, HttpAuth, Pattern, Pem, SecretSource, Security, Sending, StartTls, Target, TcpTarget, TlsBegins,
    TlsIdentity, TlsRule, TlsTarget, TlsVersions, UnixTarget, Verify, WsTarget,
};
use rules::evidence::TlsVersion;
use std::time::Duration;

/// Reads a check with these keys, and again from what is written of it.
#[track_caller]
fn check(keys: &str, expected: Target) {
    let document = format!(r#"{{"checks":[{{"service":"s","check":"c",{keys}}}]}}"#);
    let read = from_json(&document).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read[0].check.target, expected);
    let written = to_json(&read);
    assert_eq!(from_json(&written).unwrap_or_else(|error| panic!("{error}\n{written}")), read, "{written}");
}

fn pattern(source: &str) -> Option<Pattern> {
    Some(Pattern::new(source).unwrap())
}

#[test]
fn every_key_of_tls_config_reaches_its_value() {
    let key = "-----BEGIN PRIVATE KEY-----";
    let tls = TlsRule {
        verify: Verify::Nothing,
        ca: Some(Pem::File("ca.pem".into())),
        identity: Some(TlsIdentity { certificate: Pem::File("c.pem".into()), key: Pem::Inline(key.into()) }),
        server_name: Some("a.example".into()),
        versions: TlsVersions::new(TlsVersion::V1_3, TlsVersion::V1_3).unwrap(),
    };
    let keys = format!(
        r#""tls":"a:443","tls_config":{{"insecure_skip_verify":true,"ca_file":"ca.pem","cert_file":"c.pem",
        "key":"{key}","server_name":"a.example","min_version":"TLS13","max_version":"TLS13"}}"#
    );
    check(&keys, Target::Tls(TlsTarget { tls, ..TlsTarget::parse("a:443").unwrap() }));
    let old = TlsRule { versions: TlsVersions::new(TlsVersion::V1_2, TlsVersion::V1_2).unwrap(), ..TlsRule::default() };
    let keys = r#""tls":"a:443","tls_config":{"min_version":"TLS10","max_version":"TLS12"}"#;
    check(keys, Target::Tls(TlsTarget { tls: old, ..TlsTarget::parse("a:443").unwrap() }));
}

#[test]
fn every_key_of_a_tls_check_reaches_its_value() {
    let target = TlsTarget {
        starttls: Some(StartTls::Postgres),
        expires_in_at_least: Duration::from_secs(14 * 86_400),
        names: vec!["a.example".into(), "192.0.2.1".into()],
        fingerprints: vec![[0xab; 32]],
        ..TlsTarget::parse("db.example:5432").unwrap()
    };
    let sha256 = vec!["AB"; 32].join(":");
    let keys = format!(
        r#""tls":"db.example:5432","starttls":"postgres","expires_in_at_least":"14d",
        "certificate_names":["a.example","192.0.2.1"],"certificate_sha256":"{sha256}""#
    );
    check(&keys, Target::Tls(target));
    check(r#""tls":"[::1]:443""#, Target::Tls(TlsTarget::parse("[::1]:443").unwrap()));
}

#[test]
fn every_key_of_a_dialog_reaches_its_value() {
    let dialog = vec![
        DialogStep {
            expect: pattern(r"^220 (\S+)"),
            reject: pattern("^[45]"),
            labels: vec![("host".into(), "${1}".into())],
            send: Some(Sending::Line(b"EHLO ${1} $$ ${HOME}\r".to_vec())),
            ..DialogStep::default()
        },
        DialogStep {
            expect_bytes: Some("S".into()),
            send: Some(Sending::Bytes(vec![0, 4, 0xd2])),
            tls: TlsBegins::Here,
            ..DialogStep::default()
        },
        DialogStep { expect_bytes: Some(vec![0, 0xff]), ..DialogStep::default() },
    ];
    let steps = r#""query_response":[
        {"expect":"^220 (\\S+)","reject":"^[45]","labels":[{"name":"host","value":"${1}"}],"send":"EHLO ${1} $$ ${HOME}\r"},
        {"expect_bytes":"S","send_hex":"00 04:D2","starttls":true},
        {"expect_hex":"00ff"}]"#;
    let tcp = TcpTarget { security: Security::Tls, dialog: dialog.clone(), ..TcpTarget::parse("a:25").unwrap() };
    check(&format!(r#""tcp":"a:25","tls":true,{steps}"#), Target::Tcp(tcp));
    let mut unix = UnixTarget { dialog, ..UnixTarget::parse("/run/a.sock").unwrap() };
    unix.tls.server_name = Some("a.example".into());
    let keys = format!(r#""unix":"/run/a.sock","tls":false,"tls_config":{{"server_name":"a.example"}},{steps}"#);
    check(&keys, Target::Unix(unix));
}

#[test]
fn bytes_that_are_no_text_are_written_all_the_same() {
    let step = DialogStep { send: Some(Sending::Line(vec![0xff])), ..DialogStep::default() };
    let target = TcpTarget { dialog: vec![step], ..TcpTarget::parse("a:1").unwrap() };
    let mut read = from_json(r#"{"checks":[{"service":"s","check":"c","tcp":"a:1"}]}"#).unwrap();
    let mut check = (*read[0].check).clone();
    check.target = Target::Tcp(target);
    read[0].check = check.into();
    let back = from_json(&to_json(&read)).unwrap();
    let Target::Tcp(tcp) = &back[0].check.target else { panic!("not tcp") };
    assert_eq!(tcp.dialog[0].send, Some(Sending::Bytes(vec![0xff, b'\n'])));
}

#[test]
fn every_key_of_a_ws_check_reaches_its_value() {
    let target = WsTarget {
        headers: vec![("Origin".into(), SecretSource::given("https://a.example"))],
        auth: HttpAuth::Credentials { scheme: "Bearer".into(), credentials: SecretSource::File("token".into()) },
        dialog: vec![DialogStep {
            expect: pattern("hello"),
            send: Some(Sending::Line(b"hi".to_vec())),
            ..DialogStep::default()
        }],
        ..WsTarget::parse("wss://a.example/socket").unwrap()
    };
    let keys = r#""ws":"wss://a.example/socket","headers":{"Origin":"https://a.example"},"bearer_token_file":"token",
        "query_response":[{"expect":"hello","send":"hi"}]"#;
    check(keys, Target::Ws(target));
}
