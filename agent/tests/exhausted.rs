//! A machine that is out of descriptors. It has a process of its own, for it leaves none to others.

use agent::prober::Prober;
use daemon::clock::Clock;
use rules::check::Target;
use rules::judge::{Circumstances, judge};
use rules::outcome::{Cause, Outcome};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::net::TcpListener;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_probe_without_descriptors_says_nothing_about_its_target() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let prober = Prober::new(Clock::system()).unwrap();
    let address = server.local_addr().unwrap();
    let targets =
        [format!("tcp:{address}"), format!("http://{address}/")].map(|target| Target::parse(&target).unwrap());
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) }).unwrap();
    let mut held = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        held.push(file);
    }
    let mut outcomes = Vec::new();
    for target in &targets {
        let evidence = prober.probe(&prober.plan(target, TIMEOUT)).await;
        outcomes.push(judge(&evidence, target, TIMEOUT, Circumstances::default()));
    }
    drop(held);
    assert_eq!(outcomes, [Outcome::Void(Cause::Resources); 2]);
}
