//! Regular expressions as Go spells them, rewritten for the library that runs them here.
//!
//! The two agree on what matches; they differ in spelling: Go takes a `{` that begins no repetition
//! literally, knows no sets within sets, and means ASCII by `\d`, `\s`, `\w` and `\b`. What is shown
//! to people is always what they wrote.

use super::shape::{Field, Reading};
use super::shown::Shown;
use super::yaml::{Node, Value};
use rules::check::Pattern;
use std::iter::Peekable;
use std::str::Chars;

/// A regular expression of a module.
#[derive(Clone, PartialEq, Debug)]
pub struct Regexp {
    /// As written.
    pub original: String,
    /// As it is run.
    pub pattern: Pattern,
}

impl Regexp {
    /// Compiles `original`; absent if that fails.
    pub fn new(original: &str) -> Option<Regexp> {
        let pattern = Pattern::new(&translated(original)).ok()?;
        Some(Regexp { original: original.to_owned(), pattern })
    }
}

impl Default for Regexp {
    fn default() -> Regexp {
        Regexp::new("").expect("the empty expression compiles")
    }
}

impl Field for Regexp {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let Value::Scalar(scalar) = &node.value else { return reading.mismatch(node, "string") };
        let text = String::from_utf8_lossy(&scalar.bytes);
        match Regexp::new(&text) {
            Some(regexp) => *self = regexp,
            None => reading.refuse(format!("\"Could not compile regular expression\" regexp=\"{text}\"")),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        (!self.original.is_empty()).then(|| Shown::text(&self.original))
    }

    fn type_name(&self) -> String {
        "config.Regexp".to_owned()
    }
}

/// `source` in the spelling of the library that runs it; a mistake stays one.
fn translated(source: &str) -> String {
    let mut rest = source.chars().peekable();
    let mut out = String::with_capacity(source.len());
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, &mut out),
            '[' => set(&mut rest, &mut out),
            '{' if !is_repetition(&rest) => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    out
}

/// Whether what follows a `{` makes it a repetition: `3}`, `3,}` or `3,5}`.
fn is_repetition(rest: &Peekable<Chars<'_>>) -> bool {
    let inner: String = rest.clone().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    let closes = rest.clone().nth(inner.chars().count()) == Some('}');
    let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
    closes && !least.is_empty() && !most.contains(',')
}

/// What follows a backslash outside of sets.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match rest.next() {
        None => out.push('\\'),
        Some('Q') => {
            let mut literal = String::new();
            while let Some(c) = rest.next() {
                if c == '\\' && rest.peek() == Some(&'E') {
                    rest.next();
                    break;
                }
                literal.push(c);
            }
            literal.chars().for_each(|c| push_literal(c, out));
        }
        Some('b') => out.push_str("(?-u:\\b)"),
        Some('B') => out.push_str("(?-u:\\B)"),
        Some(c) => match ascii_class(c) {
            Some(class) if c.is_ascii_uppercase() => push_all(&["[^", class, "]"], out),
            Some(class) => push_all(&["[", class, "]"], out),
            None => single(c, rest, out),
        },
    }
}

/// The ASCII characters that `\d`, `\s`, `\w` and their opposites speak of.
fn ascii_class(c: char) -> Option<&'static str> {
    match c.to_ascii_lowercase() {
        'd' => Some("0-9"),
        's' => Some("\\t\\n\\f\\r "),
        'w' => Some("0-9A-Za-z_"),
        _ => None,
    }
}

/// One escaped character, within a set or outside.
fn single(c: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match c {
        // Go lets every sign be escaped; here these two would be borders of words.
        '<' | '>' => out.push(c),
        '0' => {
            let mut code = 0;
            for _ in 0..2 {
                let Some(digit) = rest.peek().and_then(|c| c.to_digit(8)) else { break };
                code = code * 8 + digit;
                rest.next();
            }
            out.push_str(&format!("\\x{{{code:x}}}"));
        }
        c => {
            out.push('\\');
            out.push(c);
        }
    }
}

/// A set, after its `[`.
fn set(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut is_first = true;
    // Whether the next `-` may stand between two ends.
    let mut may_range = false;
    while let Some(c) = rest.next() {
        let was_first = std::mem::replace(&mut is_first, false);
        match c {
            ']' if !was_first => return out.push(']'),
            '-' if may_range && rest.peek() != Some(&']') => {
                out.push('-');
                may_range = false;
                continue;
            }
            '[' if rest.peek() == Some(&':') => {
                out.push('[');
                for c in rest.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
                may_range = false;
                continue;
            }
            '\\' => match rest.next() {
                None => out.push('\\'),
                Some(c) => match ascii_class(c) {
                    Some(class) if c.is_ascii_uppercase() => push_all(&["[^", class, "]"], out),
                    Some(class) => out.push_str(class),
                    None => single(c, rest, out),
                },
            },
            c => push_literal(c, out),
        }
        may_range = true;
    }
}

fn push_literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() && c != '<' && c != '>' {
        out.push('\\');
    }
    out.push(c);
}

fn push_all(parts: &[&str], out: &mut String) {
    parts.iter().for_each(|part| out.push_str(part));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, found: &[&str], missed: &[&str]) {
        let regexp = Regexp::new(source).unwrap_or_else(|| panic!("{source} is refused: {}", translated(source)));
        for text in found {
            assert!(
                regexp.pattern.is_found(text.as_bytes()),
                "{source} does not find {text:?}: {}",
                translated(source)
            );
        }
        for text in missed {
            assert!(!regexp.pattern.is_found(text.as_bytes()), "{source} finds {text:?}: {}", translated(source));
        }
    }

    #[test]
    fn what_go_accepts_matches_here_as_it_does_there() {
        check("^+OK", &["OK"], &["+OK", "x"]);
        check(r#"{"status":"ok"}"#, &[r#"{"status":"ok"}"#], &["status"]);
        check("a{2}b{1,}c{1,2}", &["aabc"], &["abc"]);
        check("a{,2}", &["a{,2}"], &["aa"]);
        check("x{", &["x{"], &["x"]);
        check(r"[[]x[]]", &["[x]"], &["x"]);
        check(r"[^]]", &["a"], &["]"]);
        check(r"[a&&b]", &["&", "a"], &["c"]);
        check(r"[+--]", &["+", ",", "-"], &["."]);
        check(r"[a-]", &["-", "a"], &["b"]);
        check(r"[\w.-]+@", &["a.b-c@"], &["%@"]);
        check(r"^[[:alpha:]]+$", &["abc"], &["a1"]);
        check(r"^\d+$", &["12"], &["\u{661}"]);
        check(r"^\W\S\D$", &["é.x"], &["a.x"]);
        check(r"\Qa.b\E.", &["a.bx"], &["axbx"]);
        check(r"\<b\>", &["<b>"], &["b"]);
        check(r"\/x\-y\_", &["/x-y_"], &["x"]);
        check(r"^\011$", &["\t"], &["011"]);
        check(r"(?i)^: ([^ ]+) (?P<n>\x41)$", &[": x a"], &[": xa"]);
        check(r"\bfoo\b", &["a foo b"], &["foobar"]);
        check(r"(?s)a.b", &["a\nb"], &["ab"]);
        check(r".*127.0.0.1\t", &["x127.0.0.1\t"], &["127.0.0.1"]);
    }

    #[test]
    fn what_does_not_compile_is_no_expression() {
        for wrong in [":[", "(", "*", "(?=a)", r"\8", "a{2,1}"] {
            assert_eq!(Regexp::new(wrong), None, "{wrong}");
        }
    }
}
