//! How `nines check` shows promql facts.

use super::Row;
use rules::evidence::{PromqlFacts, Sample};
use serde_json::{Value, json};

/// How many series are shown as text; JSON has them all.
const SERIES_SHOWN: usize = 20;

pub(super) fn rows(facts: &PromqlFacts) -> Vec<Row> {
    let samples = match facts {
        PromqlFacts::Values(samples) => samples,
        PromqlFacts::TooMany(series) => return vec![("series", series.to_string())],
        PromqlFacts::Refused(said) => return vec![("server", said.to_string())],
    };
    let row = |Sample { labels, value }: &Sample| {
        let value = value.as_ref().map_or_else(|| "NaN".to_owned(), ToString::to_string);
        ("value", format!("{value}  {labels}").trim_end().to_owned())
    };
    let mut rows = vec![("series", samples.len().to_string())];
    rows.extend(samples.iter().take(SERIES_SHOWN).map(row));
    rows
}

pub(super) fn json(facts: &PromqlFacts) -> Value {
    match facts {
        PromqlFacts::TooMany(series) => json!({ "series": series }),
        PromqlFacts::Refused(said) => json!({ "refused": said.as_str() }),
        PromqlFacts::Values(samples) => {
            let value = |Sample { labels, value }: &Sample| json!({ "labels": labels.as_str(), "value": value.as_ref().map(ToString::to_string) });
            json!({ "series": samples.len(), "values": samples.iter().map(value).collect::<Vec<_>>() })
        }
    }
}
