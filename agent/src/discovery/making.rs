//! From targets to checks: selected, made by the recipe, named apart, no more than allowed.

use super::kept::Lists;
use crate::orders::key;
use config::agent::discovery::{ADDRESS, CHECK_NAME, Labels, Source};
use rules::check::Assignment;
use std::collections::{BTreeMap, BTreeSet};

/// How many skipped targets are said one by one when a list changes.
pub(super) const SAID_MAX: usize = 10;

/// What became of a source's targets.
#[derive(Default)]
pub(super) struct Made {
    pub(super) assignments: Vec<Assignment>,
    /// Targets that were selected.
    pub(super) targets: usize,
    /// Checks that could not be made.
    pub(super) invalid: usize,
    /// Checks whose name another one has.
    pub(super) collisions: usize,
    /// Checks beyond what is allowed.
    pub(super) beyond: usize,
    /// The skipped ones, as they are said.
    pub(super) refusals: BTreeSet<String>,
}

/// Makes the checks of `source` out of what it named. The result depends on what was named and not on
/// the order.
pub(super) fn make(source: &Source, lists: &Lists) -> Made {
    let mut made = Made::default();
    let mut checks: BTreeMap<_, (Assignment, &Labels)> = BTreeMap::new();
    let targets: BTreeSet<&Labels> = lists.values().flatten().filter(|labels| source.select.keeps(labels)).collect();
    made.targets = targets.len();
    for labels in targets {
        for check in source.checks(labels) {
            match check {
                Ok(assignment) => {
                    if let Some((first, of)) = checks.get(&key(&assignment)) {
                        made.collisions += 1;
                        let (id, named, of) = (&first.check.id, said(labels), said(of));
                        made.refuse(|| format!("{named}: its check would be named `{id}`, as that of {of} is"));
                    } else {
                        checks.insert(key(&assignment), (assignment, labels));
                    }
                }
                Err(refusal) => {
                    made.invalid += 1;
                    made.refuse(|| format!("{}: {refusal}", said(labels)));
                }
            }
        }
    }
    made.beyond = checks.len().saturating_sub(source.checks_max);
    made.assignments = checks.into_values().map(|(assignment, _)| assignment).take(source.checks_max).collect();
    made
}

impl Made {
    fn refuse(&mut self, refusal: impl FnOnce() -> String) {
        if self.refusals.len() < SAID_MAX {
            self.refusals.insert(refusal());
        }
    }
}

/// What a target is called in messages; it comes from outside.
fn said(labels: &Labels) -> String {
    const SAID_CHARS_MAX: usize = 200;
    let name =
        labels.get(CHECK_NAME).or_else(|| labels.get(ADDRESS)).map_or("a target without address", String::as_str);
    name.chars().take(SAID_CHARS_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn source(rest: &str) -> Source {
        let text = format!("agent: a\ndiscovery: [{{ source: web, file_sd: t.json, service: s, {rest} }}]");
        config::agent::parse(&text, "a.yaml", Path::new("/")).unwrap().value.discovery[0].clone()
    }

    fn lists(targets: &[(&str, &str)]) -> Lists {
        let labels = |(address, env): &(&str, &str)| {
            Labels::from([(ADDRESS.to_owned(), (*address).to_owned()), ("env".to_owned(), (*env).to_owned())])
        };
        Lists::from([(String::new(), targets.iter().map(labels).collect())])
    }

    fn names(made: &Made) -> Vec<&str> {
        made.assignments.iter().map(|assignment| assignment.check.id.as_str()).collect()
    }

    #[test]
    fn the_same_targets_make_the_same_checks_in_any_order() {
        let source = source(r#"checks: [{ tcp: "{address}" }]"#);
        let made = |targets: &[(&str, &str)]| names(&make(&source, &lists(targets))).join(" ");
        assert_eq!(made(&[("b:1", "x"), ("a:1", "x"), ("a:1", "x")]), "web:a:1 web:b:1");
        assert_eq!(made(&[("a:1", "x"), ("b:1", "x")]), "web:a:1 web:b:1");
    }

    #[test]
    fn what_is_not_selected_wrong_taken_or_too_many_is_left_out_and_counted() {
        let source = source(r#"at_most: 2, select: { env: [x, y] }, checks: [{ tcp: "{address}" }]"#);
        let targets = [("a:1", "x"), ("a:1", "y"), ("no port", "x"), ("b:1", "x"), ("c:1", "x"), ("d:1", "dev")];
        let made = make(&source, &lists(&targets));
        assert_eq!(names(&made), ["web:a:1", "web:b:1"]);
        assert_eq!((made.targets, made.invalid, made.collisions, made.beyond), (5, 1, 1, 1));
        let said: Vec<&String> = made.refusals.iter().collect();
        assert_eq!(said[0], "a:1: its check would be named `web:a:1`, as that of a:1 is");
        assert!(said[1].starts_with("no port: "), "{said:?}");
    }
}
