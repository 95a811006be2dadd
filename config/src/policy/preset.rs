//! The policies that ship with Nines, found by name when no file defines one of that name.

use super::PolicyDraft;
use crate::reading::Reading;

const PRESETS: &[(&str, &str)] = &[
    ("aicc", include_str!("../../policies/aicc.yaml")),
    ("aws-compute", include_str!("../../policies/aws-compute.yaml")),
    ("azure-compute", include_str!("../../policies/azure-compute.yaml")),
    ("cloud-apm", include_str!("../../policies/cloud-apm.yaml")),
    ("google-compute", include_str!("../../policies/google-compute.yaml")),
    ("retainer", include_str!("../../policies/retainer.yaml")),
];

/// The presets' names, in order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The preset called `name`.
pub(crate) fn load(name: &str, reading: &mut Reading) -> Option<PolicyDraft> {
    let (name, text) = PRESETS.iter().find(|(preset, _)| *preset == name)?;
    let node = reading.parse(&format!("preset {name}"), text)?;
    super::read(&node, reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Environment;
    use std::path::PathBuf;

    #[test]
    fn every_preset_is_a_policy_of_its_own_name() {
        for name in names() {
            let mut reading = Reading::new(PathBuf::new(), Environment::Sealed);
            let draft = load(name, &mut reading);
            let loaded = reading.end(draft).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(loaded.value.policy.id.as_str(), name);
        }
    }
}
