//! Signing in and out, forms, and what browsers may be made to send.

use crate::running::{NOW, Running, configuration, cookie, users};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_name_and_its_token_open_the_console_and_nothing_else_does() {
    let running = Running::start().await;
    let answer = running.sign_in("viewer", "viewer's token").await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/agents".parse().unwrap()));
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(set.contains("; Path=/; ") && set.contains("; HttpOnly; SameSite=Strict"), "{set}");
    assert!(running.page(&cookie(&answer), "/").await.contains("<bdi>viewer</bdi>"));
    for (name, token) in [("viewer", "operator's token"), ("operator", "viewer's token"), ("", ""), ("viewer", "")] {
        let answer = running.sign_in(name, token).await;
        assert_eq!(answer.status(), 401, "{name} {token}");
        assert!(!answer.headers().contains_key("set-cookie"));
        let page = answer.text().await.unwrap();
        assert!(
            page.contains(&format!("value=\"{name}\"")) && !page.contains("s token"),
            "the name stays, the token not"
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn a_cookie_is_for_tls_only_where_the_browser_speaks_tls() {
    let running = Running::start().await;
    let set = async |name: &'static str, value: &'static str| {
        let request = running.ask(Method::POST, "/sign-in").header("content-type", FORM);
        let request = request.header("sec-fetch-site", "same-origin").header(name, value);
        let answer = request.body("name=viewer&token=viewer's+token").send().await.unwrap();
        answer.headers()["set-cookie"].to_str().unwrap().to_owned()
    };
    assert!(!set("origin", "http://127.0.0.1:9600").await.contains("Secure"));
    assert!(set("origin", "https://nines.example").await.ends_with("; Secure"));
    assert!(set("x-forwarded-proto", "https").await.ends_with("; Secure"));
    running.stop().await;
}

#[tokio::test]
async fn a_browser_that_is_not_signed_in_is_asked_to_and_sent_on() {
    let running = Running::start().await;
    let ask = async |accept: &str, site: &str| {
        let request = running.ask(Method::GET, "/services/apm?x=1").header("accept", accept);
        request.header("sec-fetch-site", site).send().await.unwrap()
    };
    let answer = ask("text/html", "none").await;
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/sign-in?to=%2Fservices%2Fapm%3Fx%3D1");
    let from_elsewhere = ask("text/html", "cross-site").await;
    assert_eq!(from_elsewhere.status(), 200, "it comes again from here, and then shows its cookie");
    assert!(from_elsewhere.text().await.unwrap().contains("content=\"0;url=/services/apm?x=1\""));
    let tool = ask("*/*", "none").await;
    assert_eq!((tool.status().as_u16(), &tool.headers()["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    running.stop().await;
}

#[tokio::test]
async fn a_session_ends_when_it_idles_and_when_a_day_of_work_is_over() {
    let running = Running::start().await;
    let session = running.session("viewer").await;
    let ask = async |session: &str| running.ask(Method::GET, "/agents").header("cookie", session).send().await.unwrap();
    running.hand.advance(Duration::from_secs(2 * 3600 - 1));
    let used = ask(&session).await;
    assert_eq!(used.status(), 200);
    let mut renewed = cookie(&used);
    running.hand.advance(Duration::from_secs(1));
    assert_eq!(ask(&session).await.status(), 401, "the old cookie idled");
    for _ in 0..9 {
        running.hand.advance(Duration::from_secs(3600));
        let used = ask(&renewed).await;
        assert_eq!(used.status(), 200);
        renewed = cookie(&used);
    }
    running.hand.advance(Duration::from_secs(3600));
    assert_eq!(ask(&renewed).await.status(), 401, "twelve hours are over");
    running.stop().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere_it_was_copied_to() {
    let running = Running::start().await;
    let session = running.session("viewer").await;
    let token = running.form_token(&session).await;
    let leave = running.ask(Method::POST, "/sign-out").header("cookie", &session).header("content-type", FORM);
    let answer = leave.body(format!("form_token={token}")).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("nines-session=; Path=/; Max-Age=0"));
    let answer = running.ask(Method::GET, "/agents").header("cookie", &session).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    running.stop().await;
}

#[tokio::test]
async fn a_form_without_its_sessions_own_token_changes_nothing() {
    let running = Running::start().await;
    let (mine, theirs) = (running.session("viewer").await, running.session("operator").await);
    let foreign = running.form_token(&theirs).await;
    for body in [String::new(), "form_token=".to_owned(), format!("form_token={foreign}")] {
        let leave = running.ask(Method::POST, "/sign-out").header("cookie", &mine).header("content-type", FORM);
        assert_eq!(leave.body(body).send().await.unwrap().status(), 403);
    }
    let own = running.form_token(&mine).await;
    for (header, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let leave = running.ask(Method::POST, "/sign-out").header("cookie", &mine).header("content-type", FORM);
        let answer = leave.header(header, value).body(format!("form_token={own}")).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{header}: {value}");
        let enter = running.ask(Method::POST, "/sign-in").header("content-type", FORM).header(header, value);
        let answer = enter.body("name=viewer&token=viewer's+token").send().await.unwrap();
        assert_eq!(answer.status(), 403, "nobody is signed in from elsewhere: {header}: {value}");
    }
    assert!(running.page(&mine, "/agents").await.contains("viewer"), "and the session goes on");
    running.stop().await;
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_before_it_is_read() {
    let running = Running::start().await;
    let session = running.session("viewer").await;
    let leave = running.ask(Method::POST, "/sign-out").header("cookie", &session);
    assert_eq!(leave.body(vec![b'a'; 65 * 1024]).send().await.unwrap().status(), 400);
    running.stop().await;
}

#[tokio::test]
async fn who_tries_tokens_is_slowed_and_then_let_in_again() {
    let running = Running::start().await;
    let with =
        async |token: &str| running.ask(Method::GET, "/api/v1/services").bearer_auth(token).send().await.unwrap();
    for _ in 0..10 {
        assert_eq!(with("guess").await.status(), 401);
    }
    let turned_away = with("viewer's token").await;
    assert_eq!(turned_away.status(), 429);
    assert_eq!(turned_away.headers()["retry-after"], "6");
    let problem: Value = serde_json::from_str(&turned_away.text().await.unwrap()).unwrap();
    assert_eq!((&problem["status"], &problem["title"]), (&429.into(), &"Too many attempts".into()));
    assert_eq!(running.sign_in("viewer", "viewer's token").await.status(), 429);
    running.hand.advance(Duration::from_secs(6));
    assert_eq!(with("viewer's token").await.status(), 200);
    running.stop().await;
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_ends_with_its_users_token() {
    let dir = tempfile::tempdir().unwrap();
    let keys = tempfile::tempdir().unwrap();
    let mut config = configuration(dir.path(), users());
    config.closing.keys = keys.path().to_owned();
    let running = Running::of(config.clone(), dir).await;
    let session = running.session("viewer").await;
    running.stop().await;
    let status = async |running: &Running| {
        running.ask(Method::GET, "/agents").header("cookie", &session).send().await.unwrap().status()
    };
    let again = |mut config: config::collector::CollectorConfig, dir: &tempfile::TempDir| {
        config.ledger = config::collector::LedgerUrl::Sqlite(dir.path().join("ledger.db"));
        config
    };
    let dir = tempfile::tempdir().unwrap();
    let running = Running::of(again(config.clone(), &dir), dir).await;
    assert_eq!(status(&running).await, 200, "at {NOW} again");
    running.stop().await;
    config.users[0].token_sha256 = [7; 32];
    let dir = tempfile::tempdir().unwrap();
    let running = Running::of(again(config, &dir), dir).await;
    assert_eq!(status(&running).await, 401);
    running.stop().await;
}

#[tokio::test]
async fn whatever_records_something_through_the_api_takes_a_token_as_it_is_described() {
    let running = Running::start().await;
    let session = running.session("operator").await;
    let described = running.ask_as("operator", Method::GET, "/api/v1/openapi.json").send().await.unwrap();
    let described: Value = serde_json::from_slice(&described.bytes().await.unwrap()).unwrap();
    let both = serde_json::json!([{ "bearer": [] }, { "session": [] }]);
    assert_eq!(described["security"], both);
    let mut posts = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        assert_eq!(methods["get"].get("security"), None, "{path}");
        let Some(post) = methods.get("post") else { continue };
        posts += 1;
        assert_eq!(post["security"], serde_json::json!([{ "bearer": [] }]), "{path}");
        let path = path.replace("{agreement}", "acme").replace("{incident}", "1").replace("{entry}", "1");
        let request = running.ask(Method::POST, &path).header("cookie", &session);
        let answer = request.header("content-type", "application/json").body("{}").send().await.unwrap();
        let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!((&problem["status"], &problem["title"]), (&403.into(), &"Token needed".into()), "{path}");
    }
    assert_eq!(posts, 7);
    running.stop().await;
}
