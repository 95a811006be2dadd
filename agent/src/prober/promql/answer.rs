//! What a Prometheus server says, as its HTTP API writes it.
//!
//! An answer is read piece by piece: whatever a server sends, no more than [`SERIES_MAX`] series are
//! held beside the answer itself.

use http::StatusCode;
use rules::evidence::{PromqlFacts, Said, Sample};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// The largest answer: some ten times what [`SERIES_MAX`] series with many labels take.
pub(super) const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// How many series are read: what must be held against one bound is aggregated before.
const SERIES_MAX: usize = 200;
/// How many labels of a series are told.
const LABELS_MAX: usize = 20;

/// An answer of the API.
#[derive(Deserialize)]
struct Answer {
    status: String,
    data: Option<Data>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    result_type: String,
    result: Elements,
}

/// The elements of a result: series, or the two halves of a scalar.
struct Elements {
    kept: Vec<Element>,
    count: usize,
}

enum Element {
    Series(Sample),
    Text(String),
    Number,
}

/// What an answer with this status and body comes to.
pub(super) fn read(status: StatusCode, body: &[u8]) -> PromqlFacts {
    let refused = |why: &str| PromqlFacts::Refused(Said::new(why));
    let answer: Answer = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(_) if !status.is_success() => return refused(&format!("its status is {}", status.as_u16())),
        Err(error) => return refused(&format!("its answer is not of Prometheus' API: {error}")),
    };
    if answer.status != "success" {
        let kind = answer.error_type.unwrap_or(answer.status);
        return refused(&format!("{kind}: {}", answer.error.unwrap_or_default()));
    }
    let Some(Data { result_type, result }) = answer.data else { return refused("its answer has no data") };
    match result_type.as_str() {
        "vector" if SERIES_MAX < result.count => PromqlFacts::TooMany(result.count),
        "vector" => {
            let samples = result.kept.into_iter().filter_map(|element| match element {
                Element::Series(sample) => Some(sample),
                Element::Text(_) | Element::Number => None,
            });
            PromqlFacts::Values(samples.collect())
        }
        "scalar" => {
            let value = result.kept.into_iter().find_map(|element| match element {
                Element::Text(text) => text.parse().ok(),
                Element::Series(_) | Element::Number => None,
            });
            PromqlFacts::Values(vec![Sample { labels: Said::default(), value }])
        }
        _ => refused(&format!("the query's type is {result_type}; it should be an instant vector or a scalar")),
    }
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Elements, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Elements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of series")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Elements, A::Error> {
                let mut elements = Elements { kept: Vec::new(), count: 0 };
                while elements.count < SERIES_MAX {
                    let Some(element) = list.next_element()? else { return Ok(elements) };
                    elements.kept.push(element);
                    elements.count += 1;
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    elements.count += 1;
                }
                Ok(elements)
            }
        }
        deserializer.deserialize_seq(Visit)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Element, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Element;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a series, or a number as text")
            }

            fn visit_i64<E>(self, _: i64) -> Result<Element, E> {
                Ok(Element::Number)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Element, E> {
                Ok(Element::Number)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Element, E> {
                Ok(Element::Number)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Element, E> {
                Ok(Element::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
                let mut sample = Sample { labels: Said::default(), value: None };
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "metric" => sample.labels = labels(&map.next_value()?),
                        "value" => {
                            let (_, text): (IgnoredAny, String) = map.next_value()?;
                            sample.value = text.parse().ok();
                        }
                        // A native histogram is no number.
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Element::Series(sample))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

/// The labels as PromQL writes a series.
fn labels(metric: &BTreeMap<String, String>) -> Said {
    let name = metric.get("__name__").map_or("", String::as_str);
    let others: Vec<String> = metric
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .take(LABELS_MAX)
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    match (name, others.as_slice()) {
        (_, []) if name.is_empty() => Said::new("{}"),
        (_, []) => Said::new(name),
        _ => Said::new(&format!("{name}{{{}}}", others.join(","))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(body: &str) -> PromqlFacts {
        read(StatusCode::OK, body.as_bytes())
    }

    fn values(facts: PromqlFacts) -> Vec<(String, Option<String>)> {
        let PromqlFacts::Values(samples) = facts else { panic!("{facts:?} has no values") };
        let pair = |Sample { labels, value }: Sample| (labels.to_string(), value.map(|value| value.to_string()));
        samples.into_iter().map(pair).collect()
    }

    #[test]
    fn a_vector_and_a_scalar_are_read_as_prometheus_writes_them() {
        // As Prometheus 2.42 answers.
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"up","instance":"localhost:9090","job":"prometheus"},"value":[1732240000.123,"1"]},
            {"metric":{"job":"a \"b\""},"value":[1732240000.123,"NaN"]},
            {"metric":{},"value":[1732240000,"-Inf"]}]}}"#;
        let own = |label: &str, value: Option<&str>| (label.to_owned(), value.map(str::to_owned));
        assert_eq!(
            values(ok(vector)),
            [
                own(r#"up{instance="localhost:9090",job="prometheus"}"#, Some("1")),
                own(r#"{job="a \"b\""}"#, None),
                own("{}", Some("-Inf")),
            ]
        );
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1732240000.5,"0.25"]}}"#;
        assert_eq!(values(ok(scalar)), [own("", Some("0.25"))]);
        let empty = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert_eq!(values(ok(empty)), []);
    }

    #[test]
    fn what_the_server_refuses_is_told_in_its_words() {
        let check = |status: u16, body: &str, expected: &str| {
            let PromqlFacts::Refused(said) = read(StatusCode::from_u16(status).unwrap(), body.as_bytes()) else {
                panic!("{body} is not refused")
            };
            assert!(said.as_str().contains(expected), "{said}");
        };
        let bad =
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: parse error"}"#;
        check(400, bad, "bad_data: invalid parameter \"query\": 1:4: parse error");
        check(503, "upstream away", "its status is 503");
        check(200, "<html>", "not of Prometheus' API");
        check(200, r#"{"status":"success"}"#, "no data");
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        check(200, matrix, "should be an instant vector");
        check(200, &"[".repeat(100_000), "not of Prometheus' API");
    }

    #[test]
    fn of_many_series_none_is_held() {
        let series = r#"{"metric":{},"value":[1,"1"]}"#;
        let list = vec![series; SERIES_MAX + 1].join(",");
        let body = format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{list}]}}}}"#);
        assert_eq!(ok(&body), PromqlFacts::TooMany(SERIES_MAX + 1));
    }
}
