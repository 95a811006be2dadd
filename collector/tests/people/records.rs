//! What people put on record through the console's forms.

use crate::running::{Running, configuration, users};
use reqwest::{Method, Response};
use serde_json::json;

/// A name that wants to be markup, as a user's and as a reason.
const HOSTILE: &str = "</td><script>alert(1)</script>\" onmouseover=\"x\u{202e}";

const CLAIM: &str = "class=force_majeure&from=2026-10-10+13:10&until=2026-10-10+13:20&reason=storm";

impl Running {
    /// Sends a form as one of the users, by a session like a browser.
    async fn send(&self, user: &str, path: &str, form: &str) -> Response {
        let session = self.session(user).await;
        let token = self.form_token(&session).await;
        let request = self.ask(Method::POST, path).header("cookie", &session).header("accept", "text/html");
        request.body(format!("{form}&form_token={token}")).send().await.unwrap()
    }

    async fn page_of(&self, user: &str, path: &str) -> String {
        let session = self.session(user).await;
        self.page(&session, path).await
    }
}

#[tokio::test]
async fn a_claim_counts_once_a_second_person_has_approved_it() {
    let running = Running::start().await;
    let claimed = running.send("operator", "/agreements/acme/exclusions", CLAIM).await;
    assert_eq!(claimed.status(), 303);
    let path = claimed.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(path, "/agreements/acme/exclusions/2");
    let page = running.page_of("operator", &path).await;
    assert!(page.contains("waits for a second person") && page.contains("2026-10-10 13:10:00 +09:00"), "{page}");
    assert!(page.contains("<td>11 min</td>") && page.contains("<td>1 min</td>"), "both figures: {page}");

    let own = running.send("operator", &path, "decision=approve").await;
    assert_eq!(own.status(), 422);
    assert!(own.text().await.unwrap().contains("a second person must approve or refuse it"));
    assert_eq!(running.send("viewer", &path, "decision=approve").await.status(), 403);
    assert_eq!(running.send("rival", &path, "decision=approve").await.status(), 404);

    assert_eq!(running.send("second", &path, "decision=approve").await.status(), 303);
    assert!(running.page_of("viewer", &path).await.contains("approved by second"));
    let again = running.send("admin", &path, "decision=refuse&reason=late").await;
    assert_eq!(again.status(), 422);
    let page = again.text().await.unwrap();
    assert!(page.contains("was approved by second in entry 3"), "{page}");
    running.stop().await;
}

#[tokio::test]
async fn a_correction_takes_the_place_of_what_it_corrects() {
    let running = Running::start().await;
    running.send("operator", "/agreements/acme/exclusions", CLAIM).await;
    let form = running.page_of("operator", "/agreements/acme/exclusions/new?supersedes=2").await;
    assert!(form.contains("value=\"2026-10-10 13:10:00 +09:00\"") && form.contains("storm"), "{form}");
    assert!(form.contains("value=\"force_majeure\" selected"), "{form}");
    let corrected = running.send("second", "/agreements/acme/exclusions", &format!("{CLAIM}&supersedes=2")).await;
    assert_eq!(corrected.headers()["location"], "/agreements/acme/exclusions/3");
    let old = running.page_of("operator", "/agreements/acme/exclusions/2").await;
    assert!(old.contains("superseded by entry 3") && !old.contains("Withdraw"), "{old}");
    let agreement = running.page_of("viewer", "/agreements/acme").await;
    assert!(agreement.contains("/exclusions/2") && agreement.contains("/exclusions/3"), "{agreement}");
    assert!(!agreement.contains("/exclusions/new"), "a viewer is offered nothing to record");
    running.stop().await;
}

#[tokio::test]
async fn a_form_that_is_wrong_comes_back_as_it_was_with_each_mistake_at_its_field() {
    let running = Running::start().await;
    let form = "class=force_majeure&from=yesterday&until=&services=apm&reason=a+long+story";
    let answer = running.send("operator", "/agreements/acme/exclusions", form).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    for kept in [
        "value=\"yesterday\"",
        "a long story</textarea>",
        "value=\"force_majeure\" selected",
        "value=\"apm\" checked",
        "`yesterday` is no time; write it as `2026-10-05 09:00`",
        "it is empty; write it as `2026-10-05 09:00`",
    ] {
        assert!(page.contains(kept), "{kept} in {page}");
    }
    assert_eq!(page.matches("aria-invalid=\"true\"").count(), 2);
    let backwards = "class=force_majeure&from=2026-10-10+14:00&until=2026-10-10+13:00&reason=r";
    let page = running.send("operator", "/agreements/acme/exclusions", backwards).await.text().await.unwrap();
    assert!(page.contains("it ends before it begins"), "{page}");
    running.stop().await;
}

#[tokio::test]
async fn effort_is_recorded_to_hundredths_and_shown_with_who_did_it() {
    let running = Running::start().await;
    let form = "work=diagnosis&at=2026-10-09+10:00&worked=0.25&note=looked+at+queues";
    assert_eq!(running.send("operator", "/agreements/acme/effort", form).await.status(), 303);
    let page = running.page_of("viewer", "/agreements/acme").await;
    assert!(
        page.contains("0.25 M/M") && page.contains("looked at queues") && page.contains("<bdi>operator, 2026-10-10")
    );
    let wrong = running
        .send("operator", "/agreements/acme/effort", "work=diagnosis&at=2026-10-09+10:00&worked=a+lot&note=n")
        .await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("`a lot` is not a number of man-months"));
    running.stop().await;
}

#[tokio::test]
async fn effort_goes_through_the_api_and_what_cannot_be_is_told_at_its_key() {
    let running = Running::start().await;
    let path = "/api/v1/agreements/acme/effort";
    let post = async |user: &str, body: serde_json::Value| {
        let answer = running.ask_as(user, Method::POST, path).body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    let (status, made) = post("operator", json!({ "worked": "0.25", "note": "looked at queues" })).await;
    assert_eq!((status, &made["worked"], &made["incident"]), (201, &json!("0.25"), &json!(null)));
    assert_eq!((&made["at"], &made["recorded_by"]), (&json!("2026-10-10T05:10:00Z"), &json!("operator")));
    for (body, status, said) in [
        (json!({ "worked": "0.25", "note": "looked at queues" }), 409, "on record already"),
        (json!({ "worked": "0", "note": "n" }), 400, "`worked`: nothing was worked"),
        (json!({ "worked": "250", "note": "n" }), 400, "more than 100"),
        (json!({ "worked": "a lot", "note": "n" }), 400, "`worked`"),
        (
            json!({ "worked": "1", "at": "2026-10-11T00:00:00Z", "note": "n" }),
            400,
            "`at`: 2026-10-11T00:00:00Z is still to come",
        ),
        (json!({ "worked": "1", "incident": 12, "note": "n" }), 404, "there is no incident `12`"),
        (json!({ "worked": "1", "note": " " }), 400, "the note is empty"),
        (json!({ "worked": "1", "note": "n", "hours": 8 }), 400, "unknown field `hours`"),
    ] {
        let (found, problem) = post("operator", body.clone()).await;
        assert_eq!(found, status, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{body}: {problem}");
    }
    assert_eq!(post("viewer", json!({ "worked": "1", "note": "n" })).await.0, 403);
    let listed = running.ask_as("viewer", Method::GET, path).send().await.unwrap();
    let listed: serde_json::Value = listed.json().await.unwrap();
    assert_eq!((listed["efforts"].as_array().unwrap().len(), &listed["efforts"][0]), (1, &made));
    running.stop().await;
}

#[tokio::test]
async fn hostile_names_and_texts_are_text_on_every_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = configuration(dir.path(), users());
    config.users.iter_mut().filter(|user| user.user == "operator").for_each(|user| HOSTILE.clone_into(&mut user.user));
    config.agreements[0].customer = HOSTILE.to_owned();
    let running = Running::of(config, dir).await;
    let encode = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let answer = running.sign_in(&encode(HOSTILE), "operator's token").await;
    assert_eq!(answer.status(), 303);
    let session = crate::running::cookie(&answer);
    let token = running.form_token(&session).await;
    let send = async |path: &str, form: String| {
        let request = running.ask(Method::POST, path).header("cookie", &session).header("accept", "text/html");
        request.body(format!("{form}&form_token={token}")).send().await.unwrap()
    };
    let reason = encode(HOSTILE);
    let claimed = send("/agreements/acme/exclusions", CLAIM.replace("storm", &reason)).await;
    assert_eq!(claimed.status(), 303);
    let form = format!("title={reason}&severity=P1&began_at=2026-10-10+14:00&services=apm");
    assert_eq!(send("/agreements/acme/incidents", form).await.headers()["location"], "/agreements/acme/incidents/3");
    assert_eq!(send("/agreements/acme/incidents/3", format!("event=remark&text={reason}")).await.status(), 303);
    let refused =
        send("/agreements/acme/exclusions", format!("class={reason}&from={reason}&until={reason}&reason={reason}"))
            .await;
    let mut pages = vec![("refused form", refused.text().await.unwrap())];
    for path in [
        "/",
        "/agreements",
        "/agreements/acme",
        "/agreements/acme/exclusions/2",
        "/agreements/acme/exclusions/new?supersedes=2",
        "/agreements/acme/effort/new",
        "/agreements/acme/incidents/new",
        "/agreements/acme/incidents/3",
    ] {
        pages.push((path, running.page(&session, path).await));
    }
    for (path, page) in pages {
        assert!(page.contains("&#60;script") || !page.contains("script&#62;"), "{path}");
        for markup in ["<script>alert", "\" onmouseover", "</td><script"] {
            assert!(!page.contains(markup), "{markup} in {path}");
        }
    }
    running.stop().await;
}

const OPENING: &str = "title=Login+is+slow&severity=P1&began_at=2026-10-10+14:05&services=apm";

#[tokio::test]
async fn an_incident_is_opened_followed_and_resolved_by_forms() {
    let running = Running::start().await;
    let opened = running.send("operator", "/agreements/acme/incidents", OPENING).await;
    assert_eq!(opened.status(), 303);
    let path = opened.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(path, "/agreements/acme/incidents/2", "the outage opened the first");
    let page = running.page_of("operator", &path).await;
    assert!(page.contains("Login is slow") && page.contains("2026-10-10 14:05:00 +09:00"), "{page}");
    assert!(page.contains("verdict-running"), "its clocks run: {page}");
    assert!(!running.page_of("viewer", &path).await.contains("<form method=\"post\" action=\"/agreements"));

    for form in ["event=acknowledged", "event=notice&text=We+look+at+it", "event=resolved&text=Restarted"] {
        assert_eq!(running.send("second", &path, form).await.status(), 303, "{form}");
    }
    let page = running.page_of("viewer", &path).await;
    for told in ["resolved", "We look at it", "<bdi>second</bdi>", "verdict-met"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let again = running.send("operator", &path, "event=acknowledged").await;
    assert_eq!(again.status(), 422);
    assert!(again.text().await.unwrap().contains("t was resolved at"));
    let list = running.page_of("viewer", "/agreements/acme").await;
    assert!(list.contains(&path), "{list}");
    running.stop().await;
}

#[tokio::test]
async fn an_event_without_its_words_comes_back_with_what_was_written() {
    let running = Running::start().await;
    let opened = running.send("operator", "/agreements/acme/incidents", OPENING).await;
    let path = opened.headers()["location"].to_str().unwrap().to_owned();
    let empty = running.send("operator", &path, "event=notice&text=").await;
    assert_eq!(empty.status(), 422);
    assert!(empty.text().await.unwrap().contains("is empty"));
    let nothing = running.send("operator", "/agreements/acme/incidents", "title=&severity=P1&began_at=soon").await;
    assert_eq!(nothing.status(), 422);
    let page = nothing.text().await.unwrap();
    for wrong in ["it is empty; say in a few words", "`soon` is no time", "choose at least one"] {
        assert!(page.contains(wrong), "{wrong}: {page}");
    }
    running.stop().await;
}
