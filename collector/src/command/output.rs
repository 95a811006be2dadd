//! Where a statement goes, in which form and language: arguments that several commands share.

use super::Failure;
use crate::closing::Statement;
use crate::render::{Format, render};
use rules::agreement::Language;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Form, language and place of a statement.
#[derive(Debug, clap::Args)]
pub struct Output {
    /// The statement's form
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// The language of text and page; the agreement's own if not given
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A language by its code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// English
    En,
    /// Korean
    Ko,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Language {
        match lang {
            Lang::En => Language::English,
            Lang::Ko => Language::Korean,
        }
    }
}

impl Output {
    /// Renders `statement` and writes it.
    pub(crate) fn write(&self, statement: &Statement<'_>) -> Result<(), Failure> {
        let language = self.lang.map_or(statement.agreement.language, Language::from);
        let rendered = render(statement, self.format, language);
        self.write_bytes(&rendered.map_err(|error| Failure::run("print the statement", error))?)
    }

    /// Refuses a form that is none for the place it goes to; asked before any work is done.
    pub(crate) fn fits(&self) -> Result<(), Failure> {
        if self.format == Format::Pdf && self.output.is_none() && std::io::stdout().is_terminal() {
            return Err(Failure::Misuse("a PDF is nothing for a terminal: name a file with --output".to_owned()));
        }
        Ok(())
    }

    /// The form that was asked for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether JSON is wanted: the one form that is stored.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes a statement that is rendered already.
    pub(crate) fn write_bytes(&self, rendered: &[u8]) -> Result<(), Failure> {
        match &self.output {
            Some(path) => std::fs::write(path, rendered)
                .map_err(|error| Failure::run(format!("write the statement to {}", path.display()), error)),
            None => print(rendered),
        }
    }
}

/// Writes data to stdout; a reader that went away is no failure.
pub(crate) fn print(data: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(data).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::run("write to stdout", error)),
        _ => Ok(()),
    }
}
