//! Modules as YAML again, laid out as Go's writer does: for `/config` and `debug=true`.
//!
//! What is a secret never gets here: its field hands over `<secret>` instead.

use super::yaml::{ScalarKind, is_null, plain};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::cmp::Ordering;

/// What stands in the place of a secret.
pub(super) const SECRET: &str = "<secret>";
/// Words that older YAML takes for truth: they are quoted so that every reader sees a text.
const OLD_TRUTHS: &[&str] =
    &["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];

/// A value that is shown.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shown {
    /// A number or a truth, as it is.
    Bare(String),
    /// A text, quoted where it must be.
    Text(Vec<u8>),
    List(Vec<Shown>),
    /// In this order.
    Map(Vec<(String, Shown)>),
}

impl Shown {
    pub(super) fn text(text: &str) -> Shown {
        Shown::Text(text.as_bytes().to_vec())
    }

    /// The document that says it.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        match self {
            Shown::Map(entries) if !entries.is_empty() => write_map(entries, 0, &mut out),
            Shown::List(items) if !items.is_empty() => write_list(items, 0, &mut out),
            Shown::Bare(_) | Shown::Text(_) | Shown::List(_) | Shown::Map(_) => {
                out.push_str(&self.inline(0));
                out.push('\n');
            }
        }
        out
    }

    /// What follows a key on its line, or several lines for a block of text.
    fn inline(&self, indent: usize) -> String {
        match self {
            Shown::Bare(text) => text.clone(),
            Shown::Text(bytes) => match str::from_utf8(bytes) {
                Ok(text) => scalar(text, indent),
                Err(_) => format!("!!binary {}", STANDARD.encode(bytes)),
            },
            Shown::List(_) => "[]".to_owned(),
            Shown::Map(_) => "{}".to_owned(),
        }
    }
}

/// The order in which Go writes the keys of a map: letters after other signs, numbers by their value.
pub(super) fn natural(left: &str, right: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let Some(at) = left.iter().zip(&right).position(|(left, right)| left != right) else {
        return left.len().cmp(&right.len());
    };
    let follows_digit = at.checked_sub(1).is_some_and(|before| left[before].is_ascii_digit());
    match (left[at].is_alphabetic(), right[at].is_alphabetic()) {
        (true, true) => left[at].cmp(&right[at]),
        (true, false) => {
            if follows_digit {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, true) => {
            if follows_digit {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, false) => {
            let number = |chars: &[char]| chars.iter().take_while(|c| c.is_ascii_digit()).collect::<String>();
            let (one, other) = (number(&left[at..]), number(&right[at..]));
            let value = |digits: &str| digits.parse().unwrap_or(0_u64);
            value(&one).cmp(&value(&other)).then(one.len().cmp(&other.len())).then(left[at].cmp(&right[at]))
        }
    }
}

fn write_map(entries: &[(String, Shown)], indent: usize, out: &mut String) {
    for (index, (key, value)) in entries.iter().enumerate() {
        // The first key of a map within a list stands behind the dash.
        if index != 0 || !out.ends_with("- ") {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&scalar(key, indent));
        out.push(':');
        write_value(value, indent + 4, out);
    }
}

fn write_list(items: &[Shown], indent: usize, out: &mut String) {
    for item in items {
        out.push_str(&" ".repeat(indent));
        out.push_str("- ");
        match item {
            Shown::Map(entries) if !entries.is_empty() => write_map(entries, indent + 2, out),
            Shown::Bare(_) | Shown::Text(_) | Shown::List(_) | Shown::Map(_) => {
                out.push_str(&item.inline(indent + 2));
                out.push('\n');
            }
        }
    }
}

fn write_value(value: &Shown, indent: usize, out: &mut String) {
    match value {
        Shown::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            write_map(entries, indent, out);
        }
        Shown::List(items) if !items.is_empty() => {
            out.push('\n');
            write_list(items, indent, out);
        }
        Shown::Bare(_) | Shown::Text(_) | Shown::List(_) | Shown::Map(_) => {
            out.push(' ');
            out.push_str(&value.inline(indent));
            out.push('\n');
        }
    }
}

/// `text` plain, quoted or as a block, so that it is read back as the same text.
fn scalar(text: &str, indent: usize) -> String {
    let is_special = |c: char| c != '\n' && (c.is_control() || c == '\u{feff}');
    if text.contains(is_special) {
        return double_quoted(text);
    }
    if text.contains('\n') {
        return block(text, indent);
    }
    let is_text = plain(text) == ScalarKind::Text && !is_null(text) && !OLD_TRUTHS.contains(&text) && text != "<<";
    if !is_text && !text.is_empty() {
        return double_quoted(text);
    }
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// Whether nothing in `text` means something else in YAML.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    let second = chars.next();
    let is_indicator = match first {
        '-' | '?' | ':' => second.is_none_or(|second| second == ' '),
        first => "#,[]{}&*!|>'\"%@`".contains(first),
    };
    !is_indicator
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.starts_with(' ')
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
}

/// A text of several lines.
fn block(text: &str, indent: usize) -> String {
    if text.starts_with(' ') || text.starts_with('\n') {
        return double_quoted(text);
    }
    let (text, chomp) = match text.strip_suffix('\n') {
        Some(text) if text.ends_with('\n') => (text, "+"),
        Some(text) => (text, ""),
        None => (text, "-"),
    };
    let pad = " ".repeat(indent);
    let lines: String =
        text.split('\n').map(|line| if line.is_empty() { "\n".to_owned() } else { format!("\n{pad}{line}") }).collect();
    format!("|{chomp}{lines}")
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            '\u{1b}' => out.push_str("\\e"),
            c if c.is_control() && u32::from(c) < 256 => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blackbox::yaml;

    #[test]
    fn a_text_is_quoted_only_where_it_must_be() {
        let check = |text: &str, expected: &str| assert_eq!(scalar(text, 4), expected);
        check("^+OK", "^+OK");
        check("x: y", "'x: y'");
        check("true", "\"true\"");
        check("10", "\"10\"");
        check("on", "\"on\"");
        check("", "''");
        check("[a]", "'[a]'");
        check("it's #1", "'it''s #1'");
        check("a\tb", "\"a\\tb\"");
        check("a\nb", "|-\n    a\n    b");
        check("a\nb\n", "|\n    a\n    b");
    }

    #[test]
    fn keys_stand_in_the_order_of_people() {
        let mut keys = ["v10_11", "v2", "only4", "only_tls", "a10", "a9", "b", "a"];
        keys.sort_by(|left, right| natural(left, right));
        assert_eq!(keys, ["a", "a9", "a10", "b", "only_tls", "only4", "v2", "v10_11"]);
    }

    #[test]
    fn what_is_shown_is_read_back_as_it_was() {
        let texts =
            ["a", "- a", "a: b", " a", "a ", "'", "\"", "a\n\nb\n", "#", "!x", "*x", "0x1", "~", "\u{1b}[", "{}", "a:"];
        let items = texts.iter().map(|text| Shown::text(text)).collect();
        let nested = Shown::Map(vec![("k".into(), Shown::Map(vec![("l".into(), Shown::List(items))]))]);
        let document = nested.document();
        let Ok(Some(yaml::Node { value: yaml::Value::Map(top), .. })) = yaml::parse(&document) else {
            panic!("{document}")
        };
        let yaml::Value::Map(inner) = &top[0].node.value else { panic!("{document}") };
        let yaml::Value::List(nodes) = &inner[0].node.value else { panic!("{document}") };
        let read = nodes.iter().map(|node| match &node.value {
            yaml::Value::Scalar(scalar) => String::from_utf8(scalar.bytes.clone()).unwrap(),
            yaml::Value::Null | yaml::Value::List(_) | yaml::Value::Map(_) => panic!("no scalar in\n{document}"),
        });
        assert!(read.eq(texts.iter().map(|text| (*text).to_owned())), "{document}");
    }

    #[test]
    fn lists_of_maps_are_laid_out_as_go_does() {
        let step = |entries: &[(&str, &str)]| {
            Shown::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), Shown::text(value))).collect())
        };
        let list = Shown::List(vec![step(&[("expect", "^SSH"), ("send", "x")]), step(&[("send", "y")])]);
        let map = Shown::Map(vec![("query_response".into(), list), ("tls".into(), Shown::Bare("true".into()))]);
        assert_eq!(
            map.document(),
            "query_response:\n    - expect: ^SSH\n      send: x\n    - send: \"y\"\ntls: true\n"
        );
    }
}
