//! `reprobe`: how a target is looked at again while it fails, or `none`.

use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::{duration_text, length, parsed};
use rules::check::{REPROBE_EVERY_DEFAULT, REPROBE_UNTIL_UP_DEFAULT, Reprobe, Target};
use serde_json::json;
use std::time::Duration;

/// Looking again sooner than this is no longer looking but a load.
const EVERY_MIN: Duration = Duration::from_secs(1);
/// More successes in a row than this are a slot's business.
const UNTIL_UP_MAX: u32 = 100;

/// Reads the value of `reprobe`.
pub(crate) fn read(node: &Node, reading: &mut Reading) -> Option<Placed<Option<Reprobe>>> {
    let value = match &node.value {
        Value::Text(_) | Value::Nothing | Value::List(_) => word(&[("none", None)])(node, reading)?,
        Value::Map(_) => Some(map(node, reading)?),
    };
    Some(Placed { at: node.at, value })
}

fn map(node: &Node, reading: &mut Reading) -> Option<Reprobe> {
    let mut keys = Keys::of(node, "`reprobe`", reading)?;
    let every = keys.or("every", Placed { at: node.at, value: REPROBE_EVERY_DEFAULT }, reading, placed(length));
    let until_up =
        keys.or("until_up", Placed { at: node.at, value: REPROBE_UNTIL_UP_DEFAULT }, reading, placed(parsed));
    keys.end(reading);
    if every.value < EVERY_MIN {
        return reading
            .problem(every.at, "probes less than a second apart are a load; write an `every` of `1s` or more");
    }
    if !(1..=UNTIL_UP_MAX).contains(&until_up.value) {
        return reading.problem(until_up.at, format!("`until_up` is from 1 to {UNTIL_UP_MAX} successes in a row"));
    }
    Some(Reprobe { every: every.value, until_up: until_up.value })
}

/// What holds for a check of `target` that says `given` or nothing, and has slots `every` so often.
pub(crate) fn settle(
    given: Option<Placed<Option<Reprobe>>>,
    target: &Target,
    every: Duration,
    reading: &mut Reading,
) -> Option<Reprobe> {
    let Some(given) = given else { return Reprobe::usual(target).filter(|usual| usual.every < every) };
    let reprobe = given.value?;
    if let Target::Heartbeat(_) = target {
        return reading.problem(given.at, "a heartbeat is waited for and not asked for; leave `reprobe` out");
    }
    if every <= reprobe.every {
        let (again, every) = (duration_text(reprobe.every), duration_text(every));
        let message = format!("reprobe every {again} is no sooner than every {every}; write a shorter one or `none`");
        return reading.problem(given.at, message);
    }
    Some(reprobe)
}

/// Writes it as it is read.
pub(crate) fn write(reprobe: Option<Reprobe>) -> serde_json::Value {
    match reprobe {
        None => json!("none"),
        Some(Reprobe { every, until_up }) => json!({ "every": duration_text(every), "until_up": until_up }),
    }
}

#[cfg(test)]
mod tests {
    use crate::check_document::from_json;
    use rules::check::Reprobe;
    use std::time::Duration;

    #[track_caller]
    fn check(keys: &str, expected: Option<(u64, u32)>) {
        let json = format!(r#"{{"checks":[{{"service":"s","check":"c",{keys}}}]}}"#);
        let assignments = from_json(&json).unwrap_or_else(|error| panic!("{error}"));
        let expected = expected.map(|(every, until_up)| Reprobe { every: Duration::from_secs(every), until_up });
        assert_eq!(assignments[0].check.reprobe, expected, "{keys}");
        let again = from_json(&crate::check_document::to_json(&assignments)).unwrap();
        assert_eq!(again, assignments, "{keys}");
    }

    #[test]
    fn a_check_that_fails_is_looked_at_again_unless_it_says_otherwise_or_its_slots_are_as_near() {
        check(r#""tcp":"a:1""#, Some((5, 3)));
        check(r#""tcp":"a:1","reprobe":"none""#, None);
        check(r#""tcp":"a:1","reprobe":{"until_up":1}"#, Some((5, 1)));
        check(r#""tcp":"a:1","reprobe":{"every":"2s"}"#, Some((2, 3)));
        check(r#""tcp":"a:1","every":"5s","timeout":"5s""#, None);
        check(r#""tcp":"a:1","every":"6s","timeout":"5s""#, Some((5, 3)));
    }

    #[test]
    fn what_can_not_be_is_refused_with_what_would_be_right() {
        let refused = |keys: &str| {
            let json = format!(r#"{{"checks":[{{"service":"s","check":"c","tcp":"a:1",{keys}}}]}}"#);
            from_json(&json).unwrap_err().to_string()
        };
        for (keys, message) in [
            (r#""reprobe":"never""#, "is not one of the words here; write `none`"),
            (r#""reprobe":{"every":"30s"}"#, "reprobe every 30s is no sooner than every 30s"),
            (r#""reprobe":{"every":"100ms"}"#, "less than a second apart"),
            (r#""reprobe":{"until_up":0}"#, "`until_up` is from 1 to 100"),
            (r#""reprobe":{"evry":"5s"}"#, "did you mean `every`?"),
        ] {
            let told = refused(keys);
            assert!(told.contains(message), "{keys}: {told}");
        }
    }
}
