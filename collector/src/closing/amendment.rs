//! What an amended statement says of the one it takes the place of (`accounting.md` section 12).
//!
//! Two documents are compared as they are issued, so that a reader of both finds every change where
//! it is said to be. Only figures are compared: what was measured, what was promised, what is owed.
//! Words about them (reasons, notes, names of people) may change without an amendment.

use super::tree::Tree;

/// The members of a statement that hold figures, in the document's order.
const FIGURES: [&str; 6] = ["services", "credit", "standing", "incidents", "response", "retainer"];

/// Members that say something in words; a change of words alone amends nothing.
const WORDS: [&str; 13] = [
    "reason",
    "note",
    "title",
    "text",
    "refused",
    "bar",
    "class",
    "told_at",
    "recorded_by",
    "recorded_at",
    "approved_by",
    "events",
    "opened",
];

/// How a version differs from its predecessor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amendment {
    /// The predecessor's version.
    pub predecessor: u32,
    /// SHA-256 of its canonical JSON.
    pub sha256: [u8; 32],
    /// Every figure that changed, in the order of the statement.
    pub changes: Vec<Change>,
    /// What is owed more (or less) than the predecessor said, in minor units.
    pub credit_difference: i128,
}

/// One figure that changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where it stands in the canonical JSON, such as `services[apm-prod].availability.downtime_ms`.
    pub place: String,
    /// What the predecessor said; nothing if it was not there.
    pub before: Option<String>,
    /// What is said now; nothing if it is gone.
    pub after: Option<String>,
}

/// Every figure that differs between two statements, in the order of the later one; what only the
/// earlier one has comes where it stood.
pub fn changes(before: &Tree, after: &Tree) -> Vec<Change> {
    let mut found = Vec::new();
    for name in FIGURES {
        compare(name, name, before.member(name), after.member(name), &mut found);
    }
    found
}

/// What `after` owes more than `before`, over all services and at most the fee.
pub fn credit_difference(before: &Tree, after: &Tree) -> i128 {
    owed(after) - owed(before)
}

fn owed(statement: &Tree) -> i128 {
    let total = statement.member("credit").and_then(|total| total.leaf("amount")?.parse().ok());
    total.unwrap_or_else(|| of_services(statement))
}

fn of_services(statement: &Tree) -> i128 {
    let services = statement.member("services").map(Tree::entries).unwrap_or_default();
    let amount = |service: &Tree| service.member("credit")?.leaf("amount")?.parse::<i128>().ok();
    services.iter().filter_map(amount).sum()
}

/// Compares what stands at `place`, which is the member `name` of something.
fn compare(place: &str, name: &str, before: Option<&Tree>, after: Option<&Tree>, found: &mut Vec<Change>) {
    let is_list = |tree: Option<&Tree>| matches!(tree, Some(Tree::List(_)));
    let is_object = |tree: Option<&Tree>| matches!(tree, Some(Tree::Members(_)));
    if is_list(before) || is_list(after) {
        compare_lists(place, name, before, after, found);
    } else if is_object(before) || is_object(after) {
        let (mut names, earlier) = (members(after), members(before));
        let gone: Vec<&str> = earlier.into_iter().filter(|name| !names.contains(name)).collect();
        names.extend(gone);
        for name in names.into_iter().filter(|name| !WORDS.contains(name)) {
            let (before, after) = (before.and_then(|of| of.member(name)), after.and_then(|of| of.member(name)));
            compare(&format!("{place}.{name}"), name, before, after, found);
        }
    } else {
        let (before, after) = (figure(name, before), figure(name, after));
        if before != after {
            found.push(Change { place: place.to_owned(), before, after });
        }
    }
}

fn members(tree: Option<&Tree>) -> Vec<&str> {
    match tree {
        Some(Tree::Members(members)) => members.iter().map(|(name, _)| name.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// A figure's text. What is null is not there; an exclusion without effect changes nothing.
fn figure(name: &str, leaf: Option<&Tree>) -> Option<String> {
    match leaf? {
        Tree::Leaf(text) if name == "effect_ms" && text == "0" => None,
        Tree::Leaf(text) => Some(text.clone()),
        Tree::Null | Tree::List(_) | Tree::Members(_) => None,
    }
}

/// Entries are the same if they have the same label, wherever they stand.
fn compare_lists(place: &str, name: &str, before: Option<&Tree>, after: Option<&Tree>, found: &mut Vec<Change>) {
    let (before, after) = (labelled(name, before), labelled(name, after));
    let entry =
        |of: &[(String, Tree)], label: &str| of.iter().find(|(own, _)| own == label).map(|(_, entry)| entry.clone());
    let gone = before.iter().filter(|(label, _)| entry(&after, label).is_none());
    let labels: Vec<&String> = after.iter().chain(gone).map(|(label, _)| label).collect();
    for label in labels {
        let (before, after) = (entry(&before, label), entry(&after, label));
        compare(&format!("{place}[{label}]"), name, before.as_ref(), after.as_ref(), found);
    }
}

/// A list's entries with what tells one from another; of two with one label the second is `#2`.
fn labelled(name: &str, list: Option<&Tree>) -> Vec<(String, Tree)> {
    let mut all: Vec<(String, Tree)> = Vec::new();
    for entry in list.map(Tree::entries).unwrap_or_default() {
        let (label, entry) = (label(name, entry), stripped(name, entry));
        let same = all.iter().filter(|(known, _)| *known == label || known.starts_with(&format!("{label} #"))).count();
        all.push((if same == 0 { label } else { format!("{label} #{}", same + 1) }, entry));
    }
    all
}

/// The members that identify an entry of the list that is called `name`.
fn identity(name: &str) -> &'static [&'static str] {
    match name {
        "services" => &["service"],
        "objectives" | "response" => &["promise", "check", "objective", "severity", "clock"],
        "outages" | "near_misses" => &["began_at"],
        "views" | "coverage" => &["agent", "check"],
        "latency" => &["check"],
        "exclusions" => &["from", "until", "entry"],
        "fees" => &["period"],
        "standing" => &["from"],
        "incidents" => &["incident"],
        "clocks" => &["clock", "due_at"],
        "lines" => &["entry"],
        _ => &[],
    }
}

fn label(name: &str, entry: &Tree) -> String {
    match entry {
        Tree::Leaf(text) => text.clone(),
        Tree::Null | Tree::List(_) | Tree::Members(_) => {
            identity(name).iter().filter_map(|key| entry.leaf(key)).collect::<Vec<_>>().join(" ")
        }
    }
}

/// An entry without what identifies it, which its place says. Of an exclusion only its effect is a
/// figure.
fn stripped(name: &str, entry: &Tree) -> Tree {
    match entry {
        Tree::Members(members) if name == "exclusions" => {
            Tree::Members(members.iter().filter(|(name, _)| name == "effect_ms").cloned().collect())
        }
        Tree::Members(members) => {
            Tree::Members(members.iter().filter(|(own, _)| !identity(name).contains(&own.as_str())).cloned().collect())
        }
        Tree::Null | Tree::Leaf(_) | Tree::List(_) => entry.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str) -> Vec<String> {
        let (before, after) = (Tree::parse(before).unwrap(), Tree::parse(after).unwrap());
        let told = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let line = |change: Change| format!("{}: {} -> {}", change.place, told(change.before), told(change.after));
        changes(&before, &after).into_iter().map(line).collect()
    }

    #[test]
    fn every_changed_figure_is_named_by_its_place_in_the_documents_order() {
        let before = r#"{"services":[{"service":"b","availability":{"downtime_ms":1,"percent":"99.1"}},
            {"service":"a","availability":{"downtime_ms":5,"percent":"99.0","met":true}}]}"#;
        let after = r#"{"services":[{"service":"b","availability":{"downtime_ms":1,"percent":"99.1"}},
            {"service":"a","availability":{"downtime_ms":6,"percent":"98.9","met":false}}]}"#;
        let expected = [
            "services[a].availability.downtime_ms: 5 -> 6",
            "services[a].availability.percent: 99.0 -> 98.9",
            "services[a].availability.met: true -> false",
        ];
        assert_eq!(check(before, after), expected);
    }

    #[test]
    fn what_came_and_what_is_gone_is_told_figure_by_figure() {
        let before = r#"{"services":[{"service":"a","outages":[{"began_at":"t1","length_ms":3,"longest_ms":null}]}]}"#;
        let after = r#"{"services":[{"service":"a","outages":[{"began_at":"t0","length_ms":4,"causes":["tls"]}]}]}"#;
        let expected = [
            "services[a].outages[t0].length_ms: - -> 4",
            "services[a].outages[t0].causes[tls]: - -> tls",
            "services[a].outages[t1].length_ms: 3 -> -",
        ];
        assert_eq!(check(before, after), expected);
    }

    #[test]
    fn words_head_and_terms_are_no_figures() {
        let before = r#"{"statement":{"version":1},"services":[{"service":"a","exclusions":[{"from":"f","until":"u","reason":"storm","effect_ms":60}]}],"terms":{"grace":"1h"}}"#;
        let after = r#"{"statement":{"version":2},"services":[{"service":"a","exclusions":[{"from":"f","until":"u","reason":"a storm","effect_ms":60},{"from":"g","until":"u","reason":"not approved","effect_ms":0}]}],"terms":{"grace":"2h"}}"#;
        assert_eq!(check(before, after), [""; 0]);
        let effect = after.replace("\"effect_ms\":0", "\"effect_ms\":5");
        assert_eq!(check(before, &effect), ["services[a].exclusions[g u].effect_ms: - -> 5"]);
    }

    #[test]
    fn entries_of_one_label_are_told_apart() {
        let before = r#"{"response":[{"promise":"x","met":true},{"promise":"x","met":true}]}"#;
        let after = r#"{"response":[{"promise":"x","met":true},{"promise":"x","met":false}]}"#;
        assert_eq!(check(before, after), ["response[x #2].met: true -> false"]);
    }

    #[test]
    fn the_credits_difference_is_over_all_services_and_has_a_sign() {
        let before = Tree::parse(r#"{"services":[{"credit":{"amount":100}},{"credit":{"amount":20}}]}"#).unwrap();
        let after = Tree::parse(r#"{"services":[{"credit":{"amount":0}},{"credit":{"amount":30}}]}"#).unwrap();
        assert_eq!(credit_difference(&before, &after), -90);
    }
}
