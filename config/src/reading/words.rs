//! Closed sets of words, and what somebody meant who wrote another one.

use super::{Reading, text};
use crate::node::Node;

/// One of a closed set of words.
pub(crate) fn word<T: Clone>(choices: &[(&'static str, T)]) -> impl FnOnce(&Node, &mut Reading) -> Option<T> {
    move |node, reading| {
        let given = text(node, reading)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == given) {
            return Some(value.clone());
        }
        let words: Vec<&'static str> = choices.iter().map(|(word, _)| *word).collect();
        let right = match nearest(given, words.iter().copied()) {
            Some(near) if 3 < words.len() => format!("did you mean `{near}`?"),
            _ => format!("write {}", either(&words)),
        };
        reading.problem(node.at, format!("`{}` is not one of the words here; {right}", given.escape_debug()))
    }
}

/// The word of `known` that `given` is most likely a misspelling of.
pub fn nearest<'k>(given: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|word| (strsim::normalized_damerau_levenshtein(given, word), word))
        .filter(|(likeness, _)| 0.5 <= *likeness)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, word)| word)
}

/// `a`, `b` and `c`.
pub(crate) fn listed(words: &[&str]) -> String {
    joined(words, "and")
}

/// `a`, `b` or `c`.
pub(crate) fn either(words: &[&str]) -> String {
    joined(words, "or")
}

fn joined(words: &[&str], last: &str) -> String {
    match words {
        [] => "none".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., end] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} {last} `{end}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(nearest(given, ["every", "timeout", "objective"].into_iter()), expected, "{given}");
        };
        check("evry", Some("every"));
        check("time_out", Some("timeout"));
        check("colour", None);
    }
}
