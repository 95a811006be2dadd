//! A `heartbeat` check and its options. There is nothing to look at, so its value is when it is due.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Environment, Placed, Reading, placed, text};
use crate::scalar::{duration_text, length, parsed, size};
use rules::check::{GRACE_DEFAULT, HeartbeatTarget, JobSchedule};
use rules::cron::Cron;
use rules::period::Zone;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The word in the place of times: the job is due so long after its last run.
const EVERY: &str = "every";

/// Reads the schedule at `node` and its options from the keys beside it, `every` among them.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<HeartbeatTarget> {
    let every = keys.optional("every", reading, placed(length));
    let zone = keys.optional("zone", reading, placed(parsed));
    let grace = keys.optional("grace", reading, length);
    let run_max = keys.optional("max_run", reading, length);
    let bytes_min = keys.optional("min_bytes", reading, size);
    let address = text(node, reading)?;
    let schedule = match address {
        EVERY => periodic(node, every, zone, reading)?,
        times => at_times(node, times, every, zone, reading)?,
    };
    let mut target =
        HeartbeatTarget { address: address.to_owned(), schedule, grace: GRACE_DEFAULT, run_max, bytes_min };
    target.grace = grace.unwrap_or(GRACE_DEFAULT.min(target.every()));
    Some(target)
}

fn periodic(
    node: &Node,
    every: Option<Placed<Duration>>,
    zone: Option<Placed<Zone>>,
    reading: &mut Reading,
) -> Option<JobSchedule> {
    if let Some(Placed { at, .. }) = zone {
        reading.problem::<()>(at, "a heartbeat without times of day has no zone; leave `zone` out");
    }
    match every {
        Some(every) => Some(JobSchedule::Every(every.value)),
        None => reading.problem(node.at, "`heartbeat: every` says not how often; add the key `every`, such as `15m`"),
    }
}

/// A schedule of times. What is handed out by a collector says how long its distance is at most;
/// a file need not, and if it does it must be right.
fn at_times(
    node: &Node,
    times: &str,
    every: Option<Placed<Duration>>,
    zone: Option<Placed<Zone>>,
    reading: &mut Reading,
) -> Option<JobSchedule> {
    let cron: Cron = match times.parse() {
        Ok(cron) => cron,
        Err(error) => {
            let message = format!("{error}; or `heartbeat: every` with the key `every`");
            return reading.problem(node.at, message);
        }
    };
    let zone = zone.map_or_else(Zone::utc, |zone| zone.value);
    let Some(longest) = cron.longest_distance(&zone) else {
        return reading.problem(node.at, format!("`{cron}` never comes twice in eight years; write times that do"));
    };
    match every {
        Some(every) if reading.environment == Environment::Sealed => {
            Some(JobSchedule::Cron { cron, zone, every: every.value })
        }
        Some(every) if every.value != longest => {
            let longest = duration_text(longest);
            let message = format!("the times of `{cron}` lie {longest} apart at most; leave `every` out");
            reading.problem(every.at, message)
        }
        Some(_) | None => Some(JobSchedule::Cron { cron, zone, every: longest }),
    }
}

/// Writes `heartbeat` under the keys that it is read from; `every` stands among those of all checks.
pub(super) fn write(heartbeat: &HeartbeatTarget, keys: &mut Map<String, Value>) {
    let HeartbeatTarget { address, schedule, grace, run_max, bytes_min } = heartbeat;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("heartbeat", json!(address));
    if let JobSchedule::Cron { zone, .. } = schedule {
        put("zone", json!(zone.name()));
    }
    put("grace", json!(duration_text(*grace)));
    if let Some(run_max) = run_max {
        put("max_run", json!(duration_text(*run_max)));
    }
    if let Some(bytes_min) = bytes_min {
        put("min_bytes", json!(bytes_min));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent;
    use crate::check_document::{from_json, to_json};
    use rules::check::{Check, Target};
    use std::path::Path;
    use std::sync::Arc;

    const HOUR: Duration = Duration::from_secs(3600);

    fn read(check: &str) -> Result<Arc<Check>, String> {
        let text = format!("agent: a\nchecks:\n  - {{ check: c, {check} }}\n");
        let loaded = agent::parse(&text, "agent.yaml", Path::new("/")).map_err(|error| error.to_string())?;
        let list = loaded.value.checks.list;
        assert_eq!(from_json(&to_json(&list)).unwrap(), list, "a check comes back as it was");
        Ok(Arc::clone(&list[0].check))
    }

    #[test]
    fn a_schedule_of_times_says_itself_how_often_it_comes() {
        let check = read("heartbeat: '0 4 * * 1', zone: Europe/Berlin, max_run: 2h, min_bytes: 1KiB").unwrap();
        let Target::Heartbeat(target) = &check.target else { panic!("{check:?}") };
        assert_eq!((check.every, target.every()), (169 * HOUR, 169 * HOUR), "an hour is gained in autumn");
        assert_eq!((target.grace, target.run_max, target.bytes_min), (HOUR, Some(2 * HOUR), Some(1024)));
        assert_eq!(check.timeout, Duration::from_secs(10));
    }

    #[test]
    fn a_schedule_without_times_has_its_period() {
        let check = read("heartbeat: every, every: 15m").unwrap();
        let Target::Heartbeat(target) = &check.target else { panic!("{check:?}") };
        assert_eq!((check.every, target.grace), (HOUR / 4, HOUR / 4), "a grace of more than a period would be none");
        assert_eq!(target.schedule, JobSchedule::Every(HOUR / 4));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_its_reason() {
        let check = |given: &str, expected: &str| {
            let refusal = read(given).unwrap_err();
            assert!(refusal.contains(expected), "{refusal}");
        };
        check("heartbeat: daily", "it has 1 fields");
        check("heartbeat: '0 25 * * *'", "the hour `25`");
        check("heartbeat: '0 0 31 2 *'", "never comes twice");
        check("heartbeat: every", "add the key `every`");
        check("heartbeat: every, every: 15m, zone: Asia/Seoul", "leave `zone` out");
        check("heartbeat: '0 2 * * *', every: 12h", "lie 24h apart at most");
        check("heartbeat: '0 2 * * *', zone: Asia/Seol", "Asia/Seol");
        check("heartbeat: '0 2 * * *', max_runn: 1h", "`max_run`");
    }
}
