//! A `flow` check: a file of steps, or the steps themselves, and options beside it.

mod capture;
mod names;
mod step;
mod write;

use super::http::options;
use crate::files;
use crate::node::{Key, Node, Value};
use crate::reading::keys::Keys;
use crate::reading::{ConfigError, Environment, Loaded, Placed, Reading};
use crate::scalar::{length, words};
use crate::secret::{check_secret, check_secret_file, expanded};
use names::Names;
use rules::check::{FlowTarget, Runs, SecretSource, Step, Timed};
use std::collections::BTreeMap;
use std::path::Path;
pub(super) use write::write;

/// The largest file of a flow: a hundred times what fifty steps take.
const FLOW_BYTES_MAX: usize = 1 << 20;
/// How many steps a flow may have: more than anybody wants to read in a waterfall.
const STEPS_MAX: usize = 50;
/// How many variables, secrets and captures a flow may have, each.
const NAMES_MAX: usize = 100;

/// Reads the flow at `node`, a file's path or the flow itself, and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<FlowTarget> {
    let options = options::read(keys, reading);
    let flow = match &node.value {
        Value::Text(file) => from_file(file, node, reading),
        Value::Nothing | Value::List(_) | Value::Map(_) => flow(node, None, reading),
    };
    Some(FlowTarget { options: options?, ..flow? })
}

/// Reads the flow in `file`, whose path is relative to the file that names it.
fn from_file(file: &str, node: &Node, reading: &mut Reading) -> Option<FlowTarget> {
    if reading.environment == Environment::Sealed {
        let message = "a flow from another machine names a file; write its steps in its place";
        return reading.problem(node.at, message);
    }
    let path = reading.dir_of(node.at).join(file);
    let text = match files::read(&path) {
        Ok(text) if text.len() <= FLOW_BYTES_MAX => text,
        Ok(_) => {
            let path = path.display();
            return reading.problem(node.at, format!("{path} is larger than {FLOW_BYTES_MAX} bytes; name a flow"));
        }
        Err(error) => return reading.problem(node.at, error.to_string()),
    };
    let root = reading.parse(&path.display().to_string(), &text)?;
    reading.within_a_file(|reading| flow(&root, Some(file), reading))
}

/// Reads the file at `path` as a flow by itself, with every option of HTTP at its default.
pub(crate) fn load(path: &Path) -> Result<Loaded<FlowTarget>, ConfigError> {
    let name = path.display().to_string();
    let mut reading = Reading::new(files::base_dir(path).to_owned(), Environment::Process);
    let node = reading.parse(&name, &files::read(path)?);
    let flow = node.and_then(|node| flow(&node, Some(&name), &mut reading));
    reading.end(flow)
}

/// Reads the keys of a flow; `file` is its path if it stands in one of its own.
fn flow(node: &Node, file: Option<&str>, reading: &mut Reading) -> Option<FlowTarget> {
    let mut keys = Keys::of(node, "a flow", reading)?;
    let name = keys.optional("name", reading, words).or_else(|| file.map(str::to_owned));
    let variables = keys.or("variables", Vec::new(), reading, |node, reading| entries(node, variable, reading));
    let secrets = keys.or("secrets", Vec::new(), reading, |node, reading| entries(node, secret, reading));
    let mut names = Names::of(&variables, &secrets, reading);
    let reserve = keys.optional("reserve", reading, length);
    let steps = keys.required("steps", reading, |node, reading| steps(node, &mut names, reading));
    keys.end(reading);
    Some(FlowTarget {
        name: name.unwrap_or_else(|| "flow".to_owned()),
        variables: variables.into_iter().map(|variable| variable.value).collect(),
        secrets: secrets.into_iter().map(|secret| secret.value).collect(),
        reserve,
        steps: steps?,
        options: Default::default(),
    })
}

/// A map whose keys are names: each read by `read`.
fn entries<T>(
    node: &Node,
    read: fn(&Key, &Node, &mut Reading) -> Option<(String, T)>,
    reading: &mut Reading,
) -> Option<Vec<Placed<(String, T)>>> {
    let entries = Keys::of(node, "names with their values", reading)?.rest();
    if NAMES_MAX < entries.len() {
        return reading.problem(node.at, format!("a flow has more than {NAMES_MAX} of these; leave some out"));
    }
    let placed = |(key, node): (&Key, &Node)| {
        let value = read(key, node, reading)?;
        names::check(&value.0, key.at, reading)?;
        Some(Placed { at: key.at, value })
    };
    Some(entries.into_iter().filter_map(placed).collect())
}

fn variable(key: &Key, node: &Node, reading: &mut Reading) -> Option<(String, String)> {
    expanded(node, reading).map(|value| (key.name.clone(), value))
}

/// A secret from the environment, or, under its name with `_file` behind it, in a file of the agent's
/// machine. In a document from another program it is the secret itself.
fn secret(key: &Key, node: &Node, reading: &mut Reading) -> Option<(String, SecretSource)> {
    match key.name.strip_suffix("_file") {
        Some(name) => check_secret_file(node, reading).map(|file| (name.to_owned(), file)),
        None => check_secret(node, reading).map(|secret| (key.name.clone(), SecretSource::Given(secret))),
    }
}

fn steps(node: &Node, names: &mut Names, reading: &mut Reading) -> Option<Vec<Step>> {
    let nodes = match &node.value {
        Value::List(nodes) if !nodes.is_empty() && nodes.len() <= STEPS_MAX => nodes,
        Value::List(nodes) => {
            let count = nodes.len();
            let message = format!("a flow has {count} steps; write at least one and at most {STEPS_MAX}");
            return reading.problem(node.at, message);
        }
        Value::Nothing | Value::Text(_) | Value::Map(_) => {
            let shape = node.value.shape();
            return reading.problem(node.at, format!("{shape} stands here; write a list of steps, lines with `-`"));
        }
    };
    let mut seen = BTreeMap::new();
    let mut steps: Vec<Step> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(step) = step::read(node, names, reading) else { continue };
        if let Some(first) = seen.insert(step.name.clone(), node.at) {
            let message = format!("step `{}` is given twice, first at {}; rename one", step.name, reading.shown(first));
            reading.problem::<()>(node.at, message);
        }
        if step.runs == Runs::InTurn && steps.last().is_some_and(|before| before.runs == Runs::Always) {
            let message = "this step follows one that always runs; put the steps with `always: true` last";
            reading.problem::<()>(node.at, message);
        }
        steps.push(step);
    }
    if steps.len() == nodes.len() && steps.iter().all(|step| step.timed == Timed::No) {
        let message = "no step of the flow is timed, so its time is always zero; leave `timed: false` out of one";
        reading.problem::<()>(node.at, message);
    }
    Some(steps)
}
