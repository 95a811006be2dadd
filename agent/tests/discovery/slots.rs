//! What is discovered comes and goes; checks that stay are probed at their own slots, every one of them.

use crate::running::{Place, Running, port};
use daemon::clock::{Clock, Hand};
use rules::check::{Assignment, Check, Counts, Target, Vantages};
use rules::schedule::Schedule;
use rules::time::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The check that stays.
const STEADY: &str = r#"nines_probe_results_total{service="s",check="steady",outcome="up"}"#;
/// How often what is discovered changes, and a step in time that a scheduler on time wakes for.
const ROUNDS: usize = 8;
const STEP: Duration = Duration::from_millis(50);

fn steady(address: SocketAddr) -> Assignment {
    let check = Check {
        id: "steady".parse().unwrap(),
        target: Target::parse(&format!("tcp:{address}")).unwrap(),
        every: Duration::from_millis(700),
        timeout: Duration::from_millis(700),
        counts: Counts::Yes,
        objective: None,
        agents: Vantages::All,
        reprobe: None,
    };
    Assignment { service: "s".parse().unwrap(), check: Arc::new(check) }
}

/// The slots of the steady check, as if nothing else were there.
struct Model {
    clock: Clock,
    hand: Hand,
    schedule: Schedule,
    probes: u64,
}

impl Model {
    /// Lets a step pass and sees that the steady check was probed at each of its slots, and at no other time.
    async fn step(&mut self, running: &Running) {
        self.hand.advance(STEP);
        while let Some(due) = self.schedule.due(self.clock.wall()) {
            assert_eq!(due.missed, 0);
            self.probes += 1;
        }
        loop {
            let probes = running.value(STEADY).await.unwrap_or(0.0);
            assert!(probes <= self.probes as f64, "{probes} probes where {} were due", self.probes);
            if probes == self.probes as f64 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn no_slot_of_a_check_that_stays_is_lost_or_moved_while_others_come_and_go() {
    let (place, port) = (Place::new(), port().await);
    let address = port.address;
    place.configure(&format!(
        "checks: [{{ service: s, check: steady, tcp: \"{address}\", every: 700ms, timeout: 700ms }}]\n\
         discovery: [{{ source: web, file_sd: t.json, service: s, checks: [{{ check: \"{{name}}\", tcp: \"{{address}}\", every: 300ms }}] }}]\n"
    ));
    place.write("t.json", "[]");
    let (clock, hand) = Clock::manual(Timestamp::from_millis(1_800_000_000_123));
    let running = place.start_at(clock.clone()).await;
    running.shows("nines_agent_checks", 1.0).await;
    let mut schedule = Schedule::new("a".parse().unwrap());
    schedule.assign(clock.wall(), [steady(address)]);
    let mut model = Model { clock, hand, schedule, probes: 0 };
    for round in 0..ROUNDS {
        let names: Vec<String> = (round..round + 5).map(|number| format!("n{number}")).collect();
        let group = |name: &String| serde_json::json!({ "targets": [address.to_string()], "labels": { "name": name } });
        place.write("t.json", &serde_json::Value::from_iter(names.iter().map(group)).to_string());
        let mut expected: Vec<&str> = names.iter().map(String::as_str).collect();
        expected.push("steady");
        expected.sort_unstable();
        while running.checks().await.iter().map(String::as_str).ne(expected.iter().copied())
            || model.probes <= 2 * round as u64
        {
            model.step(&running).await;
        }
    }
    for reason in ["late", "busy"] {
        assert_eq!(running.value(&format!("nines_agent_slots_missed_total{{reason=\"{reason}\"}}")).await, Some(0.0));
    }
    running.stop().await;
}
