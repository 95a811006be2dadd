//! A step of a flow, from its keys.

use super::capture;
use super::names::Names;
use crate::check::http::{self, content, headers::is_token};
use crate::node::{Key, Node, Value};
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, one_or_list, placed};
use crate::scalar::{length, parsed, truth};
use rules::check::{
    ContentRule, Expectation, FailsIf, HttpTarget, Look, Polling, Runs, Step, StepRequest, Template, Timed, Tolerance,
};
use std::time::Duration;

/// How often a step that polls asks when it doesn't say.
const EVERY_DEFAULT: Duration = Duration::from_secs(5);
/// The shortest pause between two requests of a step: less would be a load test.
const EVERY_MIN: Duration = Duration::from_millis(100);

/// Reads one step; its captures are known to those after it.
pub(super) fn read(node: &Node, names: &mut Names, reading: &mut Reading) -> Option<Step> {
    let mut keys = Keys::of(node, "a step", reading)?;
    let name = keys.required("step", reading, parsed);
    let request = keys.required("request", reading, |node, reading| request(node, names, reading));
    let expect = keys.or("expect", Expectation::default(), reading, expectation);
    let until = keys.optional("until", reading, waited_for);
    let every = keys.optional("every", reading, placed(pause));
    let captures = keys.or("capture", Vec::new(), reading, |node, reading| capture::read(node, names, reading));
    let timeout = keys.optional("timeout", reading, length);
    let always = keys.or("always", false, reading, truth);
    let timed = keys.or("timed", !always, reading, truth);
    let may_fail = keys.optional("may_fail", reading, placed(truth));
    keys.end(reading);
    if let (None, Some(Placed { at, .. })) = (&until, &every) {
        reading.problem::<()>(*at, "`every` says how often to ask, and nothing is waited for; add `until`");
    }
    if let (false, Some(Placed { at, value: true })) = (always, &may_fail) {
        reading.problem::<()>(*at, "only a step that always runs may fail; add `always: true`, or leave this out");
    }
    let may_fail = may_fail.is_some_and(|may_fail| may_fail.value);
    Some(Step {
        name: name?,
        request: request?,
        expect,
        until: until.map(|until| Polling { until, every: every.map_or(EVERY_DEFAULT, |every| every.value) }),
        captures,
        timeout,
        runs: if always { Runs::Always } else { Runs::InTurn },
        timed: if timed { Timed::Yes } else { Timed::No },
        tolerance: if may_fail { Tolerance::MayFail } else { Tolerance::None },
    })
}

fn pause(node: &Node, reading: &mut Reading) -> Option<Duration> {
    let every = length(node, reading)?;
    if every < EVERY_MIN {
        return reading.problem(node.at, "a step asks again after 100ms at the soonest; write `100ms` or more");
    }
    Some(every)
}

/// A URL alone, or a map of what is sent.
fn request(node: &Node, names: &Names, reading: &mut Reading) -> Option<StepRequest> {
    if let Value::Text(_) = &node.value {
        let url = url(node, names, reading)?;
        return Some(StepRequest { method: "GET".to_owned(), url, headers: Vec::new(), body: None });
    }
    let mut keys = Keys::of(node, "`request`", reading)?;
    let method = keys.or("method", "GET".to_owned(), reading, http::method);
    let url = keys.required("url", reading, |node, reading| url(node, names, reading));
    let headers = keys.or("headers", Vec::new(), reading, |node, reading| headers(node, names, reading));
    let body = keys.optional("body", reading, |node, reading| names.template(node, reading));
    keys.end(reading);
    Some(StepRequest { method, url: url?, headers, body })
}

/// An absolute URL, as far as it is known before the flow runs.
fn url(node: &Node, names: &Names, reading: &mut Reading) -> Option<Template> {
    let template = names.template(node, reading)?;
    if names.begins_unknown(&template) {
        return Some(template);
    }
    let samples = match names.samples(&template) {
        Ok(samples) => samples,
        Err(error) => return reading.problem(node.at, error.to_string()),
    };
    let mut refusals = Vec::new();
    for sample in &samples {
        match HttpTarget::parse(sample) {
            Ok(_) => return Some(template),
            Err(error) => refusals.push(error.to_string()),
        }
    }
    if template.as_str().contains('@') {
        reading.conceal(node.at);
    }
    reading.problem(node.at, refusals.into_iter().next().unwrap_or_default())
}

/// A map of names to values, or a list of such maps where order or repetition matters.
fn headers(node: &Node, names: &Names, reading: &mut Reading) -> Option<Vec<(String, Template)>> {
    let map = |node: &Node, reading: &mut Reading| {
        let entries = Keys::of(node, "`headers`", reading)?.rest();
        Some(entries.into_iter().filter_map(|(key, node)| header(key, node, names, reading)).collect::<Vec<_>>())
    };
    Some(one_or_list(map)(node, reading)?.into_iter().flatten().collect())
}

fn header(key: &Key, node: &Node, names: &Names, reading: &mut Reading) -> Option<(String, Template)> {
    if key.name.is_empty() || !key.name.chars().all(is_token) {
        let name = key.name.escape_debug();
        return reading.problem(key.at, format!("`{name}` is no header name; use letters, digits and hyphens"));
    }
    let value = names.template(node, reading)?;
    if value.as_str().contains(|c: char| c.is_control() && c != '\t') {
        let message = "a header's value has a control character; write it on one line without any";
        return reading.problem(node.at, message);
    }
    Some((key.name.clone(), value))
}

/// What each answer must keep, under the names that an `http` check has for it.
fn expectation(node: &Node, reading: &mut Reading) -> Option<Expectation> {
    let mut keys = Keys::of(node, "`expect`", reading)?;
    let valid_status_codes = keys.or("valid_status_codes", Vec::new(), reading, one_or_list(http::status_codes));
    let content = content::read(&mut keys, reading);
    keys.end(reading);
    Some(Expectation { valid_status_codes, content })
}

/// Reads what a condition looks for.
type ReadLook = fn(&Node, &mut Reading) -> Option<Look>;

/// The conditions on content that can be waited for, each with what it reads.
const CONDITIONS: [(&str, ReadLook); 3] = [
    ("header_matches", content::header),
    ("body_matches_regexp", content::body),
    ("body_json_matches_cel", content::json),
];

/// What the answer waited for keeps; without a status, any status that the step expects is good.
fn waited_for(node: &Node, reading: &mut Reading) -> Option<Expectation> {
    let mut keys = Keys::of(node, "`until`", reading)?;
    let codes = keys.take("valid_status_codes").map(|(_, node)| one_or_list(http::status_codes)(node, reading));
    let mut is_empty = codes.is_none();
    let mut content = Vec::new();
    for (key, read) in CONDITIONS {
        let Some((_, node)) = keys.take(key) else { continue };
        is_empty = false;
        let looks = one_or_list(read)(node, reading).unwrap_or_default();
        content.extend(looks.into_iter().map(|look| ContentRule { look, fails: FailsIf::Missing }));
    }
    keys.end(reading);
    if is_empty {
        return reading.problem(
            node.at,
            "`until` waits for nothing; add `valid_status_codes`, `header_matches`, `body_matches_regexp` or `body_json_matches_cel`",
        );
    }
    Some(Expectation { valid_status_codes: codes.flatten().unwrap_or_else(|| vec![100..=599]), content })
}
