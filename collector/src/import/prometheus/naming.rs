//! Which agent, service and check a Prometheus series belongs to.
//!
//! Each of the three is a name or the value of a label. Without a word about service and check, the
//! series' target label (`instance`) is looked for among the configuration's targets. Nothing is
//! guessed: a series that fits none, or two series that would become one, are refused.

use super::api::said;
use rules::agreement::{Agreement, Service};
use rules::check::Check;
use rules::id::{AgentId, NotAName};
use rules::result::SeriesKey;
use std::collections::BTreeMap;
use std::str::FromStr;

/// How series are named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Naming {
    /// Who looked.
    pub agent: Part,
    /// What was promised; absent: found by the target.
    pub service: Option<Part>,
    /// What was looked at; absent: found by the target.
    pub check: Option<Part>,
    /// The label that holds the target.
    pub target_label: String,
}

/// Where a name comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// It is this.
    Name(String),
    /// It is the value of this label.
    Label(String),
}

/// Why a series has no name.
#[derive(Debug, thiserror::Error)]
pub enum NamingError {
    /// It lacks a label.
    #[error("the series {series} has no label `{label}`; name another, or narrow the query")]
    NoLabel {
        /// The series.
        series: String,
        /// The label.
        label: String,
    },
    /// A label's value can't be a name.
    #[error("the series {series} can't be named: {why}")]
    NotAName {
        /// The series.
        series: String,
        /// What is wrong with the value.
        why: NotAName,
    },
    /// No check looks at its target.
    #[error("the series {series} belongs to no check of the configuration: {why}")]
    Nobody {
        /// The series.
        series: String,
        /// What was looked for, and what would be right.
        why: String,
    },
    /// Two series have one name.
    #[error(
        "two series of the query are check `{}` of service `{}` seen by agent `{}`; narrow the query, or tell agents apart with --agent-label",
        .series.check, .series.service, .series.agent
    )]
    Twice {
        /// The name.
        series: SeriesKey,
    },
}

impl Naming {
    /// The series that `labels` belong to, and its check.
    pub(super) fn name<'a>(
        &self,
        labels: &BTreeMap<String, String>,
        agreements: &'a [Agreement],
    ) -> Result<(SeriesKey, &'a Check), NamingError> {
        let agent: AgentId = parsed(&self.agent, labels)?;
        let service = self.service.as_ref().map(|part| value(part, labels)).transpose()?;
        let check = self.check.as_ref().map(|part| value(part, labels)).transpose()?;
        let target = match (service, check) {
            (Some(_), Some(_)) => None,
            _ => Some(label(&self.target_label, labels)?),
        };
        let fits = |of: &&(&'a Service, &'a Check)| {
            service.is_none_or(|name| of.0.id.as_str() == name)
                && check.is_none_or(|name| of.1.id.as_str() == name)
                && target.is_none_or(|target| same_target(of.1.target.address(), target))
        };
        let mut known: Vec<(&Service, &Check)> = Vec::new();
        for service in agreements.iter().flat_map(|agreement| &agreement.services) {
            for check in &service.checks {
                // A service may stand in several versions of its agreement; the last has the say.
                known.retain(|(other, known)| other.id != service.id || known.id != check.id);
                known.push((service, check));
            }
        }
        let found: Vec<&(&Service, &Check)> = known.iter().filter(fits).collect();
        match found.as_slice() {
            [(service, check)] => {
                Ok((SeriesKey { agent, service: service.id.clone(), check: check.id.clone() }, *check))
            }
            found => Err(NamingError::Nobody { series: said(labels), why: why(service, check, target, found) }),
        }
    }
}

fn why(service: Option<&str>, check: Option<&str>, target: Option<&str>, found: &[&(&Service, &Check)]) -> String {
    let sought = [("service", service), ("check", check), ("target", target)];
    let sought: Vec<String> = sought.iter().filter_map(|(what, of)| Some(format!("{what} `{}`", (*of)?))).collect();
    let sought = sought.join(", ");
    match found {
        [] => format!("there is none with {sought}; add it, or name it with --service and --check"),
        several => {
            let names: Vec<String> =
                several.iter().map(|(service, check)| format!("{}/{}", service.id, check.id)).collect();
            format!("{} have {sought}; choose with --service and --check", names.join(" and "))
        }
    }
}

/// Targets are the same but for a slash at the end.
fn same_target(own: &str, label: &str) -> bool {
    own.trim_end_matches('/') == label.trim_end_matches('/')
}

fn value<'a>(part: &'a Part, labels: &'a BTreeMap<String, String>) -> Result<&'a str, NamingError> {
    match part {
        Part::Name(name) => Ok(name),
        Part::Label(name) => label(name, labels),
    }
}

fn label<'a>(name: &str, labels: &'a BTreeMap<String, String>) -> Result<&'a str, NamingError> {
    let found = labels.get(name).map(String::as_str);
    found.ok_or_else(|| NamingError::NoLabel { series: said(labels), label: name.to_owned() })
}

fn parsed<T: FromStr<Err = NotAName>>(part: &Part, labels: &BTreeMap<String, String>) -> Result<T, NamingError> {
    value(part, labels)?.parse().map_err(|why| NamingError::NotAName { series: said(labels), why })
}
