//! Which programs this agent starts for checks that did not come from its own file.
//!
//! Whoever may name a program to start owns the machine, so nothing is allowed until this file says so.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, list, text};
use glob::{MatchOptions, Pattern};
use rules::check::{Assignment, Check, ExecTarget, Permission, Target};
use std::sync::Arc;

/// `*` stops at a slash, so that a directory's pattern doesn't open those below it.
const WHOLE_PARTS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The programs that checks from elsewhere may start; none by default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Programs {
    patterns: Vec<Pattern>,
}

impl Programs {
    /// Lets a command be started if its program is allowed. One that brings its own environment
    /// stays withheld: a variable can make an allowed program load or run another one.
    pub fn permit(&self, assignment: Assignment) -> Assignment {
        let Target::Exec(command) = &assignment.check.target else { return assignment };
        let is_allowed = self.patterns.iter().any(|pattern| pattern.matches_with(&command.program, WHOLE_PARTS));
        if !is_allowed || !command.environment.is_empty() {
            return assignment;
        }
        let target = Target::Exec(ExecTarget { permission: Permission::Granted, ..command.clone() });
        let check = Check { target, ..Check::clone(&assignment.check) };
        Assignment { check: Arc::new(check), ..assignment }
    }
}

/// Reads `exec`.
pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Programs> {
    let mut keys = Keys::of(node, "`exec`", reading)?;
    let patterns = keys.or("allow", Vec::new(), reading, list(pattern));
    keys.end(reading);
    Some(Programs { patterns })
}

fn pattern(node: &Node, reading: &mut Reading) -> Option<Pattern> {
    let given = text(node, reading)?;
    let shown = given.escape_debug();
    if !given.starts_with('/') {
        let message = format!("`{shown}` is no absolute path; write one such as `/usr/lib/nagios/plugins/*`");
        return reading.problem(node.at, message);
    }
    match Pattern::new(given) {
        Ok(pattern) => Some(pattern),
        Err(error) => reading.problem(node.at, format!("`{shown}` is no pattern: {}; escape `[` as `[[]`", error.msg)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent;
    use crate::check_document::from_json;
    use std::path::Path;

    fn permission(allow: &str, check: &str) -> Permission {
        let text = format!("agent: a\nexec: {{ allow: {allow} }}\n");
        let programs = agent::parse(&text, "agent.yaml", Path::new("/")).unwrap().value.programs;
        let document = format!(r#"{{"checks": [{{"service": "s", "check": "c", {check}}}]}}"#);
        let assignment = from_json(&document).unwrap().remove(0);
        let permitted = programs.permit(assignment);
        let Target::Exec(command) = &permitted.check.target else { panic!("{permitted:?}") };
        command.permission
    }

    #[test]
    fn a_program_is_allowed_by_its_path_or_a_pattern_and_by_nothing_else() {
        let check = |allow: &str, program: &str, expected| {
            let exec = format!(r#""exec": ["{program}", "-H", "a"]"#);
            assert_eq!(permission(allow, &exec), expected, "{program} under {allow}");
        };
        let (granted, withheld) = (Permission::Granted, Permission::Withheld);
        check("[]", "/bin/sh", withheld);
        check("[/bin/check]", "/bin/check", granted);
        check("[/bin/check]", "/bin/check2", withheld);
        check("[/bin/check]", "/usr/bin/check", withheld);
        check("[/opt/a, '/usr/lib/nagios/plugins/*']", "/usr/lib/nagios/plugins/check_tcp", granted);
        check("['/usr/lib/nagios/plugins/*']", "/usr/lib/nagios/plugins/sub/check_tcp", withheld);
        check("['/usr/lib/nagios/plugins/*']", "/usr/lib/nagios/plugins/.hidden", withheld);
    }

    #[test]
    fn a_command_that_brings_its_environment_stays_withheld() {
        let check = r#""exec": ["/bin/check"], "env": {"LD_PRELOAD": "/tmp/x.so"}"#;
        assert_eq!(permission("[/bin/check]", check), Permission::Withheld);
    }

    #[test]
    fn a_pattern_that_is_no_absolute_path_is_refused() {
        for wrong in ["['*']", "[check_tcp]", "['/a[']"] {
            let text = format!("agent: a\nexec: {{ allow: {wrong} }}\n");
            assert!(agent::parse(&text, "agent.yaml", Path::new("/")).is_err(), "{wrong}");
        }
    }
}
