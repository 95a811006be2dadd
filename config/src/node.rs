//! YAML as a tree of texts that know where they stand.
//!
//! A plain scalar keeps the spelling it has in the file, so `99.9` is never a float on its way to a
//! decimal. What a text means is decided by who reads it (`reading`), never here.

use crate::source::Span;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, NonFiniteFloatPolicy, Spanned};
use std::borrow::Cow;
use std::fmt;

/// How many nodes a file may have: ten times a collector with 100 000 checks.
const NODES_MAX: usize = 20_000_000;
/// How deep maps and lists may be nested: ours need eight.
const DEPTH_MAX: usize = 32;

/// How many nodes aliases may repeat in all: a template of ten keys for 10 000 checks. More is a bomb.
const ALIASED_EVENTS_MAX: usize = 100_000;

/// SQLite's name for a database in memory. YAML takes the colon at its end for a key's, so the plain
/// spelling `ledger: sqlite::memory:` is not YAML; people write it all the same, and it is clear.
const IN_MEMORY: &str = "sqlite::memory:";
/// What the parser sees in its place: of the same length, so that places stay.
const IN_MEMORY_STAND_IN: &str = "sqlite::memory~";

/// One value of a file.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Span,
    pub(crate) value: Value,
}

/// What a value looks like.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Nothing,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

impl Value {
    /// The shape's name in messages.
    pub(crate) fn shape(&self) -> &'static str {
        match self {
            Value::Nothing => "nothing",
            Value::Text(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map of keys",
        }
    }
}

/// A key of a map.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) at: Span,
    pub(crate) name: String,
}

/// Why a text is no YAML, and at which bytes.
pub(crate) struct NotYaml {
    pub(crate) at: Span,
    pub(crate) message: String,
}

/// Reads `text` as one YAML document.
pub(crate) fn parse(text: &str, file: usize) -> Result<Node, NotYaml> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: NODES_MAX,
            max_events: 2 * NODES_MAX,
            max_depth: DEPTH_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED_EVENTS_MAX },
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let readable = with_stand_in(text);
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&readable, options) {
        Ok(Spanned { value: Raw::Nothing, .. }) => Err(Cutter { text, file }.empty()),
        Ok(raw) => Ok(Cutter { text, file }.node(raw)),
        Err(error) => Err(Cutter { text, file }.refusal(&error)),
    }
}

/// `text` with [`IN_MEMORY`] replaced wherever it is the plain value of a key `ledger`.
fn with_stand_in(text: &str) -> Cow<'_, str> {
    let is_plain = |at: usize| {
        let after = &text[at + IN_MEMORY.len()..];
        text[..at].trim_end_matches(' ').ends_with("ledger:")
            && (after.is_empty() || after.starts_with([' ', '\t', '\r', '\n', ',', '}']))
    };
    match text.match_indices(IN_MEMORY).find(|(at, _)| is_plain(*at)) {
        Some((at, _)) => Cow::Owned([&text[..at], IN_MEMORY_STAND_IN, &text[at + IN_MEMORY.len()..]].concat()),
        None => Cow::Borrowed(text),
    }
}

/// A node before its spelling is cut out of the file.
enum Raw {
    Nothing,
    /// Quoted or block text, or plain text that is no number.
    Text(String),
    /// A plain scalar that YAML takes for a number or a boolean; its spelling counts.
    Plain,
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Raw::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// Cuts spellings out of the file.
struct Cutter<'a> {
    text: &'a str,
    file: usize,
}

impl Cutter<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let at = self.span(raw.defined);
        let value = match raw.value {
            Raw::Nothing => Value::Nothing,
            Raw::Text(text) => Value::Text(text.replace(IN_MEMORY_STAND_IN, IN_MEMORY)),
            Raw::Plain => Value::Text(self.text[at.start..at.end].trim().to_owned()),
            Raw::List(nodes) => Value::List(nodes.into_iter().map(|node| self.node(node)).collect()),
            Raw::Map(entries) => Value::Map(entries.into_iter().map(|entry| self.entry(entry)).collect()),
        };
        Node { at, value }
    }

    fn entry(&self, (key, node): (Spanned<String>, Spanned<Raw>)) -> (Key, Node) {
        (Key { at: self.span(key.defined), name: key.value }, self.node(node))
    }

    /// The bytes of `location`; where the parser doesn't know them, those of its line and column.
    fn span(&self, location: Location) -> Span {
        let span = location.span();
        let start = span.byte_offset().and_then(|start| usize::try_from(start).ok());
        let start = start.unwrap_or_else(|| self.offset(location.line(), location.column())).min(self.text.len());
        let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let start = self.text.floor_char_boundary(start);
        let end = self.text.floor_char_boundary(start.saturating_add(length));
        Span { file: self.file, start, end }
    }

    fn offset(&self, line: u64, column: u64) -> usize {
        let nth = |n: u64| usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
        let before: usize = self.text.split_inclusive('\n').take(nth(line)).map(str::len).sum();
        before + self.text[before..].chars().take(nth(column)).map(char::len_utf8).sum::<usize>()
    }

    fn empty(&self) -> NotYaml {
        let at = Span { file: self.file, start: 0, end: 0 };
        NotYaml { at, message: "the file is empty; write at least one key".to_owned() }
    }

    fn refusal(&self, error: &serde_saphyr::Error) -> NotYaml {
        let error = error.without_snippet();
        let at = error.location().map_or(Span { file: self.file, start: 0, end: 0 }, |location| self.span(location));
        NotYaml { at, message: refusal_text(error) }
    }
}

/// What is wrong and what would be right, for the mistakes that people make; the parser's own words
/// for the rest.
fn refusal_text(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or("a key");
        return format!("`{}` is given twice; keep one of the two", key.escape_debug());
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let known = [
        ("multiple YAML documents", "a second document begins here; write one document a file, without `---`"),
        (
            "mapping values are not allowed",
            "a `:` stands where no key can; put quotes around a value that has a colon in it",
        ),
        ("unclosed bracket", "this bracket is never closed; add the closing one"),
        ("tabs disallowed", "a tab indents this line; use spaces"),
        ("budget breached", "this is nested too deeply or too large; write a file of at most 32 levels"),
        ("alias replay limit", "aliases repeat too many values; write the values out, or use fewer aliases"),
        ("invalid indentation", "this line is indented unlike its neighbours; align it with them"),
        (
            "did not find expected key",
            "a key should stand here; align it with the keys above, or quote what is not a key",
        ),
    ];
    match known.iter().find(|(sign, _)| text.contains(sign)) {
        Some((_, message)) => (*message).to_owned(),
        None => format!("this is not YAML ({text}); put quotes around values with signs such as `:`, `#`, `{{` or `*`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree without places, maps as `{key: value}`.
    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Nothing => "nothing".to_owned(),
            Value::Text(text) => format!("{text:?}"),
            Value::List(nodes) => format!("[{}]", nodes.iter().map(shown).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, node)| format!("{}: {}", key.name, shown(node))).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        match parse(text, 0) {
            Ok(node) => assert_eq!(shown(&node), expected),
            Err(refusal) => assert_eq!(refusal.message, expected),
        }
    }

    #[test]
    fn a_plain_scalar_keeps_its_spelling() {
        check("a: 99.90", r#"{a: "99.90"}"#);
        check(
            "a: [0x10, 1_000, 007, -1, 1e3, .inf, true, 123456789012345678901234567890]",
            r#"{a: ["0x10", "1_000", "007", "-1", "1e3", ".inf", "true", "123456789012345678901234567890"]}"#,
        );
        check("a: '99.90'\n2026-09: 5 # five\n", r#"{a: "99.90", 2026-09: "5"}"#);
    }

    #[test]
    fn an_alias_is_the_value_it_names() {
        check(
            "a: &x 1.50\nb: *x\nc: &m { d: 2 }\ne: { <<: *m, f: 3 }",
            r#"{a: "1.50", b: "1.50", c: {d: "2"}, e: {f: "3", d: "2"}}"#,
        );
    }

    #[test]
    fn nothing_is_not_an_empty_text() {
        check("a:\nb: ~\nc: ''\nd: null", r#"{a: nothing, b: nothing, c: "", d: nothing}"#);
    }

    #[test]
    fn a_ledger_in_memory_needs_no_quotes() {
        check("ledger: sqlite::memory: # none\na: 1", r#"{ledger: "sqlite::memory:", a: "1"}"#);
        check(
            "{ledger: sqlite::memory:, b: 'sqlite::memory:'}",
            r#"{ledger: "sqlite::memory:", b: "sqlite::memory:"}"#,
        );
        check("ledger: sqlite::memory:", r#"{ledger: "sqlite::memory:"}"#);
    }

    #[test]
    fn what_is_no_single_document_is_refused() {
        check("", "the file is empty; write at least one key");
        check("a: 1\na: 2", "`a` is given twice; keep one of the two");
    }

    #[test]
    fn json_is_read_as_yaml() {
        check(r#"{"checks":[{"a":"x\ny","b":1.0}]}"#, r#"{checks: [{a: "x\ny", b: "1.0"}]}"#);
    }
}
