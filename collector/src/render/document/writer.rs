//! What every part of a document writes with: one language, one zone, tables.

use super::{Block, Column, ColumnKind, Row, Sentence, Table, Tone};
use crate::closing::Statement;
use crate::render::figures::{self, Local};
use crate::render::outside;
use crate::render::words::Word;
use rules::agreement::Language;
use rules::decimal::{Currency, Money};
use rules::interval::Interval;
use rules::time::Timestamp;
use std::fmt::Display;
use std::time::Duration;

pub(super) struct Writer<'a> {
    pub(super) local: Local<'a>,
    pub(super) language: Language,
}

impl<'a> Writer<'a> {
    pub(super) fn new(statement: &Statement<'a>, language: Language) -> Writer<'a> {
        Writer { local: Local::new(&statement.agreement.zone, statement.calendar), language }
    }

    pub(super) fn say(&self, word: Word) -> &'static str {
        word.say(self.language)
    }

    /// The one of two texts that is in the document's language.
    pub(super) fn either<T>(&self, english: T, korean: T) -> T {
        match self.language {
            Language::English => english,
            Language::Korean => korean,
        }
    }

    pub(super) fn length(&self, of: Duration) -> String {
        figures::length(of, self.language)
    }

    pub(super) fn millis(&self, of: u64) -> String {
        self.length(Duration::from_millis(of))
    }

    pub(super) fn money(&self, amount: Money, currency: Currency) -> String {
        figures::money(amount, currency, self.language)
    }

    pub(super) fn instant(&self, at: Timestamp) -> String {
        self.local.instant(at)
    }

    /// Both ends of a stretch, a line each.
    pub(super) fn ends(&self, of: Interval) -> String {
        format!("{} –\n{}", self.instant(of.from()), self.instant(of.until()))
    }

    /// Names in a row.
    pub(super) fn names(&self, names: impl IntoIterator<Item: Display>) -> String {
        let names: Vec<String> = names.into_iter().map(|name| outside::shown(&name.to_string())).collect();
        names.join(", ")
    }

    pub(super) fn table(&self, title: Word, columns: &[(Word, ColumnKind)], rows: Vec<Row>) -> Table {
        let column = |(word, kind): &(Word, ColumnKind)| Column { head: self.say(*word), kind: *kind };
        Table {
            title: self.say(title).to_owned(),
            columns: columns.iter().map(column).collect(),
            rows,
            empty: self.say(Word::None),
            notes: Vec::new(),
        }
    }
}

impl Row {
    pub(super) fn plain(cells: impl IntoIterator<Item = String>) -> Row {
        Row { tone: Tone::Plain, cells: cells.into_iter().collect() }
    }
}

impl Block {
    pub(super) fn sentence(text: impl Into<String>) -> Block {
        Block::Sentence(Sentence { tone: Tone::Plain, text: text.into() })
    }

    pub(super) fn doubt(text: impl Into<String>) -> Block {
        Block::Sentence(Sentence { tone: Tone::Weak, text: text.into() })
    }
}
