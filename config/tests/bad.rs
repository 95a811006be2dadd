//! What an operator reads after a mistake: one file a mistake in `bad/`, one snapshot each.
//!
//! Files whose name has `doubt` in it can be used and are warned about.

use config::{agent, check_document, collector, report};
use std::path::Path;

#[test]
fn every_mistake_is_shown_with_its_place_and_what_would_be_right() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("bad");
    let mut names: Vec<String> = std::fs::read_dir(&dir)
        .expect("the folder of mistakes is there")
        .map(|entry| entry.expect("its entries can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(40 < names.len(), "only {} mistakes are there", names.len());
    for entry in std::fs::read_dir(dir.with_file_name("tests/snapshots")).expect("the snapshots are there") {
        let snapshot = entry.expect("its entries can be read").file_name().to_string_lossy().into_owned();
        let known = snapshot.split(".snap").next().is_some_and(|name| names.iter().any(|known| known == name));
        assert!(known, "{snapshot} is left over from a file that is gone");
    }
    for name in names {
        let text = std::fs::read_to_string(dir.join(&name)).expect("a file of the folder can be read");
        let (shown, is_usable) = outcome(&name, &text);
        assert_eq!(is_usable, name.contains("doubt"), "{name}:\n{shown}");
        let shown = shown.replace(&format!("{}/", dir.display()), "");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, shown);
        });
    }
}

/// What `validate` prints about `text`, and whether it can be used.
fn outcome(name: &str, text: &str) -> (String, bool) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("bad");
    match name.split('-').next() {
        Some("collector") => {
            let outcome = collector::parse(text, name, &dir);
            (report::validation(name, &outcome), outcome.is_ok())
        }
        Some("agent") => {
            let outcome = agent::parse(text, name, &dir);
            (report::validation(name, &outcome), outcome.is_ok())
        }
        _ => {
            let outcome = check_document::from_json(text);
            let shown = outcome.as_ref().err().map(ToString::to_string);
            (shown.unwrap_or_default(), outcome.is_ok())
        }
    }
}
