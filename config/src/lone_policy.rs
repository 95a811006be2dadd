//! One policy by itself, for asking what a month would have been under it.
//!
//! The text may come from outside: it names no file and reads no environment variable.

use crate::files;
use crate::policy::{advice, preset, read};
use crate::reading::{ConfigError, Environment, Loaded, Reading};
use rules::policy::Policy;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names of the policies that ship with Nines, in order.
pub fn presets() -> impl Iterator<Item = &'static str> {
    preset::names()
}

/// The policy that ships under `name`.
pub fn preset(name: &str) -> Option<Result<Loaded<Arc<Policy>>, ConfigError>> {
    let mut reading = Reading::new(PathBuf::new(), Environment::Sealed);
    let known = preset::names().any(|preset| preset == name);
    known.then(|| {
        let draft = preset::load(name, &mut reading);
        reading.end(draft.map(|draft| draft.policy))
    })
}

/// Reads the policy in the file at `path`.
pub fn load(path: &Path) -> Result<Loaded<Arc<Policy>>, ConfigError> {
    parse(&files::read(path)?, &path.display().to_string())
}

/// Reads `text`, which messages call `name`.
pub fn parse(text: &str, name: &str) -> Result<Loaded<Arc<Policy>>, ConfigError> {
    let mut reading = Reading::new(PathBuf::new(), Environment::Sealed);
    let draft = reading.parse(name, text).and_then(|node| read(&node, &mut reading));
    if let Some(draft) = &draft {
        advice::tiers(draft, &mut reading);
    }
    reading.end(draft.map(|draft| draft.policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_by_itself_is_read_as_strictly_as_one_among_others() {
        let given = parse("policy: gold\navailability: { objective: 99.99 }\n", "gold.yaml").unwrap().value;
        assert_eq!(given.availability.objective, "99.99".parse().unwrap());
        let refused = parse("policy: gold\navailabilty: {}\n", "gold.yaml").unwrap_err().to_string();
        assert!(refused.contains("gold.yaml:2:1") && refused.contains("availability"), "{refused}");
    }

    #[test]
    fn presets_are_found_by_name() {
        assert_eq!(preset("aicc").unwrap().unwrap().value.id.as_str(), "aicc");
        assert!(preset("gold").is_none());
    }
}
