//! A statement as one model in one language: what the page, the text and the PDF print.
//!
//! A document is sections of headings, verdicts, figures, sentences, tables and drawings as data.
//! Whoever prints it needs to know nothing of statements, and whoever puts a statement into words
//! (the modules below) nothing of media. All text in it is harmless already (`outside`); a line's
//! end within a text parts two lines.

mod amendment;
mod credit;
mod evidence;
mod exclusions;
mod first;
mod incidents;
mod latency;
mod method;
mod objectives;
mod outages;
mod retainer;
mod service;
mod standing;
mod verification;
mod writer;

use super::chart::Chart;
use super::timeline::Timeline;
use crate::closing::Statement;
use rules::agreement::Language;
use writer::Writer;

/// A whole statement.
pub(crate) struct Document {
    pub(crate) language: Language,
    pub(crate) title: &'static str,
    pub(crate) customer: String,
    pub(crate) agreement: String,
    pub(crate) period: String,
    /// Whether figures can still change.
    pub(crate) state: Badge,
    /// What the first page says, and its title.
    pub(crate) first_title: &'static str,
    pub(crate) first: Vec<Block>,
    pub(crate) sections: Vec<Section>,
}

/// How something is to be taken, beside what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Plain,
    Good,
    Bad,
    /// Doubtful, or of less weight.
    Weak,
}

impl Tone {
    /// Its class in style sheets.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Weak => "weak",
        }
    }
}

/// A word that says in what state something is.
pub(crate) struct Badge {
    pub(crate) tone: Tone,
    pub(crate) word: &'static str,
}

/// A titled part.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) begins: Begins,
    pub(crate) blocks: Vec<Block>,
}

/// Where a section begins on paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begins {
    OnNewPage,
    WhereItFalls,
}

/// What sections are made of.
pub(crate) enum Block {
    /// A heading below the section's; what follows belongs to it.
    Heading(String),
    Verdict(Verdict),
    Figures(Vec<Figure>),
    Facts(Vec<Fact>),
    Sentence(Sentence),
    /// Sentences in order.
    List(Vec<String>),
    /// Something to type or compare, letter by letter.
    Code(String),
    Table(Table),
    Timeline(Timeline),
    Chart(Chart),
}

/// The answer, in a word and in sentences.
pub(crate) struct Verdict {
    pub(crate) tone: Tone,
    pub(crate) word: &'static str,
    pub(crate) sentences: Vec<String>,
}

/// A figure of the first page, and what it is held against.
pub(crate) struct Figure {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
}

/// A thing and its value.
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: String,
}

/// A sentence or a few.
pub(crate) struct Sentence {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// A table. It has a title of its own, of the weight of a [`Block::Heading`].
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// What stands in the place of no rows.
    pub(crate) empty: &'static str,
    /// What to know about it, below.
    pub(crate) notes: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) head: &'static str,
    pub(crate) kind: ColumnKind,
}

/// What a column holds; a printer chooses widths, alignment and breaks by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ColumnKind {
    /// What its row is about: a row's head.
    Name,
    /// An instant; broken between date and time at most.
    Instant,
    /// Numbers and lengths of time; aligned to their ends.
    Number,
    /// A word or two; never broken.
    Word,
    /// Prose; takes the room that is left.
    Prose,
}

/// A row, with a cell for each column.
pub(crate) struct Row {
    pub(crate) tone: Tone,
    pub(crate) cells: Vec<String>,
}

/// Puts `statement` into words.
pub(crate) fn document(statement: &Statement<'_>, language: Language) -> Document {
    let writer = Writer::new(statement, language);
    let mut sections: Vec<Section> = Vec::new();
    let begins = if statement.services.len() == 1 { Begins::WhereItFalls } else { Begins::OnNewPage };
    sections.extend(amendment::section(statement, &writer));
    for month in &statement.services {
        let title = super::outside::shown(month.service.id.as_str());
        sections.push(Section { title, begins, blocks: service::blocks(statement, month, &writer) });
    }
    sections.extend(incidents::section(statement, &writer));
    sections.extend(retainer::section(statement, &writer));
    sections.extend(standing::section(statement, &writer));
    sections.push(method::section(statement, &writer));
    sections.push(verification::section(statement, &writer));
    Document {
        language,
        title: writer.say(super::words::Word::Title),
        customer: super::outside::shown(&statement.agreement.customer),
        agreement: super::outside::shown(statement.agreement.id.as_str()),
        period: statement.month.to_string(),
        state: first::state(statement, language),
        first_title: writer.say(super::words::Word::AtAGlance),
        first: first::blocks(statement, &writer),
        sections,
    }
}
