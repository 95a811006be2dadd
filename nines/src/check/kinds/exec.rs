//! How `nines check` shows exec facts.

use super::Row;
use rules::evidence::{ExecFacts, ProcessEnd};
use serde_json::{Value, json};

pub(super) fn rows(facts: &ExecFacts) -> Vec<Row> {
    let end = match facts.end {
        ProcessEnd::Exited(status) => format!("exit status {status}, {} bytes of output", facts.output_bytes),
        ProcessEnd::Signalled(signal) => format!("signal {signal}, {} bytes of output", facts.output_bytes),
    };
    let said = (!facts.text.as_str().is_empty()).then(|| ("said", facts.text.to_string()));
    let measured = facts.perfdata.iter().map(|one| {
        let unit = if one.unit.is_empty() { String::new() } else { format!(" {}", one.unit) };
        ("measured", format!("{} = {}{unit}", one.label, one.value))
    });
    [("command", end)].into_iter().chain(said).chain(measured).collect()
}

pub(super) fn json(facts: &ExecFacts) -> Value {
    let (status, signal) = match facts.end {
        ProcessEnd::Exited(status) => (Some(status), None),
        ProcessEnd::Signalled(signal) => (None, Some(signal)),
    };
    let measured = facts.perfdata.iter().map(|one| {
        json!({
            "label": one.label.as_str(),
            "value": one.value,
            "unit": one.unit,
            "warning": one.warning,
            "critical": one.critical,
            "min": one.min,
            "max": one.max,
        })
    });
    json!({
        "exit_status": status,
        "signal": signal,
        "text": facts.text.as_str(),
        "output_bytes": facts.output_bytes,
        "perfdata": measured.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_shows_its_end_its_word_and_what_it_measured() {
        let facts = ExecFacts::read(ProcessEnd::Exited(1), "WARNING: slow|time=1500ms;1000 n=3", "", 34);
        let rows = rows(&facts);
        let expected = [
            ("command", "exit status 1, 34 bytes of output"),
            ("said", "WARNING: slow"),
            ("measured", "time = 1.5 seconds"),
            ("measured", "n = 3"),
        ];
        assert!(rows.iter().map(|(word, text)| (*word, text.as_str())).eq(expected), "{rows:?}");
        assert_eq!(json(&facts)["perfdata"][0]["warning"], json!(1.0));
    }
}
