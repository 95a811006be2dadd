//! The one question asked of Prometheus: the samples of a selector within a window, as scraped.
//!
//! Answers are bounded, each attempt has a deadline, and what may pass is tried again. It never
//! interpolates.

use daemon::clock::Clock;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use rules::interval::Interval;
use rules::time::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How long one answer may take: Prometheus' own limit for a query is two minutes.
const ANSWER_TIME: Duration = Duration::from_secs(150);
/// An answer is held in memory while it is read: four million samples.
const ANSWER_BYTES_MAX: usize = 128 << 20;
/// How often a window is asked for before the import gives up.
const ATTEMPTS: u32 = 5;
/// How long it waits before the second attempt; each further one waits twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(1);

/// One series' samples, in order of time.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Samples {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) values: Vec<(Timestamp, f64)>,
}

/// All series of an answer.
pub(super) type Matrix = Vec<Samples>;

impl Samples {
    /// The labels without the metric's name: what two metrics of one probe share.
    pub(super) fn identity(&self) -> Vec<(&str, &str)> {
        let labels = self.labels.iter().filter(|(name, _)| *name != "__name__");
        labels.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The series as it is written in a query.
    pub(super) fn said(&self) -> String {
        said(&self.labels)
    }
}

/// Labels as they are written in a query.
pub(super) fn said(labels: &BTreeMap<String, String>) -> String {
    let pairs = labels.iter().filter(|(name, _)| *name != "__name__");
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{}{{{}}}", labels.get("__name__").map_or("", String::as_str), pairs.join(","))
}

/// What a server asks for before it answers; its text is shown nowhere.
#[derive(Clone, Default)]
pub struct Access {
    /// The value of the `Authorization` header.
    pub authorization: Option<HeaderValue>,
}

/// A Prometheus server, or whatever speaks its API.
pub struct Api {
    client: Client,
    base: Url,
    access: Access,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The URL is none.
    #[error("`{url}` is no URL of a Prometheus server: {why}; write it as http://prometheus.example:9090")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No client can be made.
    #[error("failed to make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The server can't be reached, or it broke off.
    #[error("failed to ask {base}")]
    Unreachable {
        /// The server.
        base: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{base} refused ({status}): {said}")]
    Refused {
        /// The server.
        base: String,
        /// Its status.
        status: StatusCode,
        /// What it said, cut.
        said: String,
    },
    /// The window holds more than the server or this program takes at once.
    #[error("{base} has more samples in one window than it answers with: {said}")]
    TooMuch {
        /// The server.
        base: String,
        /// What was too much.
        said: String,
    },
    /// The answer is not one.
    #[error("{base} answered with something else than samples: {why}")]
    Answer {
        /// The server.
        base: String,
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl Api {
    /// A server at `url`, such as `http://prometheus.example:9090` or with a path before `/api`.
    pub fn new(url: &str, access: Access) -> Result<Api, ApiError> {
        let refuse = |why: String| ApiError::Url { url: url.to_owned(), why };
        let base: Url = url.parse().map_err(|error| refuse(format!("{error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(refuse("it is neither http nor https".to_owned()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(refuse("it holds a password".to_owned()));
        }
        let client = Client::builder()
            .user_agent(concat!("nines/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_TIME);
        Ok(Api { client: client.build().map_err(ApiError::Client)?, base, access })
    }

    /// The server, for messages.
    pub(super) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The samples of `selector` with timestamps in `window`.
    pub(super) async fn samples(&self, clock: &Clock, selector: &str, window: Interval) -> Result<Matrix, ApiError> {
        let mut pause = PAUSE_FIRST;
        for _ in 1..ATTEMPTS {
            match self.ask(selector, window).await {
                Err(error) if passes(&error) => tracing::warn!(%error, "Prometheus did not answer; asking again"),
                other => return other,
            }
            clock.sleep(pause).await;
            pause *= 2;
        }
        self.ask(selector, window).await
    }

    async fn ask(&self, selector: &str, window: Interval) -> Result<Matrix, ApiError> {
        // A range reaches back from its instant; whether it holds its far end differs among versions,
        // so it begins a millisecond early and what lies outside is left out below.
        let last = window.until().minus(Duration::from_millis(1));
        let reach = last.since(window.from()).as_millis() + 1;
        let mut url = self.base.clone();
        url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(["api", "v1", "query"]);
        url.query_pairs_mut()
            .append_pair("query", &format!("{selector}[{reach}ms]"))
            .append_pair("time", &last.to_string());
        let unreachable = |source: reqwest::Error| ApiError::Unreachable {
            base: self.base().to_owned(),
            source: source.without_url(),
        };
        let mut request = self.client.get(url);
        if let Some(authorization) = &self.access.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(unreachable)? {
            if ANSWER_BYTES_MAX < body.len() + part.len() {
                let said = format!("more than {ANSWER_BYTES_MAX} bytes");
                return Err(ApiError::TooMuch { base: self.base().to_owned(), said });
            }
            body.extend_from_slice(&part);
        }
        let answer: Result<Answer, _> = serde_json::from_slice(&body);
        let matrix = self.read(status, answer, &body)?;
        Ok(matrix.into_iter().map(|series| within(series, window)).filter(|series| !series.values.is_empty()).collect())
    }

    fn read(
        &self,
        status: StatusCode,
        answer: Result<Answer, serde_json::Error>,
        body: &[u8],
    ) -> Result<Matrix, ApiError> {
        let base = self.base().to_owned();
        let wrong = |why: String| ApiError::Answer { base: base.clone(), why };
        let answer = match answer {
            Ok(answer) => answer,
            Err(_) if !status.is_success() => {
                return Err(ApiError::Refused {
                    base: base.clone(),
                    status,
                    said: cut(&String::from_utf8_lossy(body)),
                });
            }
            Err(error) => return Err(wrong(error.to_string())),
        };
        if answer.status != "success" {
            let said = cut(&answer.error.unwrap_or_else(|| "no reason given".to_owned()));
            // Prometheus' word for its limit on samples.
            return Err(match said.contains("too many samples") {
                true => ApiError::TooMuch { base: base.clone(), said },
                false => ApiError::Refused { base: base.clone(), status, said },
            });
        }
        let data = answer.data.ok_or_else(|| wrong("it has no data".to_owned()))?;
        if data.result_type != "matrix" {
            return Err(wrong(format!("a {} instead of a matrix", cut(&data.result_type))));
        }
        let series: Vec<Series> = serde_json::from_value(data.result).map_err(|error| wrong(error.to_string()))?;
        series.into_iter().map(|series| samples(series).map_err(&wrong)).collect()
    }
}

/// Whether asking again may help.
fn passes(error: &ApiError) -> bool {
    match error {
        ApiError::Unreachable { .. } => true,
        ApiError::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
        ApiError::Url { .. } | ApiError::Client(_) | ApiError::TooMuch { .. } | ApiError::Answer { .. } => false,
    }
}

fn samples(series: Series) -> Result<Samples, String> {
    let value = |(at, value): (f64, String)| {
        // Prometheus keeps whole milliseconds and writes them as seconds.
        let at = Timestamp::from_millis((at * 1000.0).round() as i64);
        let value = value.parse::<f64>().map_err(|_| format!("`{}` is no number", cut(&value)))?;
        Ok((at, value))
    };
    let values = series.values.into_iter().map(value).collect::<Result<Vec<_>, String>>()?;
    Ok(Samples { labels: series.metric, values })
}

fn within(series: Samples, window: Interval) -> Samples {
    let values = series.values.into_iter().filter(|(at, _)| window.contains(*at)).collect();
    Samples { values, ..series }
}

/// What a server said, short enough for a line and harmless for a terminal.
fn cut(said: &str) -> String {
    const CHARACTERS_MAX: usize = 300;
    let mut shown = String::new();
    for character in said.trim().chars().take(CHARACTERS_MAX) {
        match character.is_control() {
            true => _ = write!(shown, "{}", character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}
