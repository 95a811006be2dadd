use super::*;

/// What blackbox_exporter ships, all of it.
const SHIPPED: &str = include_str!("shipped.yml");

#[track_caller]
fn refused(text: &str, expected: &str) {
    match parse(text) {
        Ok(_) => panic!("taken:\n{text}"),
        Err(error) => assert_eq!(error.to_string(), format!("error parsing config file: {expected}"), "\n{text}"),
    }
}

/// A file with one module whose part for its prober holds these lines.
fn module(prober: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("      {line}\n")).collect();
    format!("modules:\n  m:\n    prober: {prober}\n    {prober}:\n{lines}")
}

#[test]
fn every_module_that_is_shipped_is_taken() {
    let modules = parse(SHIPPED).unwrap();
    let names: Vec<&str> = modules.iter().map(|(name, _)| name).collect();
    let expected = [
        "grpc",
        "grpc_plain",
        "http_2xx",
        "http_3xx",
        "http_post_2xx",
        "icmp",
        "icmp_ttl5",
        "irc_banner",
        "pop3s_banner",
        "postgresql",
        "ssh_banner",
        "ssh_banner_extract",
        "tcp_connect",
        "websocket",
    ];
    assert_eq!(names, expected);
    let postgresql = &modules.module("postgresql").unwrap().tcp.query_response;
    assert_eq!(postgresql[0].send.0, [0, 0, 0, 8, 4, 210, 22, 47]);
    assert_eq!((postgresql[1].expect_bytes.0.as_slice(), postgresql[2].starttls), (&b"S"[..], true));
}

#[test]
fn mistakes_are_told_in_the_peers_words() {
    let http = |lines: &str| module("http", lines);
    refused(
        "modules:\n  m:\n    prober: http\n    extra: 1\n",
        "yaml: unmarshal errors:\n  line 4: field extra not found in type config.plain",
    );
    refused(
        &http("bearer_token: a\nbearer_token_file: b"),
        "at most one of bearer_token & bearer_token_file must be configured",
    );
    refused("modules:\n  m:\n    prober: invalid\n", "prober 'invalid' is not valid");
    refused(&module("dns", "query_type: A"), "query name must be set for DNS module");
    refused(&module("dns", "query_name: a\nquery_class: X"), "query class 'X' is not valid");
    refused(&module("dns", "query_name: a\nquery_type: X"), "query type 'X' is not valid");
    refused(&http("fail_if_header_matches: [{header: a}]"), "regexp must be set for HTTP header matchers");
    refused(&http("fail_if_header_matches: [{regexp: a}]"), "header name must be set for HTTP header matchers");
    let regexp = "\"Could not compile regular expression\" regexp=\":[\"";
    refused(&http("fail_if_body_matches_regexp: [':[']"), regexp);
    refused(&http("fail_if_body_not_matches_regexp: [':[']"), regexp);
    refused(&http("fail_if_header_not_matches: [{header: a, regexp: ':['}]"), regexp);
    refused(&module("tcp", "query_response: [{expect: ':['}]"), regexp);
    refused(&http("fail_if_body_json_matches_cel: '1 +'"), "\"Could not compile CEL program\" expression=\"1 +\"");
    refused(
        &http("headers: {Accept-Encoding: deflate}\ncompression: gzip"),
        "invalid configuration \"Accept-Encoding: deflate\", \"compression: gzip\"",
    );
    refused(
        &http("headers: {accEpt-enCoding: deflate}\ncompression: gzip"),
        "invalid configuration \"accEpt-enCoding: deflate\", \"compression: gzip\"",
    );
    refused(
        &http("headers: {Accept-Encoding: '*;q=0.0'}\ncompression: gzip"),
        "invalid configuration \"Accept-Encoding: *;q=0.0\", \"compression: gzip\"",
    );
    refused(&http("enable_http3: true"), "when enable_http3 is true, enable_http2 must be set to false");
    refused(
        &http("enable_http3: true\nenable_http2: false\nvalid_http_versions: [HTTP/3.0, HTTP/2.0]"),
        "HTTP/3 and HTTP/2.0/1.1 cannot be used together - only HTTP/3.0 is allowed when enable_http3 is true",
    );
    refused(&module("icmp", "ttl: -1"), "\"ttl\" cannot be negative");
    refused(&module("icmp", "ttl: 256"), "\"ttl\" cannot exceed 255");
    refused(&http("body: a\nbody_file: b"), "setting body and body_file both are not allowed");
    refused(&http("http_headers: {authorization: {values: [a]}}"), "setting header \"Authorization\" is not allowed");
    refused("", "EOF");
}

#[test]
fn wrong_types_are_gathered_with_their_lines_and_a_broken_rule_ends_the_reading() {
    let text = module(
        "http",
        "valid_status_codes: [200, abc]\nfail_if_ssl: perhaps\nheaders: [a]\nmethod: {a: b}\ntimeout: 1",
    );
    refused(
        &text,
        "yaml: unmarshal errors:\n  line 5: cannot unmarshal !!str `abc` into int\n  \
         line 6: cannot unmarshal !!str `perhaps` into bool\n  \
         line 7: cannot unmarshal !!seq into map[string]string\n  line 8: cannot unmarshal !!map into string\n  \
         line 9: field timeout not found in type config.plain",
    );
    refused(
        "modules:\n  m:\n    timeout: 5\n    prober: http\n",
        "yaml: unmarshal errors:\n  line 3: cannot unmarshal !!int `5` into time.Duration",
    );
    refused("modules:\n  m:\n    x: 1\n    icmp: {ttl: 300}\n", "\"ttl\" cannot exceed 255");
    refused(
        &module("http", "method: GET\nmethod: PUT"),
        "yaml: unmarshal errors:\n  line 6: mapping key \"method\" already defined at line 5",
    );
}

#[test]
fn nothing_in_the_place_of_a_part_leaves_its_defaults() {
    let modules = parse("modules:\n  m:\n    prober: http\n    http:\n    icmp: ~\n").unwrap();
    let module = modules.module("m").unwrap();
    assert_eq!((&module.http, module.icmp.ttl), (&HttpModule::default(), 64));
}

#[test]
fn deprecated_keys_are_understood_and_shown_as_what_took_their_place() {
    let modules = parse(&module("http", "no_follow_redirects: true\nbearer_token: mysecret")).unwrap();
    let module = modules.module("m").unwrap();
    assert!(!module.http.client.follow_redirects);
    let shown = modules.shown();
    assert!(shown.contains("follow_redirects: false") && !shown.contains("no_follow_redirects"), "{shown}");
    assert!(
        shown.contains("authorization:\n                type: Bearer\n                credentials: <secret>"),
        "{shown}"
    );
    assert_eq!(modules.warnings.len(), 1);
}

#[test]
fn no_secret_is_shown() {
    let modules = parse(
        "modules:\n  h:\n    prober: http\n    http:\n      headers: {Authorization: mysecret, x-api-key: mysecret, Host: example.org}\n      \
         basic_auth: {username: u, password: mysecret}\n      proxy_url: http://u:mysecret@proxy:1\n      \
         http_headers: {X-Key: {secrets: [mysecret]}}\n      proxy_connect_header: {a: [mysecret]}\n      \
         tls_config: {cert: c, key: mysecret}\n  g:\n    prober: grpc\n    grpc: {metadata: {authorization: [mysecret]}}\n  \
         o:\n    prober: http\n    http: {oauth2: {client_id: i, client_secret: mysecret, token_url: u}}\n  \
         w:\n    prober: websocket\n    websocket: {headers: {Authorization: {values: [mysecret]}}, http_config: {bearer_token: mysecret}}\n",
    )
    .unwrap();
    let all: String = modules.iter().map(|(_, module)| module.shown()).chain([modules.shown()]).collect();
    assert!(!all.contains("mysecret"), "{all}");
    assert!(all.contains("Host: example.org") && all.contains("http://u:xxxxx@proxy:1"), "{all}");
    assert!(!format!("{modules:?}").contains("mysecret"));
}

#[test]
fn a_module_is_shown_as_the_peer_shows_it() {
    let text = "modules:\n  m:\n    prober: http\n    timeout: 90s\n    http:\n      valid_status_codes: [200, 404]\n      \
                fail_if_body_matches_regexp: ['x: y']\n      body: \"a\\nb\"\n      body_size_limit: 10MB\n";
    let expected = "modules:
    m:
        prober: http
        timeout: 1m30s
        http:
            valid_status_codes:
                - 200
                - 404
            ip_protocol_fallback: true
            fail_if_body_matches_regexp:
                - 'x: y'
            body: |-
                a
                b
            follow_redirects: true
            enable_http2: true
            body_size_limit: 10MiB
        tcp:
            ip_protocol_fallback: true
        icmp:
            ip_protocol_fallback: true
            ttl: 64
        dns:
            ip_protocol_fallback: true
            recursion_desired: true
";
    assert_eq!(parse(text).unwrap().shown(), expected);
}
