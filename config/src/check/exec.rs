//! An `exec` check and its options.

use crate::node::{Key, Node};
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Environment, Reading, list};
use crate::secret::expanded;
use rules::check::{DependsOn, ExecTarget, Permission, Warning};
use serde_json::{Map, Value, json};

/// What the environment of a command always has, and what no check may set.
const OWN_VARIABLES: [&str; 2] = ["PATH", "LANG"];

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<ExecTarget> {
    let warning = keys.or("warning", Warning::Up, reading, word(&[("up", Warning::Up), ("down", Warning::Down)]));
    let depends_on = [("network", DependsOn::Network), ("this_machine", DependsOn::ThisMachine)];
    let depends_on = keys.or("depends_on", DependsOn::Network, reading, word(&depends_on));
    let environment = keys.or("env", Vec::new(), reading, environment);
    let words = list(argument)(node, reading)?;
    let permission = match reading.environment {
        Environment::Process => Permission::Granted,
        Environment::Sealed | Environment::Filled => Permission::Withheld,
    };
    match ExecTarget::new(words) {
        Ok(target) => Some(ExecTarget { environment, warning, depends_on, permission, ..target }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// An argument, which may be a secret or have one in it.
fn argument(node: &Node, reading: &mut Reading) -> Option<String> {
    expanded(node, reading)
}

fn environment(node: &Node, reading: &mut Reading) -> Option<Vec<(String, String)>> {
    let mut keys = Keys::of(node, "`env`", reading)?;
    Some(keys.rest().into_iter().filter_map(|(key, node)| variable(key, node, reading)).collect())
}

fn variable(key: &Key, node: &Node, reading: &mut Reading) -> Option<(String, String)> {
    reading.conceal(node.at);
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let name = key.name.escape_debug();
    if key.name.is_empty() || key.name.starts_with(|c: char| c.is_ascii_digit()) || !is_name(&key.name) {
        let message = format!("`{name}` is no name of a variable; use letters, digits and `_`, and no digit first");
        return reading.problem(key.at, message);
    }
    if OWN_VARIABLES.contains(&key.name.as_str()) {
        let message = format!("`{name}` is the same for every command; name programs by their absolute path instead");
        return reading.problem(key.at, message);
    }
    let value = expanded(node, reading)?;
    if value.contains('\0') {
        return reading.problem(node.at, "a variable's value has a NUL character; leave it out");
    }
    Some((key.name.clone(), value))
}

/// Writes `exec` under the keys that it is read from. Whether it may be started is never written:
/// whoever reads the document decides that.
pub(super) fn write(exec: &ExecTarget, keys: &mut Map<String, Value>) {
    let ExecTarget { program, arguments, environment, warning, depends_on, permission: _ } = exec;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("exec", std::iter::once(program).chain(arguments).map(|word| json!(word)).collect());
    put("env", environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into());
    put(
        "warning",
        json!(match warning {
            Warning::Up => "up",
            Warning::Down => "down",
        }),
    );
    put(
        "depends_on",
        json!(match depends_on {
            DependsOn::Network => "network",
            DependsOn::ThisMachine => "this_machine",
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent;
    use crate::check_document::{from_json, to_json};
    use rules::check::Target;
    use std::path::Path;

    /// The only check of an agent's own file, whose lines are `check`.
    fn own(check: &str) -> Result<ExecTarget, String> {
        let text = format!("agent: a\nchecks:\n  - {{ check: c, {check} }}\n");
        let loaded = agent::parse(&text, "agent.yaml", Path::new("/")).map_err(|error| error.to_string())?;
        let check = &loaded.value.checks.list[0].check;
        let Target::Exec(target) = &check.target else { panic!("{check:?}") };
        Ok(target.clone())
    }

    #[test]
    fn a_command_of_the_agent_s_own_file_is_granted_and_from_another_machine_withheld() {
        let check = "exec: [/bin/check, -H, 'a b', '${CARGO_PKG_NAME}'], env: { A_1: '$$x' }, warning: down, depends_on: this_machine";
        let target = own(check).unwrap();
        assert_eq!((target.permission, target.arguments.join("|").as_str()), (Permission::Granted, "-H|a b|config"));
        let text = format!("agent: a\nchecks: [{{ check: c, {check} }}]\n");
        let sent = to_json(&agent::parse(&text, "a.yaml", Path::new("/")).unwrap().value.checks.list);
        let Target::Exec(back) = from_json(&sent).unwrap()[0].check.target.clone() else { panic!("{sent}") };
        assert_eq!(back, ExecTarget { permission: Permission::Withheld, ..target });
    }

    #[test]
    fn what_cannot_be_started_is_refused_with_its_reason() {
        let check = |given: &str, expected: &str| {
            let refusal = own(given).unwrap_err();
            assert!(refusal.contains(expected), "{refusal}");
        };
        check("exec: check_http", "write a list");
        check("exec: []", "a command is empty");
        check("exec: [check_http]", "no plain absolute path");
        check("exec: [/usr/../bin/sh]", "no plain absolute path");
        check("exec: [/bin/check], env: { PATH: /tmp }", "absolute path instead");
        check("exec: [/bin/check], env: { 1A: x }", "no name of a variable");
        check("exec: [/bin/check], warning: maybe", "`up` or `down`");
    }
}
