//! Who asks: `basic_auth`, `authorization`, `bearer_token`, `bearer_token_file` or `oauth2`.

use super::proxy;
use crate::check::trust;
use crate::node::{Key, Node};
use crate::reading::keys::Keys;
use crate::reading::words::listed;
use crate::reading::{Reading, list, text};
use crate::scalar::words;
use crate::secret::{Secret, check_secret, check_secret_file, expanded};
use rules::check::{HttpAuth, HttpTarget, OAuth2, SecretSource};
use serde_json::{Map, Value, json};

/// The scheme of `authorization` when it names none.
const SCHEME_DEFAULT: &str = "Bearer";

/// Reads one way of saying who asks.
type ReadAuth = fn(&Node, &mut Reading) -> Option<HttpAuth>;

/// The ways by their keys.
const WAYS: &[(&str, ReadAuth)] = &[
    ("basic_auth", basic),
    ("authorization", authorization),
    ("bearer_token", |node, reading| check_secret(node, reading).map(SecretSource::Given).map(bearer)),
    ("bearer_token_file", |node, reading| check_secret_file(node, reading).map(bearer)),
    ("oauth2", |node, reading| oauth2(node, reading).map(Box::new).map(HttpAuth::OAuth2)),
];

/// Reads who asks from the keys of a check.
pub(crate) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<HttpAuth> {
    let given: Vec<(&str, &Key, &Node, ReadAuth)> =
        WAYS.iter().filter_map(|(name, read)| keys.take(name).map(|(key, node)| (*name, key, node, *read))).collect();
    match given.as_slice() {
        [] => Some(HttpAuth::Nobody),
        [(.., node, read)] => read(node, reading),
        [.., (_, key, ..)] => {
            let names: Vec<&str> = given.iter().map(|(name, ..)| *name).collect();
            let names = listed(&names);
            reading.problem(key.at, format!("{names} each say who asks; keep one of them"))
        }
    }
}

fn bearer(credentials: SecretSource) -> HttpAuth {
    HttpAuth::Credentials { scheme: SCHEME_DEFAULT.to_owned(), credentials }
}

fn basic(node: &Node, reading: &mut Reading) -> Option<HttpAuth> {
    let mut keys = Keys::of(node, "`basic_auth`", reading)?;
    let username = name(&mut keys, "username", "username_file", reading);
    let password = source(&mut keys, "password", "password_file", reading);
    keys.end(reading);
    match username? {
        Some(username) => Some(HttpAuth::Basic { username, password: password? }),
        None => reading.problem(node.at, "`basic_auth` has no `username`; add it, or `username_file`"),
    }
}

fn authorization(node: &Node, reading: &mut Reading) -> Option<HttpAuth> {
    let mut keys = Keys::of(node, "`authorization`", reading)?;
    let scheme = keys.optional("type", reading, words).unwrap_or_else(|| SCHEME_DEFAULT.to_owned());
    let credentials = source(&mut keys, "credentials", "credentials_file", reading);
    keys.end(reading);
    if scheme.eq_ignore_ascii_case("basic") {
        return reading
            .problem(node.at, "a user and password stand under `basic_auth`; use that in place of `authorization`");
    }
    match credentials? {
        Some(credentials) => Some(HttpAuth::Credentials { scheme, credentials }),
        None => reading.problem(node.at, "`authorization` has no `credentials`; add them, or `credentials_file`"),
    }
}

fn oauth2(node: &Node, reading: &mut Reading) -> Option<OAuth2> {
    let mut keys = Keys::of(node, "`oauth2`", reading)?;
    let token_url = keys.required("token_url", reading, token_url);
    let client_id = keys.required("client_id", reading, words);
    let client_secret = source(&mut keys, "client_secret", "client_secret_file", reading);
    let scopes = keys.or("scopes", Vec::new(), reading, list(words));
    let endpoint_params = keys.or("endpoint_params", Vec::new(), reading, params);
    let tls = trust::read(&mut keys, reading);
    let proxy = proxy::read(&mut keys, reading);
    keys.end(reading);
    let Some(client_secret) = client_secret? else {
        return reading.problem(node.at, "`oauth2` has no `client_secret`; add it, or `client_secret_file`");
    };
    Some(OAuth2 {
        token_url: token_url?,
        client_id: client_id?,
        client_secret,
        scopes,
        endpoint_params,
        tls,
        proxy: proxy?,
    })
}

fn token_url(node: &Node, reading: &mut Reading) -> Option<String> {
    let url = text(node, reading)?;
    if url.contains('@') {
        reading.conceal(node.at);
    }
    match HttpTarget::parse(url) {
        Ok(target) => Some(target.url),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

fn params(node: &Node, reading: &mut Reading) -> Option<Vec<(String, Secret)>> {
    let mut keys = Keys::of(node, "`endpoint_params`", reading)?;
    let mut param = |(key, node): (&Key, &Node)| {
        reading.conceal(node.at);
        expanded(node, reading).map(|value| (key.name.clone(), Secret::new(value)))
    };
    Some(keys.rest().into_iter().filter_map(&mut param).collect())
}

/// What may stand in the file itself or in another: absent twice is nothing, given twice is a mistake.
fn name(
    keys: &mut Keys<'_>,
    given: &'static str,
    file: &'static str,
    reading: &mut Reading,
) -> Option<Option<SecretSource>> {
    let read = |node: &Node, reading: &mut Reading| expanded(node, reading).map(SecretSource::given);
    one_of(keys, (given, read), file, reading)
}

/// As [`name`], for what is never to stand in a file that people share.
fn source(
    keys: &mut Keys<'_>,
    given: &'static str,
    file: &'static str,
    reading: &mut Reading,
) -> Option<Option<SecretSource>> {
    let read = |node: &Node, reading: &mut Reading| check_secret(node, reading).map(SecretSource::Given);
    one_of(keys, (given, read), file, reading)
}

fn one_of(
    keys: &mut Keys<'_>,
    (given, read): (&'static str, impl FnOnce(&Node, &mut Reading) -> Option<SecretSource>),
    file: &'static str,
    reading: &mut Reading,
) -> Option<Option<SecretSource>> {
    match (keys.take(given), keys.take(file)) {
        (None, None) => Some(None),
        (Some((_, node)), None) => read(node, reading).map(Some),
        (None, Some((_, node))) => check_secret_file(node, reading).map(Some),
        (Some(_), Some((key, _))) => {
            reading.problem(key.at, format!("`{given}` and `{file}` are both given; keep one of the two"))
        }
    }
}

/// Writes `auth` under the key that it is read from.
pub(crate) fn write(auth: &HttpAuth, keys: &mut Map<String, Value>) {
    let (key, value) = match auth {
        HttpAuth::Nobody => return,
        HttpAuth::Basic { username, password } => {
            let mut basic = Map::new();
            put(&mut basic, "username", username);
            if let Some(password) = password {
                put(&mut basic, "password", password);
            }
            ("basic_auth", basic)
        }
        HttpAuth::Credentials { scheme, credentials } => {
            let mut authorization = Map::new();
            authorization.insert("type".to_owned(), json!(scheme));
            put(&mut authorization, "credentials", credentials);
            ("authorization", authorization)
        }
        HttpAuth::OAuth2(oauth2) => ("oauth2", written(oauth2)),
    };
    keys.insert(key.to_owned(), Value::Object(value));
}

fn written(oauth2: &OAuth2) -> Map<String, Value> {
    let OAuth2 { token_url, client_id, client_secret, scopes, endpoint_params, tls, proxy } = oauth2;
    let mut keys = Map::new();
    keys.insert("token_url".to_owned(), json!(token_url));
    keys.insert("client_id".to_owned(), json!(client_id));
    put(&mut keys, "client_secret", client_secret);
    keys.insert("scopes".to_owned(), json!(scopes));
    let params = endpoint_params.iter().map(|(name, value)| (name.clone(), json!(value.expose())));
    keys.insert("endpoint_params".to_owned(), Value::Object(params.collect()));
    trust::write(tls, &mut keys);
    proxy::write(proxy, &mut keys);
    keys
}

fn put(keys: &mut Map<String, Value>, key: &str, source: &SecretSource) {
    match source {
        SecretSource::Given(secret) => keys.insert(key.to_owned(), json!(secret.expose())),
        SecretSource::File(file) => keys.insert(format!("{key}_file"), json!(file)),
    };
}
