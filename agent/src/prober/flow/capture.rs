//! Finds in an answer what later steps use. What it finds is a text and nothing more.

use crate::prober::http::fetch::Fetched;
use crate::prober::trace::Break;
use http::header::SET_COOKIE;
use rules::check::{Capture, CaptureFrom, Pattern};
use rules::evidence::Fault;
use serde_json::Value;
use serde_json_path::JsonPath;

/// The longest value that is captured: what fits into a URL or a header.
const VALUE_BYTES_MAX: usize = 8 * 1024;
/// The largest body that is read as JSON: its values take up some thirty times their text.
const JSON_BYTES_MAX: usize = 1024 * 1024;

/// Where a capture is found.
#[derive(Debug)]
pub(super) enum Place {
    Json(JsonPath),
    Header(String, Option<Pattern>),
    Body(Pattern),
    Cookie(String),
}

impl Place {
    pub(super) fn prepare(capture: &Capture) -> Result<Place, Break> {
        Ok(match &capture.from {
            CaptureFrom::Json(path) => {
                let refuse = |error| Break::new(Fault::Instruction, &format!("the JSONPath `{path}`: {error}"));
                Place::Json(JsonPath::parse(path).map_err(refuse)?)
            }
            CaptureFrom::Header { name, pattern } => Place::Header(name.clone(), pattern.clone()),
            CaptureFrom::Body(pattern) => Place::Body(pattern.clone()),
            CaptureFrom::Cookie(name) => Place::Cookie(name.clone()),
        })
    }

    pub(super) fn is_in_body(&self) -> bool {
        matches!(self, Place::Json(_) | Place::Body(_))
    }

    /// What stands there, if it is a text that can be used. `json` is the body as JSON, read when it
    /// is first needed.
    pub(super) fn find(&self, fetched: &Fetched, json: &mut Option<Value>) -> Option<String> {
        let found = match self {
            Place::Json(path) => {
                let json = json.get_or_insert_with(|| read_json(&fetched.body));
                scalar(path.query(json).first()?)?
            }
            Place::Header(name, None) => text(fetched.headers.get(name.as_str())?.as_bytes())?,
            Place::Header(name, Some(pattern)) => {
                let mut values = fetched.headers.get_all(name.as_str()).iter();
                text(values.find_map(|value| pattern.first_group(value.as_bytes()))?)?
            }
            Place::Body(pattern) => text(pattern.first_group(&fetched.body)?)?,
            Place::Cookie(name) => {
                let cookies = fetched.headers.get_all(SET_COOKIE).iter();
                text(cookies.filter_map(|cookie| cookie_value(cookie.as_bytes(), name)).next()?)?
            }
        };
        Some(found).filter(|found| found.len() <= VALUE_BYTES_MAX)
    }
}

/// The body as JSON; nothing at all if it is none.
fn read_json(body: &[u8]) -> Value {
    if JSON_BYTES_MAX < body.len() { Value::Null } else { serde_json::from_slice(body).unwrap_or_default() }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// The value of the cookie `name` if `header` sets it.
fn cookie_value<'h>(header: &'h [u8], name: &str) -> Option<&'h [u8]> {
    let pair = header.split(|byte| *byte == b';').next()?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    (pair[..equals].trim_ascii() == name.as_bytes()).then(|| pair[equals + 1..].trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use rules::check::Confidence;

    fn find(from: CaptureFrom, body: &str) -> Option<String> {
        let capture = Capture { name: "x".to_owned(), from, confidence: Confidence::Open };
        let mut headers = HeaderMap::new();
        headers.append("location", HeaderValue::from_static("/projects/7?x"));
        headers.append(SET_COOKIE, HeaderValue::from_static("other=1; Path=/"));
        headers.append(SET_COOKIE, HeaderValue::from_static("session=abc=; HttpOnly"));
        let fetched = Fetched { status: StatusCode::OK, moved_to: None, headers, body: body.as_bytes().to_vec() };
        Place::prepare(&capture).unwrap().find(&fetched, &mut None)
    }

    fn pattern(source: &str) -> Pattern {
        Pattern::new(source).unwrap()
    }

    #[test]
    fn a_value_is_found_where_the_check_says() {
        let json = r#"{"project": {"id": 7, "name": "p", "ready": true, "none": null, "list": [1]}}"#;
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(find(CaptureFrom::Json(path.to_owned()), json).as_deref(), expected, "{path}");
        };
        check("$.project.id", Some("7"));
        check("$.project.name", Some("p"));
        check("$.project.ready", Some("true"));
        check("$.project.list[0]", Some("1"));
        for nothing in ["$.project", "$.project.none", "$.project.list", "$.absent"] {
            check(nothing, None);
        }
        let header = |pattern| CaptureFrom::Header { name: "location".to_owned(), pattern };
        assert_eq!(find(header(None), "").as_deref(), Some("/projects/7?x"));
        assert_eq!(find(header(Some(pattern("/projects/([0-9]+)"))), "").as_deref(), Some("7"));
        assert_eq!(find(header(Some(pattern("^x"))), ""), None);
        assert_eq!(find(CaptureFrom::Body(pattern("id=([a-z]+)")), "x id=abc y").as_deref(), Some("abc"));
        assert_eq!(find(CaptureFrom::Body(pattern("[0-9]+")), "x 12 y").as_deref(), Some("12"));
        assert_eq!(find(CaptureFrom::Cookie("session".to_owned()), "").as_deref(), Some("abc="));
        assert_eq!(find(CaptureFrom::Cookie("sess".to_owned()), ""), None);
    }

    #[test]
    fn a_hostile_body_has_nothing_to_be_found() {
        let path = || CaptureFrom::Json("$.id".to_owned());
        assert_eq!(find(path(), &"[".repeat(100_000)), None);
        assert_eq!(find(path(), &format!(r#"{{"id": "{}"}}"#, "x".repeat(VALUE_BYTES_MAX + 1))), None);
        assert_eq!(find(path(), &format!(r#"{{"id": "x", "y": "{}"}}"#, "y".repeat(JSON_BYTES_MAX))), None);
        assert_eq!(find(path(), "not json"), None);
    }
}
