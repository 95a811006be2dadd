//! Every route and every role: what is answered.

use crate::running::{Running, users};
use config::collector::users::{Role, User};
use reqwest::Method;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Who asks, in the order of the matrix's columns.
const ASKING: [&str; 5] = ["nobody", "rival", "viewer", "operator", "admin"];

/// What nobody is answered on a route behind the gate.
const SHUT: u16 = 401;

/// Route by route, what each of [`ASKING`] is answered about what is `acme`'s.
const MATRIX: &[(&str, &str, [u16; 5])] = &[
    ("get", "/", [SHUT, 200, 200, 200, 200]),
    ("get", "/services/{service}", [SHUT, 404, 200, 200, 200]),
    ("get", "/agents", [SHUT, 200, 200, 200, 200]),
    ("get", "/statements/{agreement}/{period}", [SHUT, 404, 200, 200, 200]),
    ("get", "/metrics", [SHUT, 200, 200, 200, 200]),
    ("get", "/events", [SHUT, 200, 200, 200, 200]),
    ("get", "/what-if/{agreement}/{period}", [SHUT, 404, 200, 200, 200]),
    ("get", "/agreements", [SHUT, 200, 200, 200, 200]),
    ("get", "/agreements/{agreement}", [SHUT, 404, 200, 200, 200]),
    ("post", "/agreements/{agreement}/exclusions", [SHUT, 404, 403, 422, 422]),
    ("get", "/agreements/{agreement}/exclusions/new", [SHUT, 404, 403, 200, 200]),
    ("get", "/agreements/{agreement}/exclusions/{entry}", [SHUT, 404, 200, 200, 200]),
    ("post", "/agreements/{agreement}/exclusions/{entry}", [SHUT, 404, 403, 400, 400]),
    ("post", "/agreements/{agreement}/effort", [SHUT, 404, 403, 422, 422]),
    ("get", "/agreements/{agreement}/effort/new", [SHUT, 404, 403, 200, 200]),
    ("post", "/agreements/{agreement}/incidents", [SHUT, 404, 403, 422, 422]),
    ("get", "/agreements/{agreement}/incidents/new", [SHUT, 404, 403, 200, 200]),
    ("get", "/agreements/{agreement}/incidents/{incident}", [SHUT, 404, 200, 200, 200]),
    ("post", "/agreements/{agreement}/incidents/{incident}", [SHUT, 404, 403, 400, 400]),
    ("get", "/api/v1/agreements/{agreement}/incidents", [SHUT, 404, 200, 200, 200]),
    ("post", "/api/v1/agreements/{agreement}/incidents", [SHUT, 404, 403, 400, 400]),
    ("get", "/api/v1/agreements/{agreement}/incidents/{incident}", [SHUT, 404, 200, 200, 200]),
    ("post", "/api/v1/agreements/{agreement}/incidents/{incident}/events", [SHUT, 404, 403, 400, 400]),
    ("post", "/sign-out", [SHUT, 303, 303, 303, 303]),
    ("get", "/sign-in", [200, 200, 200, 200, 200]),
    ("post", "/sign-in", [401, 401, 401, 401, 401]),
    ("get", "/console.css", [200, 200, 200, 200, 200]),
    ("get", "/console.js", [200, 200, 200, 200, 200]),
    ("get", "/statement.css", [200, 200, 200, 200, 200]),
    ("get", "/.well-known/nines-keys.json", [200, 200, 200, 200, 200]),
    ("get", "/healthz", [200, 200, 200, 200, 200]),
    ("get", "/readyz", [200, 200, 200, 200, 200]),
    ("get", "/api/v1/openapi.json", [SHUT, 200, 200, 200, 200]),
    ("get", "/api/v1/agents", [SHUT, 200, 200, 200, 200]),
    ("get", "/api/v1/agreements", [SHUT, 200, 200, 200, 200]),
    ("get", "/api/v1/agreements/{agreement}/statements/{period}", [SHUT, 404, 200, 200, 200]),
    ("get", "/api/v1/agreements/{agreement}/incidents", [SHUT, 404, 200, 200, 200]),
    ("post", "/api/v1/agreements/{agreement}/incidents", [SHUT, 404, 403, 400, 400]),
    ("get", "/api/v1/agreements/{agreement}/incidents/{incident}", [SHUT, 404, 200, 200, 200]),
    ("post", "/api/v1/agreements/{agreement}/incidents/{incident}/events", [SHUT, 404, 403, 400, 400]),
    ("get", "/api/v1/agreements/{agreement}/statements", [SHUT, 404, 200, 200, 200]),
    ("get", "/api/v1/agreements/{agreement}/statements/{period}/versions/{version}", [SHUT, 404, 404, 404, 404]),
    ("get", "/api/v1/keys", [SHUT, 200, 200, 200, 200]),
    ("get", "/api/v1/agreements/{agreement}/effort", [SHUT, 404, 200, 200, 200]),
    ("post", "/api/v1/agreements/{agreement}/effort", [SHUT, 404, 403, 400, 400]),
    ("get", "/api/v1/agreements/{agreement}/exclusions", [SHUT, 404, 200, 200, 200]),
    ("post", "/api/v1/agreements/{agreement}/exclusions", [SHUT, 404, 403, 400, 400]),
    ("post", "/api/v1/agreements/{agreement}/exclusions/{entry}/approval", [SHUT, 404, 403, 409, 201]),
    ("post", "/api/v1/agreements/{agreement}/exclusions/{entry}/refusal", [SHUT, 404, 403, 400, 400]),
    ("post", "/api/v1/agreements/{agreement}/exclusions/{entry}/withdrawal", [SHUT, 404, 403, 400, 400]),
    ("get", "/api/v1/agreements/{agreement}/record", [SHUT, 404, 403, 200, 200]),
    ("get", "/api/v1/services", [SHUT, 200, 200, 200, 200]),
    ("get", "/api/v1/services/{service}", [SHUT, 404, 200, 200, 200]),
    ("get", "/api/v1/services/{service}/outages", [SHUT, 404, 200, 200, 200]),
    ("get", "/api/v1/services/{service}/explanation", [SHUT, 404, 200, 200, 200]),
];

/// The path of a route about what is `acme`'s.
fn filled(path: &str) -> String {
    let path = path.replace("{service}", "apm").replace("{agreement}", "acme").replace("{period}", "2026-10");
    let path = path.replace("{entry}", "2").replace("{incident}", "1").replace("{version}", "1");
    format!("{path}?period=2026-10")
}

/// Every `(method, path)` that the sources route on the web's listener.
fn routed() -> BTreeSet<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = vec![crates.join("src/web.rs"), crates.join("../daemon/src/admin.rs")];
    let mut folders = vec![crates.join("src/web")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => sources.push(path),
                false => {}
            }
        }
    }
    let mut routes = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        // The agent's own `/metrics` lies in the same file as health and is not routed here.
        let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
        for route in text.split(".route(").skip(1) {
            let Some(path) = route.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                panic!("a route's path is no text: {}", route.lines().next().unwrap());
            };
            for method in ["get", "post", "put", "patch", "delete"] {
                let handler = route.split(';').next().unwrap().lines().take(4).collect::<String>();
                if handler.contains(&format!("{method}(")) {
                    routes.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
    }
    routes
}

/// Makes an exclusion the second entry of `acme`'s record; the first is the incident of its outage.
async fn put_on_record(running: &Running) {
    let ask = running.ask_as("operator", Method::POST, "/agreements/acme/exclusions");
    let body = "class=force_majeure&from=2026-10-10+13:00&until=2026-10-10+14:00&reason=storm";
    let answer = ask.body(body).send().await.unwrap();
    assert_eq!(answer.headers()["location"], "/agreements/acme/exclusions/2");
}

async fn status(running: &Running, asking: &str, method: &str, path: &str) -> u16 {
    let method: Method = method.to_uppercase().parse().unwrap();
    let request = match asking {
        "nobody" => running.ask(method, path),
        user => running.ask_as(user, method, path),
    };
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn every_route_answers_every_role_as_the_matrix_says() {
    let running = Running::start().await;
    let listed: BTreeSet<_> =
        MATRIX.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(listed, routed(), "the matrix and the router name the same routes");
    put_on_record(&running).await;
    for (method, path, expected) in MATRIX {
        // Wrong tokens are turned away in the end.
        running.hand.advance(std::time::Duration::from_secs(60));
        let mut answered = [0; 5];
        for (answered, asking) in answered.iter_mut().zip(ASKING) {
            *answered = status(&running, asking, method, &filled(path)).await;
        }
        assert_eq!(answered, *expected, "{method} {path}, asked by {ASKING:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn without_users_everybody_sees_everything_and_records_nothing() {
    let running = Running::with(Vec::new()).await;
    for (method, path, [.., operator, _]) in MATRIX.iter().filter(|(_, path, _)| !path.starts_with("/sign-")) {
        let answered = status(&running, "nobody", method, &filled(path)).await;
        // Nothing is on record, and nobody may put anything there.
        let expected = match (*method, *operator) {
            _ if path.contains("{entry}") && *method == "get" => 404,
            ("get", operator) if !path.ends_with("/new") => operator,
            _ => 403,
        };
        assert_eq!(answered, expected, "{method} {path}");
    }
    let page = running.ask(Method::GET, "/sign-in").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("openssl rand -hex 32"), "it says how to add a user");
    running.stop().await;
}

#[tokio::test]
async fn a_viewer_learns_nothing_of_other_agreements_not_even_their_names() {
    let running = Running::start().await;
    put_on_record(&running).await;
    for (method, path, [.., viewer, _, _]) in MATRIX {
        if *method != "get" || *path == "/events" || *viewer != 200 {
            continue;
        }
        let path = filled(path);
        let answer = running.ask_as("viewer", Method::GET, &path).send().await.unwrap();
        let headers = format!("{:?}", answer.headers());
        let told = format!("{headers} {}", answer.text().await.unwrap()).to_lowercase();
        for name in ["rival", "1521"] {
            assert!(!told.contains(name), "{name} in {path}: {told}");
        }
    }
    let page = running.ask_as("operator", Method::GET, "/").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("rival-db"), "the search would find it");
    running.stop().await;
}

#[tokio::test]
async fn what_somebody_does_not_see_is_answered_like_what_is_not_there() {
    let running = Running::start().await;
    let ask = async |path: &str, name: &str| {
        let path = path.replace("NAME", name);
        let answer = running.ask_as("viewer", Method::GET, &path).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap().replace(name, "NAME"))
    };
    for path in ["/services/NAME", "/api/v1/services/NAME", "/api/v1/services/NAME/outages"] {
        assert_eq!(ask(path, "rival-db").await, ask(path, "nothing").await, "{path}");
    }
    for path in ["/statements/NAME/2026-10", "/api/v1/agreements/NAME/statements/2026-10"] {
        assert_eq!(ask(path, "rival").await, ask(path, "nothing").await, "{path}");
    }
    running.stop().await;
}

#[tokio::test]
async fn an_operator_with_a_list_sees_no_more_than_it_names() {
    let mut limited: Vec<User> = users();
    let operator = limited.iter_mut().find(|user| user.role == Role::Operator).unwrap();
    operator.agreements = Some(["rival".parse().unwrap()].into());
    let running = Running::with(limited).await;
    assert_eq!(status(&running, "operator", "get", "/services/apm").await, 404);
    assert_eq!(status(&running, "operator", "get", "/services/rival-db").await, 200);
    running.stop().await;
}
