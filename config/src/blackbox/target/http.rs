//! What an `http` module asks a page.

use super::{Refusal, route, tls};
use crate::blackbox::client::{BasicAuth, Client, HeaderValues, OAuth2, Proxy, canonical};
use crate::blackbox::http::{HeaderMatch, HttpModule};
use crate::blackbox::module::HeaderText;
use crate::secret::Secret as Concealed;
use rules::check::{
    BODY_BYTES_DEFAULT, Compression, ContentRule, FailsIf, HttpAuth, HttpOptions, HttpTarget, HttpVersions, Look,
    Missing, ProxyChoice, Redirects, ResolvedBy, Secret, SecretSource, Secured, TlsRule,
};
use rules::evidence::HttpVersion;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use url::Url;

/// Whom the target is asked by, as servers know blackbox_exporter.
const USER_AGENT: &str = "Blackbox-Exporter/nines";

pub(super) fn target(module: &HttpModule, address: &str) -> Result<HttpTarget, Refusal> {
    let (url, user) = url(module, address)?;
    let target = HttpTarget::parse(&url).map_err(|error| Refusal::new(error.to_string()))?;
    let method = if module.method.is_empty() { "GET" } else { &module.method };
    let secured = match (module.fail_if_ssl, module.fail_if_not_ssl) {
        (true, _) => Secured::Refused,
        (false, true) => Secured::Required,
        (false, false) => Secured::Either,
    };
    let status = |code: &i64| u16::try_from(*code).ok().map(|code| code..=code);
    let valid_status_codes: Vec<RangeInclusive<u16>> = module.valid_status_codes.iter().filter_map(status).collect();
    Ok(HttpTarget {
        method: method.to_owned(),
        headers: headers(module),
        body: body(module)?,
        valid_status_codes,
        valid_versions: versions(&module.valid_http_versions)?,
        secured,
        content: content(module),
        options: options(module, user)?,
        ..target
    })
}

/// The URL that `address` means, and the user that it names.
fn url(module: &HttpModule, address: &str) -> Result<(String, Option<HttpAuth>), Refusal> {
    let lower = address.to_ascii_lowercase();
    let has_scheme = lower.starts_with("http://") || lower.starts_with("https://");
    let mut text = if has_scheme { address.to_owned() } else { format!("http://{address}") };
    if module.enable_http3 && lower.starts_with("http://") | !has_scheme {
        text = format!("https{}", &text["http".len()..]);
    }
    let authority = text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("");
    if !authority.contains('@') {
        return Ok((text, None));
    }
    let mut url = Url::parse(&text).map_err(|error| Refusal::new(format!("could not parse target URL: {error}")))?;
    let undone = |text: &str| percent_encoding(text);
    let username = SecretSource::given(undone(url.username()));
    let password = url.password().map(|password| SecretSource::given(undone(password)));
    // A URL that names a user can be without one.
    let _ = (url.set_username(""), url.set_password(None));
    Ok((url.into(), Some(HttpAuth::Basic { username, password })))
}

/// `text` with `%XX` undone.
fn percent_encoding(text: &str) -> String {
    let plus = text.replace('+', "%2B");
    let pair = format!("x={plus}");
    url::form_urlencoded::parse(pair.as_bytes()).next().map_or_else(|| text.to_owned(), |(_, value)| value.into_owned())
}

fn headers(module: &HttpModule) -> Vec<(String, SecretSource)> {
    let plain =
        module.headers.iter().map(|(name, HeaderText(value))| (name.clone(), SecretSource::given(value.clone())));
    let mut headers: Vec<(String, SecretSource)> = plain.collect();
    headers.extend(sources(&module.client.http_headers));
    if !headers.iter().any(|(name, _)| canonical(name) == "User-Agent") {
        headers.push(("User-Agent".to_owned(), SecretSource::given(USER_AGENT)));
    }
    headers
}

/// The values of headers, and the files that hold some.
pub(super) fn sources(headers: &BTreeMap<String, HeaderValues>) -> impl Iterator<Item = (String, SecretSource)> {
    headers.iter().flat_map(|(name, given)| {
        let values = given.values.iter().map(|HeaderText(value)| SecretSource::given(value.clone()));
        let secrets = given.secrets.iter().map(|secret| SecretSource::given(secret.expose()));
        let files = given.files.iter().map(|file| SecretSource::File(file.clone()));
        values.chain(secrets).chain(files).map(|source| (name.clone(), source))
    })
}

fn body(module: &HttpModule) -> Result<Option<SecretSource>, Refusal> {
    match (module.body.0.as_slice(), module.body_file.as_str()) {
        ([], "") => Ok(None),
        ([], file) => Ok(Some(SecretSource::File(file.to_owned()))),
        (body, _) => match str::from_utf8(body) {
            Ok(text) => Ok(Some(SecretSource::given(text))),
            Err(_) => Err(Refusal::new("a body that is no UTF-8 can't be sent; put it into a `body_file`")),
        },
    }
}

fn versions(given: &[String]) -> Result<Vec<HttpVersion>, Refusal> {
    let known = |word: &String| match word.as_str() {
        "HTTP/1.0" => Some(HttpVersion::V1_0),
        "HTTP/1.1" => Some(HttpVersion::V1_1),
        "HTTP/2.0" => Some(HttpVersion::V2),
        "HTTP/3.0" => Some(HttpVersion::V3),
        _ => None,
    };
    let versions: Vec<HttpVersion> = given.iter().filter_map(known).collect();
    if versions.is_empty() && !given.is_empty() {
        return Err(Refusal::new("no version is valid: write `HTTP/1.0`, `HTTP/1.1`, `HTTP/2.0` or `HTTP/3.0`"));
    }
    Ok(versions)
}

/// What is expected of the content, in the order in which the peer asks: headers, body, JSON.
fn content(module: &HttpModule) -> Vec<ContentRule> {
    let header = |rule: &HeaderMatch, fails| {
        let missing = if rule.allow_missing { Missing::Holds } else { Missing::Fails };
        let name = rule.header.to_ascii_lowercase();
        ContentRule { look: Look::Header { name, pattern: rule.regexp.pattern.clone(), missing }, fails }
    };
    let mut rules: Vec<ContentRule> = Vec::new();
    rules.extend(module.fail_if_header_matches.iter().map(|rule| header(rule, FailsIf::Found)));
    rules.extend(module.fail_if_header_not_matches.iter().map(|rule| header(rule, FailsIf::Missing)));
    let bodies = [
        (&module.fail_if_body_matches_regexp, FailsIf::Found),
        (&module.fail_if_body_not_matches_regexp, FailsIf::Missing),
    ];
    for (regexps, fails) in bodies {
        rules.extend(regexps.iter().map(|regexp| ContentRule { look: Look::Body(regexp.pattern.clone()), fails }));
    }
    let conditions = [
        (&module.fail_if_body_json_matches_cel, FailsIf::Found),
        (&module.fail_if_body_json_not_matches_cel, FailsIf::Missing),
    ];
    for (condition, fails) in conditions {
        rules.extend(condition.iter().map(|condition| ContentRule { look: Look::Json(condition.clone()), fails }));
    }
    rules
}

fn options(module: &HttpModule, user: Option<HttpAuth>) -> Result<HttpOptions, Refusal> {
    let client = &module.client;
    let looks_at_body = !module.fail_if_body_matches_regexp.is_empty()
        || !module.fail_if_body_not_matches_regexp.is_empty()
        || module.fail_if_body_json_matches_cel.is_some()
        || module.fail_if_body_json_not_matches_cel.is_some();
    let body_bytes_max = match module.body_size_limit.0 {
        // What nobody looks at is counted and let go.
        0 if looks_at_body => BODY_BYTES_DEFAULT,
        0 => u64::MAX,
        limit => limit,
    };
    let compression = match module.compression.to_ascii_lowercase().as_str() {
        "" => None,
        "gzip" => Some(Compression::Gzip),
        "br" => Some(Compression::Brotli),
        "deflate" => Some(Compression::Deflate),
        "identity" => Some(Compression::Identity),
        other => return Err(Refusal::new(format!("unsupported compression algorithm `{other}`"))),
    };
    let versions = match (module.enable_http3, client.enable_http2) {
        (true, _) => HttpVersions::Http3,
        (false, true) => HttpVersions::Http2OrHttp1,
        (false, false) => HttpVersions::Http1,
    };
    let auth = match (auth(client)?, user) {
        (HttpAuth::Nobody, Some(user)) => user,
        (auth, _) => auth,
    };
    Ok(HttpOptions {
        route: route(&module.preferred_ip_protocol, module.ip_protocol_fallback, "")?,
        tls: named(tls(&client.tls_config)?, module),
        versions,
        proxy: proxy(&client.proxy, module.skip_resolve_phase_with_proxy),
        auth,
        compression,
        redirects: if client.follow_redirects { Redirects::Follow } else { Redirects::Stop },
        body_bytes_max,
    })
}

/// A page that is asked for under another name shows its certificate under that name too.
fn named(mut rule: TlsRule, module: &HttpModule) -> TlsRule {
    let host = module.headers.iter().find(|(name, _)| canonical(name) == "Host");
    if let (None, Some((_, HeaderText(host)))) = (&rule.server_name, host) {
        let without_port = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.contains(':') => name,
            _ => host,
        };
        rule.server_name = Some(without_port.to_owned());
    }
    rule
}

/// Who asks.
pub(super) fn auth(client: &Client) -> Result<HttpAuth, Refusal> {
    if let Some(BasicAuth { username, username_file, password, password_file, username_ref, password_ref }) =
        &client.basic_auth
    {
        no_reference([username_ref, password_ref])?;
        let username = source(username, username_file).unwrap_or_else(|| SecretSource::given(""));
        return Ok(HttpAuth::Basic { username, password: source(password.expose(), password_file) });
    }
    if let Some(authorization) = &client.authorization {
        no_reference([&authorization.credentials_ref])?;
        let credentials = source(authorization.credentials.expose(), &authorization.credentials_file);
        let credentials = credentials.unwrap_or_else(|| SecretSource::given(""));
        return Ok(HttpAuth::Credentials { scheme: authorization.kind.clone(), credentials });
    }
    match &client.oauth2 {
        Some(oauth2) => oauth(oauth2),
        None => Ok(HttpAuth::Nobody),
    }
}

fn oauth(oauth2: &OAuth2) -> Result<HttpAuth, Refusal> {
    no_reference([&oauth2.client_secret_ref, &oauth2.client_certificate_key_ref])?;
    let secret = source(oauth2.client_secret.expose(), &oauth2.client_secret_file);
    let client_secret = secret.ok_or_else(|| Refusal::new("tokens are fetched with a `client_secret` only"))?;
    if !matches!(oauth2.grant_type.as_str(), "" | "client_credentials") {
        return Err(Refusal::new(format!("the grant type `{}` is not supported", oauth2.grant_type)));
    }
    let params = oauth2.endpoint_params.iter().map(|(name, value)| (name.clone(), Secret::new(value.clone())));
    Ok(HttpAuth::OAuth2(Box::new(rules::check::OAuth2 {
        token_url: oauth2.token_url.clone(),
        client_id: oauth2.client_id.clone(),
        client_secret,
        scopes: oauth2.scopes.clone(),
        endpoint_params: params.collect(),
        tls: tls(&oauth2.tls_config)?,
        proxy: proxy(&oauth2.proxy, false),
    })))
}

fn source(given: &str, file: &str) -> Option<SecretSource> {
    match (given, file) {
        ("", "") => None,
        ("", file) => Some(SecretSource::File(file.to_owned())),
        (given, _) => Some(SecretSource::given(given)),
    }
}

fn no_reference<const N: usize>(references: [&String; N]) -> Result<(), Refusal> {
    match references.iter().any(|reference| !reference.is_empty()) {
        true => Err(Refusal::new("there is no secret manager here; name files instead of keys that end in `_ref`")),
        false => Ok(()),
    }
}

fn proxy(given: &Proxy, skips_resolving: bool) -> rules::check::Proxy {
    let except = (!given.no_proxy.is_empty()).then(|| given.no_proxy.clone());
    let choice = match &given.proxy_url.0 {
        _ if given.proxy_from_environment => ProxyChoice::FromEnvironment,
        Some(url) => ProxyChoice::At { url: Secret::new(url.as_str()), except },
        None => ProxyChoice::Direct,
    };
    let header = |(name, values): (&String, &Vec<Concealed>)| -> Vec<(String, Secret)> {
        values.iter().map(|value| (name.clone(), Secret::new(value.expose()))).collect()
    };
    let connect_headers = given.proxy_connect_header.iter().flat_map(header).collect();
    rules::check::Proxy {
        choice,
        connect_headers,
        resolved_by: if skips_resolving { ResolvedBy::Proxy } else { ResolvedBy::Agent },
    }
}
