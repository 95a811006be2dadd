//! How a customer's standing changed, from its keys.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, list, placed};
use crate::scalar::instant;
use rules::standing::{Change, Standing};

/// Reads the key `standing`: changes in order of time.
pub(super) fn changes(node: &Node, reading: &mut Reading) -> Option<Vec<Placed<Change>>> {
    let changes = list(change)(node, reading)?;
    for pair in changes.windows(2) {
        if pair[1].value.from <= pair[0].value.from {
            let message = format!(
                "this standing begins no later than the one before it, at {}; list them in order of time",
                pair[0].value.from
            );
            reading.problem::<()>(pair[1].at, message);
        }
    }
    Some(changes)
}

fn change(node: &Node, reading: &mut Reading) -> Option<Placed<Change>> {
    let mut keys = Keys::of(node, "a standing", reading)?;
    let from = keys.required("from", reading, placed(instant));
    let words: Vec<(&'static str, Standing)> = Standing::ALL.iter().map(|known| (known.as_str(), *known)).collect();
    let standing = keys.required("standing", reading, word(&words));
    keys.end(reading);
    let Placed { at, value: from } = from?;
    Some(Placed { at, value: Change { from, standing: standing? } })
}
