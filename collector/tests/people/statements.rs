//! Statements over HTTP: what was issued is what everybody gets, in every form.

use crate::running::{Running, configuration, users};
use reqwest::Method;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

const STATEMENTS: &str = "/api/v1/agreements/acme/statements";
const MONTH: &str = "/api/v1/agreements/acme/statements/2026-10";
const DAY: Duration = Duration::from_secs(86_400);

async fn ask(running: &Running, path: &str) -> reqwest::Response {
    running.ask_as("viewer", Method::GET, path).send().await.unwrap()
}

async fn bytes(running: &Running, path: &str) -> Vec<u8> {
    let answer = ask(running, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().to_vec()
}

async fn text(running: &Running, path: &str) -> String {
    String::from_utf8(bytes(running, path).await).unwrap()
}

async fn json(running: &Running, path: &str) -> Value {
    serde_json::from_slice(&bytes(running, path).await).unwrap()
}

/// Lets the collector's clock run until so many versions are issued.
async fn issued(running: &Running, versions: usize) -> Vec<Value> {
    loop {
        let listed = json(running, STATEMENTS).await["statements"].as_array().unwrap().clone();
        if versions <= listed.len() {
            return listed;
        }
        running.hand.advance(Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
}

/// A second person agrees that the outage does not count.
async fn excluded(running: &Running) {
    let claim = r#"{"class":"force_majeure","from":"2026-10-10T04:00:00Z","until":"2026-10-10T05:00:00Z","reason":"storm <b>"}"#;
    let path = "/api/v1/agreements/acme/exclusions";
    let post = |user: &str, path: &str, body: &str| {
        let request = running.ask_as(user, Method::POST, path).header("content-type", "application/json");
        request.body(body.to_owned()).send()
    };
    let claimed = post("operator", path, claim).await.unwrap();
    assert_eq!(claimed.status(), 201);
    let entry = serde_json::from_slice::<Value>(&claimed.bytes().await.unwrap()).unwrap()["entry"].clone();
    let approved = post("second", &format!("{path}/{entry}/approval"), "").await.unwrap();
    assert_eq!(approved.status(), 201);
}

/// A month with an outage, issued, amended because of an exclusion, and looked at afterwards.
async fn amended() -> Running {
    let running = Running::start().await;
    running.hand.advance(DAY * 40);
    issued(&running, 1).await;
    excluded(&running).await;
    running.hand.advance(DAY);
    issued(&running, 2).await;
    running
}

fn printed(pdf: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("statement.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new("pdftotext").arg("-raw").arg(&path).arg("-").output();
    let output = output.unwrap_or_else(|error| panic!("pdftotext, of Debian's poppler-utils: {error}"));
    String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn api_gives_the_newest_version_byte_for_byte_and_every_other_in_every_form() {
    let running = amended().await;
    let listed = issued(&running, 2).await;
    let newest = bytes(&running, MONTH).await;
    assert_eq!(newest, bytes(&running, &format!("{MONTH}/versions/2")).await);
    assert_eq!(newest, bytes(&running, &format!("{MONTH}?format=json&lang=ko")).await);
    let first = json(&running, &format!("{MONTH}/versions/1")).await;
    let newest: Value = serde_json::from_slice(&newest).unwrap();
    for (version, listed) in [(&first, &listed[0]), (&newest, &listed[1])] {
        assert_eq!(version["seal"]["sha256"], listed["sha256"]);
    }
    let downtime = |statement: &Value| statement["services"][0]["availability"]["downtime_ms"].clone();
    assert_eq!((downtime(&first), downtime(&newest)), (660_000.into(), 0.into()));
    for (version, percent) in [(1, "99.9753"), (2, "100.0000")] {
        let hash = listed[version - 1]["sha256"].as_str().unwrap();
        let path = format!("{MONTH}/versions/{version}");
        for format in ["csv", "text", "html"] {
            let text = text(&running, &format!("{path}?format={format}&lang=en")).await;
            assert!(text.contains(percent) && text.contains(hash), "{format} of version {version}: {text}");
        }
        let pdf = printed(&bytes(&running, &format!("{path}?format=pdf&lang=en")).await);
        assert!(pdf.contains(&format!("{percent} %")) && pdf.contains(&hash[..16]), "{pdf}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_pdf_is_answered_as_one_and_has_the_figures_of_the_json() {
    let running = amended().await;
    for (path, name) in [
        (format!("{MONTH}?format=pdf&lang=ko"), "acme-2026-10-v2.pdf"),
        (format!("{MONTH}?draw_up&format=pdf&lang=ko"), "acme-2026-10.pdf"),
    ] {
        let answer = ask(&running, &path).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/pdf");
        let disposition = format!("attachment; filename*=UTF-8''{name}");
        assert_eq!(answer.headers()["content-disposition"], disposition.as_str());
        let pdf = answer.bytes().await.unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        let text = printed(&pdf);
        let service = &json(&running, &path.replace("format=pdf", "format=json")).await["services"][0];
        let availability = &service["availability"];
        for figure in ["percent", "before_exclusions_percent", "objective_percent"] {
            let figure = format!("{} %", availability[figure].as_str().unwrap());
            assert!(text.contains(&figure), "{figure} is not in {text}");
        }
        assert!(text.contains("서비스 수준 명세서"), "{text}");
    }
    running.stop().await;
}

#[tokio::test]
async fn the_console_shows_the_newest_version_with_its_hash_and_links_to_every_other() {
    let running = amended().await;
    let listed = issued(&running, 2).await;
    let page = text(&running, "/statements/acme/2026-10").await;
    let key = json(&running, MONTH).await["seal"]["key"].as_str().unwrap().to_owned();
    let hashes = [&listed[0]["sha256"], &listed[1]["sha256"]].map(|hash| hash.as_str().unwrap().to_owned());
    let change = "services[apm].availability.downtime_ms: 660000 → 0";
    for part in ["version 2 of 2", &hashes[0], &hashes[1], &key, "?version=1\"", "100.0000 %", change] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let first = text(&running, "/statements/acme/2026-10?version=1&lang=en").await;
    for part in ["version 1 of 2", "99.9753 %", "/versions/1?format=pdf&#38;lang=en"] {
        assert!(first.contains(part), "{part} is not in {first}");
    }
    let draft = text(&running, "/statements/acme/2026-10?draw_up").await;
    assert!(
        draft.contains("This was not issued") && draft.contains("statements/2026-10?draw_up&#38;format"),
        "{draft}"
    );
    let running_month = text(&running, "/statements/acme/2026-11").await;
    assert!(running_month.contains("Nothing was issued for this month yet"), "{running_month}");
    running.stop().await;
}

#[tokio::test]
async fn a_version_that_was_not_issued_is_not_there_in_any_form() {
    let running = Running::start().await;
    for path in [
        format!("{MONTH}/versions/1"),
        format!("{MONTH}/versions/1?format=pdf"),
        format!("{MONTH}/versions/first"),
        "/statements/acme/2026-10?version=1".to_owned(),
    ] {
        let answer = ask(&running, &path).await;
        assert_eq!(answer.status(), 404, "{path}");
        let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert!(problem["detail"].as_str().unwrap().starts_with("there is no version `"), "{problem}");
    }
    let draft = json(&running, MONTH).await;
    assert_eq!((&draft["statement"]["state"], &draft["issue"]), (&"provisional".into(), &Value::Null));
    running.stop().await;
}

#[tokio::test]
async fn a_version_whose_evidence_is_gone_is_given_as_json_and_refused_in_every_other_form() {
    let dir = tempfile::tempdir().unwrap();
    let config = configuration(dir.path(), users());
    let url = collector::serve::ledger_url(&config.ledger);
    let running = Running::of(config, dir).await;
    running.hand.advance(DAY * 40);
    let listed = issued(&running, 1).await;
    let signed = bytes(&running, MONTH).await;
    let ledger = collector::ledger::open(&url).await.unwrap();
    collector::rebuild::rebuild(&*ledger).await.unwrap();
    let agent = "seoul-1".parse().unwrap();
    assert_eq!(ledger.forget_blocks(&agent, 1_000, rules::time::Timestamp::MAX).await.unwrap(), 1);
    for path in [MONTH.to_owned(), format!("{MONTH}/versions/1")] {
        assert_eq!(bytes(&running, &path).await, signed);
        for format in ["text", "csv", "html", "pdf"] {
            let answer = ask(&running, &format!("{path}?format={format}")).await;
            assert_eq!(answer.status(), 410, "{format}");
            let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("version 1 of 2026-10 rests on is no longer kept"), "{detail}");
        }
    }
    let page = text(&running, "/statements/acme/2026-10").await;
    let hash = listed[0]["sha256"].as_str().unwrap();
    for part in ["is no longer kept", hash, "version 1 of 1", "/versions/1?format=json"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    running.stop().await;
}
