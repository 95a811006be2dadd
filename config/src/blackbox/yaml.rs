//! YAML as Go's reader sees it: which line a value begins in, whether it is quoted, what its tag says.
//!
//! blackbox_exporter's mistakes are told by line alone and depend on the spelling of scalars, which
//! the reader of our own files ([`crate::node`]) does not keep. Nothing here knows a module.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};
use std::collections::HashMap;

/// How many nodes a file may have, aliases written out: a hundred times the largest file of modules seen.
const NODES_MAX: usize = 200_000;
/// How deep lists and maps may be nested: modules need six.
const DEPTH_MAX: usize = 64;

/// One value of a file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a value looks like.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) node: Node,
}

/// A single value.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    /// As written; of a `!!binary` value the bytes that it stands for.
    pub(super) bytes: Vec<u8>,
    pub(super) kind: ScalarKind,
}

/// What Go takes a scalar for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScalarKind {
    Bool,
    Int,
    Float,
    Text,
    Binary,
}

impl ScalarKind {
    /// Its tag in messages.
    pub(super) fn tag(self) -> &'static str {
        match self {
            ScalarKind::Bool => "!!bool",
            ScalarKind::Int => "!!int",
            ScalarKind::Float => "!!float",
            ScalarKind::Text => "!!str",
            ScalarKind::Binary => "!!binary",
        }
    }
}

/// Reads `text` as one document; a text without any is absent. The error is in Go's words.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other event begins the document's value")]
pub(super) fn parse(text: &str) -> Result<Option<Node>, String> {
    let mut options = Options::default();
    options.emit_comments = false;
    (options.flow_nesting_limit, options.block_nesting_limit) = (DEPTH_MAX, DEPTH_MAX);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder { events: parser, anchors: HashMap::new(), nodes: 0 };
    while let Some((event, span)) = builder.next()? {
        match event {
            Event::StreamStart | Event::DocumentStart(..) => {}
            // What follows the first document is not read.
            Event::StreamEnd | Event::DocumentEnd => return Ok(None),
            event => return builder.node(event, span).map(Some),
        }
    }
    Ok(None)
}

/// Builds the tree from the parser's events.
struct Builder<I> {
    events: I,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t, I: Iterator<Item = Result<(Event<'t>, Span), ScanError>>> Builder<I> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, String> {
        self.events
            .next()
            .transpose()
            .map_err(|error| format!("yaml: line {}: {}", error.marker().line(), error.info()))
    }

    /// The event within a list or map, which the parser closes itself.
    fn inner(&mut self) -> Result<(Event<'t>, Span), String> {
        self.next()?.ok_or_else(|| "yaml: unexpected end".to_owned())
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes += nodes;
        if NODES_MAX < self.nodes { Err("yaml: document contains excessive aliasing".to_owned()) } else { Ok(()) }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's other events are no values")]
    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, String> {
        self.count(1)?;
        let line = span.start.line();
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_deref(), line)?, anchor),
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map()?, anchor),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| format!("yaml: line {line}: anchor value contains itself"))?;
                self.count(size(&node))?;
                return Ok(node);
            }
            _ => return Err(format!("yaml: line {line}: did not find expected node content")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.count(size(&node))?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self) -> Result<Value, String> {
        let mut nodes = Vec::new();
        loop {
            match self.inner()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(nodes)),
                (event, span) => nodes.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value, String> {
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        loop {
            let (event, span) = self.inner()?;
            if event == Event::MappingEnd {
                break;
            }
            let line = span.start.line();
            let key = match self.node(event, span)?.value {
                Value::Scalar(scalar) => String::from_utf8_lossy(&scalar.bytes).into_owned(),
                Value::Null => "null".to_owned(),
                Value::List(_) | Value::Map(_) => return Err(format!("yaml: line {line}: invalid map key")),
            };
            let (event, span) = self.inner()?;
            let node = self.node(event, span)?;
            match key.as_str() {
                "<<" => {
                    merged.extend(merge(node).ok_or("yaml: map merge requires map or sequence of maps as the value")?)
                }
                _ => entries.push(Entry { line, key, node }),
            }
        }
        for entry in merged {
            if !entries.iter().any(|own| own.key == entry.key) {
                entries.push(entry);
            }
        }
        Ok(Value::Map(entries))
    }
}

/// The entries that `<<` brings in; earlier maps win over later ones.
fn merge(node: Node) -> Option<Vec<Entry>> {
    match node.value {
        Value::Map(entries) => Some(entries),
        Value::List(nodes) => {
            let lists: Option<Vec<Vec<Entry>>> = nodes.into_iter().map(merge).collect();
            lists.map(|lists| lists.into_iter().flatten().collect())
        }
        Value::Null | Value::Scalar(_) => None,
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar(_) => 1,
        Value::List(nodes) => 1 + nodes.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|entry| size(&entry.node)).sum::<usize>(),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, line: usize) -> Result<Value, String> {
    let tag = tag.and_then(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:").map(|suffix| suffix.into_owned()));
    let kind = match tag.as_deref() {
        Some("null") => return Ok(Value::Null),
        Some("binary") => ScalarKind::Binary,
        Some("str") => ScalarKind::Text,
        Some("bool") => ScalarKind::Bool,
        Some("int") => ScalarKind::Int,
        Some("float") => ScalarKind::Float,
        _ if style != ScalarStyle::Plain => ScalarKind::Text,
        _ if is_null(text) => return Ok(Value::Null),
        _ => plain(text),
    };
    let bytes = match kind {
        ScalarKind::Binary => {
            let digits: String = text.split_ascii_whitespace().collect();
            STANDARD
                .decode(digits)
                .map_err(|_| format!("yaml: line {line}: !!binary value contains invalid base64 data"))?
        }
        ScalarKind::Bool | ScalarKind::Int | ScalarKind::Float | ScalarKind::Text => text.as_bytes().to_vec(),
    };
    Ok(Value::Scalar(Scalar { bytes, kind }))
}

/// Whether a plain scalar stands for nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What Go takes a plain scalar for.
pub(super) fn plain(text: &str) -> ScalarKind {
    if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
        return ScalarKind::Bool;
    }
    if integer(text).is_some() {
        return ScalarKind::Int;
    }
    if is_float(text) { ScalarKind::Float } else { ScalarKind::Text }
}

/// The integer that a plain scalar stands for: decimal, or with `0x`, `0o` or `0b`.
pub(super) fn integer(text: &str) -> Option<i64> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix =
        |prefix: &str, radix| digits.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok());
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('_');
    let decimal = || digits.parse().ok().filter(|_| is_decimal);
    radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2))
        .or_else(decimal)
        .map(|number: i64| sign * number)
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN");
    let looks = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit());
    special
        || looks
            && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
            && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree on one line, each value with its line.
    fn shown(node: &Node) -> String {
        let value = match &node.value {
            Value::Null => "null".to_owned(),
            Value::Scalar(scalar) => format!("{} {:?}", scalar.kind.tag(), String::from_utf8_lossy(&scalar.bytes)),
            Value::List(nodes) => format!("[{}]", nodes.iter().map(shown).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| format!("{}: {}", entry.key, shown(&entry.node)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        };
        format!("{}:{value}", node.line)
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = match parse(text) {
            Ok(node) => node.as_ref().map(shown).unwrap_or_default(),
            Err(error) => error,
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_scalar_keeps_its_line_its_spelling_and_what_go_takes_it_for() {
        check(
            "a: 1\nb: [yes, \"2\", 0x1F]\nc:\n",
            r#"1:{a: 1:!!int "1", b: 2:[2:!!str "yes", 2:!!str "2", 2:!!int "0x1F"], c: 3:null}"#,
        );
        check("a: 1.5\nb: true\nc: !!str true", r#"1:{a: 1:!!float "1.5", b: 2:!!bool "true", c: 3:!!str "true"}"#);
        check("a: 1.2.3\nb: 5s", r#"1:{a: 1:!!str "1.2.3", b: 2:!!str "5s"}"#);
    }

    #[test]
    fn a_binary_value_is_its_bytes() {
        let Ok(Some(Node { value: Value::Map(entries), .. })) = parse("a: !!binary AAAACATSFi8=") else {
            panic!("no map")
        };
        let Value::Scalar(scalar) = &entries[0].node.value else { panic!("no scalar") };
        assert_eq!(scalar.bytes, [0, 0, 0, 8, 4, 210, 22, 47]);
        check("a: !!binary '*'", "yaml: line 1: !!binary value contains invalid base64 data");
    }

    #[test]
    fn aliases_are_written_out_and_maps_merged() {
        check("a: &x {b: 1}\nc: {<<: *x, d: 2}", r#"1:{a: 1:{b: 1:!!int "1"}, c: 2:{d: 2:!!int "2", b: 1:!!int "1"}}"#);
        let bomb = (0..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
            format!("{text}a{}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}]\n", n + 1, n + 1)
        });
        check(&bomb, "yaml: document contains excessive aliasing");
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_line() {
        assert!(parse("a: 1\nb: [").unwrap_err().starts_with("yaml: line "));
        check("", "");
        check("# nothing\n", "");
    }
}
