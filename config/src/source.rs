//! Where a word of a file stands, and how that place is shown: never what the word means.

use std::fmt;
use std::ops::Range;

/// The longest part of a source line that is shown, in characters: more than a screen helps nobody.
const EXCERPT_CHARS_MAX: usize = 160;

/// Keys whose values may be secrets, in lower case, where a text is too broken to tell.
const SECRET_KEYS: &[&str] = &["token:", "ledger:", "authorization:", "cookie:", "password:"];

/// Bytes of one of the files being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A file being read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Bytes that no excerpt shows.
    pub(crate) concealed: Vec<Range<usize>>,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Source {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        Source { name: name.to_owned(), text: text.to_owned(), lines, concealed: Vec::new() }
    }

    /// Conceals what follows a key of [`SECRET_KEYS`] on the line of `byte`: a guess for texts that
    /// could not be read as keys and values.
    pub(crate) fn conceal_by_key(&mut self, byte: usize) {
        let line = self.line(floor(&self.text, byte));
        let lower = self.text[line.clone()].to_ascii_lowercase();
        let found = SECRET_KEYS.iter().filter_map(|key| lower.find(key).map(|at| at + key.len())).min();
        if let Some(at) = found {
            self.concealed.push(line.start + at..line.end);
        }
    }

    /// The number, from 1, of the line that `byte` stands in.
    fn line_number(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte)
    }

    /// The line that `byte` stands in, without its end.
    fn line(&self, byte: usize) -> Range<usize> {
        let start = self.lines[self.line_number(byte) - 1];
        let end = self.text[byte..].find('\n').map_or(self.text.len(), |newline| byte + newline);
        start..end
    }

    /// The text of `line`, with a star for each character that is concealed.
    fn excerpt(&self, line: Range<usize>) -> String {
        let touches = |range: &&Range<usize>| range.start < line.end && line.start < range.end;
        let concealed: Vec<_> = self.concealed.iter().filter(touches).collect();
        let is_concealed = |at: usize| concealed.iter().any(|range| range.contains(&at));
        let chars = self.text[line.clone()].char_indices();
        chars.map(|(at, c)| if is_concealed(line.start + at) { '*' } else { c }).collect()
    }

    /// The place of `bytes`, with the line they stand in.
    pub(crate) fn place(&self, bytes: Range<usize>) -> Place {
        let start = floor(&self.text, bytes.start);
        let end = floor(&self.text, bytes.end).max(start);
        let line = self.line(start);
        Place {
            file: self.name.clone(),
            line: self.line_number(start),
            column: self.text[line.start..start].chars().count() + 1,
            marked: self.text[start..end.min(line.end)].trim_end().chars().count().max(1),
            excerpt: self.excerpt(line).trim_end_matches('\r').to_owned(),
        }
    }
}

/// The nearest character boundary at or before `byte`.
fn floor(text: &str, byte: usize) -> usize {
    text.floor_char_boundary(byte.min(text.len()))
}

/// A place in a file, as it is shown to people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    excerpt: String,
    marked: usize,
}

impl Place {
    /// The source line and a caret below what is meant.
    fn write_excerpt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A long line is shown from a little before the mark.
        let skipped = self.column.saturating_sub(EXCERPT_CHARS_MAX / 2 + 1).min(self.column - 1);
        let skipped = if self.excerpt.chars().count() <= EXCERPT_CHARS_MAX { 0 } else { skipped };
        let shown: String = self.excerpt.chars().skip(skipped).take(EXCERPT_CHARS_MAX).map(visible).collect();
        let before = self.column - 1 - skipped;
        let pad: String = shown.chars().take(before).map(blank).collect();
        let marked: usize = shown.chars().skip(before).take(self.marked).map(width).sum();
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        write!(f, "  {number} | {shown}\n  {gutter} | {pad}{}", "^".repeat(marked.max(1)))
    }
}

/// `c`, or a mark in its place if it would move the cursor.
fn visible(c: char) -> char {
    if c.is_control() && c != '\t' { '\u{fffd}' } else { c }
}

/// As much white space as `c` is wide.
fn blank(c: char) -> &'static str {
    match width(c) {
        _ if c == '\t' => "\t",
        2 => "  ",
        _ => " ",
    }
}

/// Columns that a terminal gives `c`: two for Hangul, Kana and ideographs.
fn width(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// One thing that is wrong or doubtful in a file: `file:line:column: what; what would be right`, then
/// the line with a caret below.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, .. } = &self.place;
        writeln!(f, "{file}:{line}:{column}: {}", self.message)?;
        self.place.write_excerpt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, word: &str, expected: &str) {
        let start = text.find(word).unwrap();
        let source = Source::new("a.yaml", text);
        let place = source.place(start..start + word.len());
        assert_eq!(Finding { place, message: "wrong; right".to_owned() }.to_string(), expected);
    }

    #[test]
    fn a_finding_shows_file_line_column_and_a_caret_below_the_word() {
        check("a: 1\nb: two\n", "two", "a.yaml:2:4: wrong; right\n  2 | b: two\n    |    ^^^");
    }

    #[test]
    fn the_caret_stands_below_words_behind_wide_characters() {
        check("고객: x", "x", "a.yaml:1:5: wrong; right\n  1 | 고객: x\n    |       ^");
    }

    #[test]
    fn a_long_line_is_shown_around_the_word() {
        let text = format!("{}word{}", "a".repeat(500), "b".repeat(500));
        let source = Source::new("a.yaml", &text);
        let shown = Finding { place: source.place(500..504), message: String::new() }.to_string();
        assert!(shown.contains("aword"), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < EXCERPT_CHARS_MAX + 20), "{shown}");
    }

    #[test]
    fn what_is_concealed_is_in_no_excerpt_of_its_line() {
        let mut source = Source::new("a.yaml", "a: { token: 비밀, b: 1 }");
        source.concealed.push(12..18);
        let shown = Finding { place: source.place(20..21), message: String::new() }.to_string();
        assert!(shown.contains("a: { token: **, b: 1 }"), "{shown}");
    }

    #[test]
    fn an_escape_in_a_line_does_not_reach_the_terminal() {
        let source = Source::new("a", "\u{1b}[31mx");
        let shown = Finding { place: source.place(0..1), message: String::new() }.to_string();
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}
