//! Where jobs report: `POST /heartbeat/<service>/<check>/{start,success,failure}`, or `GET`, as short
//! commands do. With a token, or on a listener that only this machine reaches.

use super::{Reported, Taken};
use crate::orders::Key;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use config::agent::Reports;
use config::scalar::{parse_duration, parse_size};
use rules::evidence::Said;
use rules::heartbeat::{Done, Report};
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot};

/// The longest text of a report: its first line is shown, and a log belongs elsewhere.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// Who lets reports in.
#[derive(Clone)]
struct Door {
    reports: mpsc::Sender<Reported>,
    guard: Guard,
}

/// What a report must show.
#[derive(Clone)]
enum Guard {
    /// This token.
    Token(String),
    /// That it comes from this machine, and from no web page.
    ThisMachine,
    /// Nothing helps.
    Shut,
}

/// A refusal: its status, and why in words that say what would be right.
type Refusal = (StatusCode, String);

/// The route, for a listener that is on loopback or is not.
pub(crate) fn routes(reports: mpsc::Sender<Reported>, config: &Reports, is_loopback: bool) -> Router {
    let guard = match &config.token {
        Some(token) => Guard::Token(token.expose().to_owned()),
        None if is_loopback => Guard::ThisMachine,
        None => Guard::Shut,
    };
    Router::new()
        .route("/heartbeat/{service}/{check}/{report}", get(take).post(take))
        .layer(DefaultBodyLimit::max(TEXT_BYTES_MAX))
        .with_state(Door { reports, guard })
}

async fn take(
    State(door): State<Door>,
    Path((service, check, report)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, Refusal> {
    door.guard.admit(&headers)?;
    let no_such =
        || (StatusCode::NOT_FOUND, format!("no heartbeat `{check}` of service `{service}` is awaited here\n"));
    let (service_id, check_id) = (service.parse(), check.parse());
    let (Ok(service_id), Ok(check_id)) = (service_id, check_id) else { return Err(no_such()) };
    let key: Key = (service_id, check_id);
    let (done, text) = read_query(query.as_deref().unwrap_or(""))?;
    let report = match report.as_str() {
        "start" => Report::Start,
        "success" => Report::Success(done),
        "failure" => Report::Failure(done),
        _ => return Err((StatusCode::NOT_FOUND, "a report is `start`, `success` or `failure`\n".to_owned())),
    };
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
    let text = Said::new(text.trim().lines().next().unwrap_or(""));
    let (reply, answer) = oneshot::channel();
    let stopping = |_| (StatusCode::SERVICE_UNAVAILABLE, "the agent is stopping; try again\n".to_owned());
    door.reports.send(Reported { key, report, text, reply }).await.map_err(|_| stopping(()))?;
    match answer.await.map_err(|_| stopping(()))? {
        Taken::Yes => Ok("taken\n".to_owned()),
        Taken::Unknown => Err(no_such()),
        Taken::NotKept => {
            let why = "the report counts, but the disk did not take it; try again\n";
            Err((StatusCode::SERVICE_UNAVAILABLE, why.to_owned()))
        }
    }
}

impl Guard {
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let refuse = |why: &str| Err((StatusCode::FORBIDDEN, format!("{why}\n")));
        match self {
            Guard::Token(token) => {
                let shown = headers.get(header::AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
                let shown = shown.strip_prefix(b"Bearer ").unwrap_or(&[]);
                if bool::from(shown.ct_eq(token.as_bytes())) {
                    return Ok(());
                }
                refuse("the token is missing or another one; send the header `Authorization: Bearer …`")
            }
            // Browsers say where a request comes from: a page on the web is no job of this machine.
            Guard::ThisMachine if headers.get("sec-fetch-site").is_some_and(|site| site != "none") => {
                refuse("a web page reports no job; use curl")
            }
            Guard::ThisMachine => Ok(()),
            Guard::Shut => refuse(
                "other machines reach this agent and nothing shows who reports; give agent.yaml `heartbeat: { token_file: … }`",
            ),
        }
    }
}

/// `bytes`, `duration` and `text`; a repeated or unknown key is a slip that must not pass unseen.
fn read_query(query: &str) -> Result<(Done, Option<String>), Refusal> {
    let refuse = |why: String| (StatusCode::BAD_REQUEST, format!("{why}\n"));
    let (mut done, mut text) = (Done::default(), None);
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let is_first = match key.as_ref() {
            "bytes" => done.bytes.replace(parse_size(&value).map_err(|error| refuse(error.to_string()))?).is_none(),
            "duration" => {
                done.duration.replace(read_duration(&value).map_err(|error| refuse(error.to_string()))?).is_none()
            }
            "text" => text.replace(value.into_owned()).is_none(),
            _ => {
                let key = key.escape_debug();
                return Err(refuse(format!("`{key}` is not known here; a report has `bytes`, `duration` and `text`")));
            }
        };
        if !is_first {
            return Err(refuse(format!("`{}` is given twice; keep one", key.escape_debug())));
        }
    }
    Ok((done, text))
}

/// A duration, or a number of seconds as shells count them.
fn read_duration(value: &str) -> Result<std::time::Duration, config::scalar::NotAQuantity> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { parse_duration(&format!("{value}s")) } else { parse_duration(value) }
}
