//! Lists of targets in Prometheus' format, as files and servers give them: JSON or YAML.
//!
//! `[{"targets": ["a:80", "b:80"], "labels": {"env": "prod"}}]`. It is text from outside: a list that is no such
//! list is refused whole, with the place of what is wrong; whether a target makes a check is not its concern.

use super::{ADDRESS, Labels};
use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::{ConfigError, Environment, Reading, list, text};
use std::path::PathBuf;

/// How many targets a list may have: ten times what an agent probes.
const TARGETS_MAX: usize = 100_000;

/// Reads `given`, which came from `name`; every target has the label `origin` with that name, too.
pub fn targets(given: &str, name: &str, origin: &str) -> Result<Vec<Labels>, ConfigError> {
    let mut reading = Reading::new(PathBuf::new(), Environment::Sealed);
    let groups = reading.parse(name, given).and_then(|node| read(&node, &mut reading));
    let groups = reading.end(groups)?.value;
    let labelled = |(addresses, labels): (Vec<String>, Labels)| {
        addresses.into_iter().map(move |address| {
            let mut labels = labels.clone();
            labels.insert(ADDRESS.to_owned(), address);
            labels.insert(origin.to_owned(), name.to_owned());
            labels
        })
    };
    Ok(groups.into_iter().flat_map(labelled).collect())
}

fn read(node: &Node, reading: &mut Reading) -> Option<Vec<(Vec<String>, Labels)>> {
    let Value::List(nodes) = &node.value else {
        let shape = node.value.shape();
        let message =
            format!("{shape} stands where a list of targets should; write `[{{\"targets\": [\"host:port\"]}}]`");
        return reading.problem(node.at, message);
    };
    let groups: Vec<_> = nodes.iter().filter_map(|node| group(node, reading)).collect();
    if TARGETS_MAX < groups.iter().map(|(addresses, _)| addresses.len()).sum() {
        return reading.problem(node.at, format!("more than {TARGETS_MAX} targets are listed; split the list"));
    }
    Some(groups)
}

fn group(node: &Node, reading: &mut Reading) -> Option<(Vec<String>, Labels)> {
    let mut keys = Keys::of(node, "a group of targets", reading)?;
    let own = |node: &Node, reading: &mut Reading| text(node, reading).map(str::to_owned);
    let addresses = keys.or("targets", Vec::new(), reading, list(own));
    let labels = keys.or("labels", Labels::new(), reading, |node, reading| {
        let mut keys = Keys::of(node, "the labels of targets", reading)?;
        let labels = keys.rest().into_iter().map(|(key, node)| Some((key.name.clone(), own(node, reading)?)));
        labels.collect()
    });
    keys.end(reading);
    Some((addresses, labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: Result<&[(&str, &str)], &str>) {
        let found = targets(given, "t.yaml", "__meta_filepath");
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                let found: Vec<_> =
                    found.iter().map(|l| (l[ADDRESS].as_str(), l.get("env").map_or("", String::as_str))).collect();
                assert_eq!(found, expected);
            }
            (Err(error), Err(expected)) => assert!(error.to_string().starts_with(expected), "{error}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_list_is_read_as_json_and_as_yaml() {
        let expected: &[_] = &[("a:80", "prod"), ("b:80", "prod"), ("c:1", "")];
        check(r#"[{"targets": ["a:80", "b:80"], "labels": {"env": "prod"}}, {"targets": ["c:1"]}]"#, Ok(expected));
        check("- targets: [a:80, b:80]\n  labels:\n    env: prod\n- targets:\n  - c:1\n", Ok(expected));
        check("[]", Ok(&[]));
        let all = targets("[{targets: [a]}]", "t.yaml", "__meta_filepath").unwrap();
        assert_eq!(all[0]["__meta_filepath"], "t.yaml");
    }

    #[test]
    fn what_is_no_list_of_targets_is_refused_with_its_place() {
        check("", Err("t.yaml:1:1: the file is empty"));
        check("<html>", Err("t.yaml:1:1: a single value stands where a list of targets should"));
        check("[{\"targets\": [\"a\"]},\n {\"target\": [\"b\"]}]", Err("t.yaml:2:3: unknown key `target`"));
        check("- targets: a:80", Err("t.yaml:1:12: a single value stands here"));
        check("[{\"targets\": [\"a\"", Err("t.yaml:1:"));
    }
}
