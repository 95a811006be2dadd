//! How `nines check` shows a WebSocket.

use super::{Row, dialog};
use rules::evidence::WsFacts;
use serde_json::{Value, json};

pub(super) fn rows(facts: &WsFacts) -> Vec<Row> {
    let upgrade = match facts.status {
        WsFacts::SWITCHING => "granted (status 101)".to_owned(),
        status => format!("refused (status {status})"),
    };
    let mut rows = vec![("upgrade", upgrade)];
    if 0 < facts.dialog.steps {
        rows.extend(dialog::rows(&facts.dialog));
    }
    rows
}

pub(super) fn json(facts: &WsFacts) -> Value {
    json!({ "status": facts.status, "dialog": dialog::json(&facts.dialog) })
}
