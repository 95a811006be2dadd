//! How `nines check` shows page facts: a waterfall of assets.

use super::Row;
use crate::check::text::{bar, milliseconds};
use rules::evidence::{AssetFacts, PageFacts, Trouble};
use serde_json::{Value, json};
use std::time::Duration;

/// How many columns the whole page takes: what the times leave of half a terminal, for URLs follow.
const BAR_COLUMNS: u128 = 24;

pub(super) fn rows(facts: &PageFacts) -> Vec<Row> {
    let PageFacts { assets, left_out, ended, failed, bytes, document, told, .. } = facts;
    let left_out = if *left_out == 0 { String::new() } else { format!(", {left_out} of other origins left out") };
    let mut rows = vec![("assets", format!("{ended} of {assets} ended, {failed} failed{left_out}; {bytes} bytes"))];
    let ends = told.iter().map(|asset| asset.began + asset.elapsed);
    let whole = ends.chain(*document).max().unwrap_or_default();
    if let Some(document) = document {
        rows.push(("page", asset_row(Duration::ZERO, *document, whole, "the page itself")));
    }
    for asset in told {
        let status = asset.status.map_or_else(|| "x".to_owned(), |status| status.to_string());
        let text = format!("{status}  {}", asset.url);
        rows.push(("asset", asset_row(asset.began, asset.elapsed, whole, &text)));
    }
    let failures = facts.failures.iter().map(|failure| {
        let why = match &failure.trouble {
            Trouble::Status(status) => format!("status {status}"),
            Trouble::Broken(failure) => format!("{}: {}", failure.fault, failure.detail),
        };
        ("failed", format!("{}  {why}", failure.url))
    });
    rows.extend(failures);
    rows
}

fn asset_row(began: Duration, elapsed: Duration, whole: Duration, text: &str) -> String {
    let bar = bar(began, elapsed, whole, BAR_COLUMNS);
    let width = usize::try_from(BAR_COLUMNS).unwrap_or(0);
    format!("{:>13}  {bar:<width$}  {text}", milliseconds(elapsed))
}

pub(super) fn json(facts: &PageFacts) -> Value {
    let failures: Vec<Value> = facts
        .failures
        .iter()
        .map(|failure| {
            let (status, fault, why) = match &failure.trouble {
                Trouble::Status(status) => (Some(*status), None, None),
                Trouble::Broken(broken) => (None, Some(broken.fault.as_str()), Some(broken.detail.as_str())),
            };
            json!({ "url": failure.url.as_str(), "status": status, "fault": fault, "why": why })
        })
        .collect();
    json!({
        "assets": facts.assets,
        "left_out": facts.left_out,
        "ended": facts.ended,
        "failed": facts.failed,
        "bytes": facts.bytes,
        "document_us": facts.document.map(micros),
        "slowest": facts.slowest.as_ref().map(asset),
        "told": facts.told.iter().map(asset).collect::<Vec<_>>(),
        "failures": failures,
    })
}

fn asset(asset: &AssetFacts) -> Value {
    json!({
        "url": asset.url.as_str(),
        "status": asset.status,
        "bytes": asset.bytes,
        "began_us": micros(asset.began),
        "elapsed_us": micros(asset.elapsed),
    })
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::evidence::{AssetFailure, Said};

    #[test]
    fn a_page_shows_its_assets_and_what_failed() {
        let asset = AssetFacts {
            url: Said::new("http://a/x.js"),
            status: Some(404),
            bytes: 9,
            began: Duration::from_millis(12),
            elapsed: Duration::from_millis(12),
        };
        let failure = AssetFailure { url: Said::new("http://a/x.js"), trouble: Trouble::Status(404) };
        let facts = PageFacts {
            assets: 1,
            ended: 1,
            failed: 1,
            bytes: 21,
            document: Some(Duration::from_millis(12)),
            told: vec![asset],
            failures: vec![failure],
            ..PageFacts::default()
        };
        let expected = [
            ("assets", "1 of 1 ended, 1 failed; 21 bytes"),
            ("page", "    12.000 ms  ████████████              the page itself"),
            ("asset", "    12.000 ms              ███████████   404  http://a/x.js"),
            ("failed", "http://a/x.js  status 404"),
        ];
        assert_eq!(rows(&facts), expected.map(|(word, text)| (word, text.to_owned())));
        assert_eq!(json(&facts)["failures"][0]["status"], 404);
    }
}
