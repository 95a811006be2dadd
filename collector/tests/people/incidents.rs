//! Incidents through the API: what an outage opened, what people do with it, and in whose name.

use crate::running::Running;
use reqwest::Method;
use serde_json::{Value, json};

const INCIDENT: &str = "/api/v1/agreements/acme/incidents/1";

async fn post(running: &Running, user: &str, path: &str, body: Value) -> (u16, Value) {
    let request = running.ask_as(user, Method::POST, path).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

async fn get(running: &Running, user: &str, path: &str) -> Value {
    let answer = running.ask_as(user, Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_outage_that_is_open_at_the_start_has_its_incident_which_a_paging_product_acknowledges() {
    let running = Running::start().await;
    let opened = get(&running, "viewer", INCIDENT).await;
    assert_eq!(
        (&opened["opened_by"], &opened["stage"], &opened["services"]),
        (&json!("outage"), &json!("open"), &json!(["apm"]))
    );
    assert_eq!(opened["began_at"], "2026-10-10T04:10:00Z");
    let path = format!("{INCIDENT}/events");
    let (status, taken) = post(&running, "operator", &path, json!({ "event": "acknowledged" })).await;
    assert_eq!((status, &taken["stage"], &taken["events"][1]["by"]), (201, &json!("acknowledged"), &json!("operator")));
    let (status, refused) = post(&running, "second", &path, json!({ "event": "acknowledged" })).await;
    assert_eq!(status, 409);
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("it has been acknowledged already, at ") && detail.ends_with("by `operator`"),
        "{detail}"
    );
    for (body, says) in [
        (json!({ "event": "solved" }), "`event`: it is one of acknowledged, "),
        (json!({ "event": "notice" }), "`text`: `notice` needs words"),
        (json!({ "event": "notice", "text": " " }), "is empty"),
        (json!({ "event": "remark", "txt": "a" }), "unknown field `txt`"),
    ] {
        let (status, problem) = post(&running, "operator", &path, body).await;
        assert_eq!(status, 400);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_person_opens_and_resolves_one_and_lists_page_by_number() {
    let running = Running::start().await;
    let list = "/api/v1/agreements/acme/incidents";
    let wish = json!({ "services": ["apm"], "title": "slow log-ins", "began_at": "2026-10-10T05:00:00Z" });
    let (status, opened) = post(&running, "operator", list, wish).await;
    assert_eq!(
        (status, &opened["opened_by"], &opened["clocks_start_at"]),
        (201, &json!("person"), &json!("2026-10-10T05:00:00Z"))
    );
    let path = format!("{list}/{}/events", opened["incident"]);
    assert_eq!(post(&running, "operator", &path, json!({ "event": "resolved", "text": "more workers" })).await.0, 201);
    assert_eq!(post(&running, "operator", &path, json!({ "event": "notice", "text": "late" })).await.0, 409);
    let first = get(&running, "viewer", &format!("{list}?limit=1")).await;
    assert_eq!((&first["incidents"][0]["incident"], &first["next"]), (&json!(1), &json!(1)));
    let second = get(&running, "viewer", &format!("{list}?limit=1&after=1")).await;
    assert_eq!((&second["incidents"][0]["stage"], &second["next"]), (&json!("resolved"), &Value::Null));
    let open = get(&running, "viewer", &format!("{list}?state=open")).await;
    assert_eq!(open["incidents"].as_array().unwrap().len(), 1);
    let wish = json!({ "services": ["rival-db"], "title": "not ours" });
    let (status, problem) = post(&running, "operator", list, wish).await;
    assert_eq!(status, 400);
    assert!(problem["detail"].as_str().unwrap().contains("no service `rival-db`; it has `apm`"), "{problem}");
    running.stop().await;
}
