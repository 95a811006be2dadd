//! `nines up`: everything from one command.

use rustix::process::Signal;
use std::ffi::OsStr;
use std::path::Path;
use tests::console::Console;
use tests::exposition::sample;
use tests::patience::eventually;
use tests::program::Program;
use tests::target::{Conduct, Target};

async fn up(data: &Path, targets: &[String]) -> (Program, Console) {
    let mut arguments: Vec<&OsStr> = vec!["up".as_ref(), "--data".as_ref(), data.as_ref()];
    arguments.extend(targets.iter().map(OsStr::new));
    arguments.extend(["--listen", "127.0.0.1:0", "--every", "1s"].map(OsStr::new));
    let program = Program::start("nines up", &arguments);
    let console = eventually("nines up tells where its console is", async || {
        let printed = program.printed();
        let line = printed.iter().find_map(|line| line.strip_prefix("Console")).map(str::trim);
        let place = line.and_then(|place| place.strip_prefix("http://")?.parse().ok());
        place.map(Console::at).ok_or_else(|| format!("{printed:?} {:?}", program.log()))
    })
    .await;
    (program, console)
}

/// The only service's and agreement's names.
async fn names(console: &Console) -> (String, String) {
    let agreements = console.json("/api/v1/agreements").await;
    let agreement = &agreements["agreements"][0];
    let name = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (name(&agreement["agreement"]), name(&agreement["services"][0]))
}

#[tokio::test(flavor = "multi_thread")]
async fn up_shows_tells_and_remembers_what_it_was_pointed_at() {
    let (dir, target) = (tempfile::tempdir().unwrap(), Target::start());
    let (mut program, console) = up(dir.path(), &[target.url()]).await;
    let (agreement, service) = names(&console).await;
    console.shows(&service, "up").await;
    assert!(console.page("/").await.contains(&service), "the overview names the service");
    let page = console.page("/metrics").await;
    let labels = format!("{{agreement=\"{agreement}\",service=\"{service}\"}}");
    assert_eq!(sample(&page, &format!("nines_service_up{labels}")), Some(1.0), "{page}");

    target.turn(Conduct::Refuse);
    console.shows(&service, "down").await;
    eventually("it says that the service is down", async || {
        let printed = program.printed();
        let line = printed.iter().find(|line| line.contains(&service) && line.contains("down"));
        line.map(drop).ok_or_else(|| format!("{printed:?}"))
    })
    .await;
    target.turn(Conduct::Well);
    console.shows(&service, "up").await;
    let period = &daemon::clock::Clock::system().wall().to_string()[..7];
    let statement = console.statement(&agreement, period).await;
    assert_ne!(statement["services"][0]["partition_ms"]["short"], 0, "{statement:#}");
    program.stop().await;

    let (mut program, console) = up(dir.path(), &[target.url()]).await;
    // A service is shown only once what is committed was loaded.
    console.shows(&service, "up").await;
    let again = console.statement(&agreement, period).await;
    let figure = |of: &serde_json::Value, at: &str| of["services"][0].pointer(at).unwrap().as_u64().unwrap();
    assert_eq!(
        figure(&again, "/short_downtime/length_ms"),
        figure(&statement, "/short_downtime/length_ms"),
        "{again:#}"
    );
    let results = [&statement, &again].map(|of| figure(of, "/error_rate/results"));
    assert!(results[0] <= results[1], "what was seen before the stop is still known: {results:?}");
    program.signal(Signal::INT);
    assert!(program.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_target_up_looks_at_its_own_console() {
    let dir = tempfile::tempdir().unwrap();
    let (mut program, console) = up(dir.path(), &[]).await;
    let (_, service) = names(&console).await;
    console.shows(&service, "up").await;
    program.stop().await;
}
