//! No text makes the loader panic, however close it is to a configuration.

use proptest::prelude::*;
use std::path::Path;

const COLLECTOR: &str = include_str!("../examples/collector.yaml");
const AGENT: &str = include_str!("../examples/agent-small.yaml");

/// What is put in the place of some characters.
fn insertions() -> impl Strategy<Value = String> {
    prop_oneof![
        "[:\\-{}\\[\\],&*!|>'\"%@`#? \n\t~0-9.]{0,4}",
        "\\PC{0,3}",
        Just("<<: *a".to_owned()),
        Just("&a ".to_owned()),
        Just("*a".to_owned()),
        Just("!!binary ".to_owned()),
        Just("\n---\n".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("고객".to_owned()),
        Just("sqlite::memory:".to_owned()),
    ]
}

/// `text` with some stretches of characters replaced.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let chars: Vec<char> = text.chars().collect();
    let change = (0..chars.len(), 0usize..12, insertions());
    proptest::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut chars = chars.clone();
        for (at, length, insertion) in changes {
            let at = at.min(chars.len());
            let end = (at + length).min(chars.len());
            chars.splice(at..end, insertion.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_collector_configuration_is_read_or_refused(text in mutated(COLLECTOR)) {
        if let Err(error) = config::collector::parse(&text, "c.yaml", Path::new(".")) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_mutated_agent_configuration_is_read_or_refused(text in mutated(AGENT)) {
        if let Err(error) = config::agent::parse(&text, "a.yaml", Path::new(".")) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        if let Err(error) = config::collector::parse(&text, "c.yaml", Path::new(".")) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
