//! `evidence export`: results of a time range, for whoever wants to look for themselves.

use super::belongings;
use crate::archive::Belongings;
use crate::archive::export::{self, parquet};
use crate::archive::rows::SeriesRows;
use crate::command::{Failure, configuration, ledger};
use crate::lines::{self, Line};
use daemon::clock::Clock;
use rules::interval::Interval;
use rules::result::Weight;
use rules::time::Timestamp;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const CSV_HEAD: &str = "agent,service,check,at,outcome,cause,elapsed_us,extra,note\n";

/// Hand out results of a time range
///
/// From the ledger and its archive alike; every result that was committed, also one that another of
/// the same instant beats. As `ndjson` they can be given to `replay` and `import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector evidence export --config collector.yaml --agreement acme-apm --from 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z --format parquet -o october/"
)]
pub(super) struct Export {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only what this agreement promises
    #[arg(long)]
    agreement: Option<String>,
    /// Only attempts that started at or after this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// Only attempts that started before this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// The results' form
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Form,
    /// Write to this file instead of stdout; for Parquet the directory of the files, one a day
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
}

/// A form of results.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Form {
    /// One JSON object a line
    Ndjson,
    /// One result a line, for spreadsheets
    Csv,
    /// Files in the archive's own form
    Parquet,
}

impl Export {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let only = self.agreement.as_deref().map(|name| belongings(&config, name)).transpose()?;
        let from = ledger::open(&config).await?;
        let unread = |error| Failure::run("read evidence", error);
        let first = match self.from {
            Some(first) => Some(first),
            None => export::begins(&*from).await.map_err(unread)?,
        };
        // Whoever asks for everything gets what an agent's fast clock dated ahead, too.
        let until = self.until.unwrap_or_else(|| Clock::system().wall().plus(Duration::from_hours(24)));
        let interval = match first.map(|first| (first, Interval::new(first, until))) {
            Some((_, Some(interval))) => interval,
            Some((first, None)) => return Err(Failure::NotThere(format!("{until} is not after {first}"))),
            None => return Err(Failure::NotThere("the ledger has no results".into())),
        };
        let mut sink = Sink::open(self.format, self.output.as_deref(), only.as_ref())?;
        let mut export = export::Export::new(only.as_ref(), interval);
        while let Some(day) = export.next_day(&*from).await.map_err(unread)? {
            if !sink.day(day)? {
                return Ok(());
            }
        }
        sink.close()
    }
}

/// Where results go.
enum Sink<'a> {
    Lines { form: Form, out: Box<dyn Write>, results: u64 },
    Files { directory: PathBuf, only: Option<&'a Belongings>, files: u64, results: u64 },
}

impl<'a> Sink<'a> {
    fn open(form: Form, output: Option<&Path>, only: Option<&'a Belongings>) -> Result<Sink<'a>, Failure> {
        let sink = match (form, output) {
            (Form::Parquet, None) => {
                return Err(Failure::NotThere("Parquet is written into a directory; name it with -o".into()));
            }
            (Form::Parquet, Some(directory)) => {
                return Ok(Sink::Files { directory: directory.to_owned(), only, files: 0, results: 0 });
            }
            (_, None) => Box::new(BufWriter::new(io::stdout())) as Box<dyn Write>,
            (_, Some(path)) => {
                let made = File::create(path);
                Box::new(BufWriter::new(
                    made.map_err(|error| Failure::run(format!("write {}", path.display()), error))?,
                ))
            }
        };
        let mut sink = Sink::Lines { form, out: sink, results: 0 };
        if form == Form::Csv {
            sink.text(CSV_HEAD)?;
        }
        Ok(sink)
    }

    /// Takes a day's results; says whether anybody still reads.
    fn day(&mut self, day: Vec<SeriesRows>) -> Result<bool, Failure> {
        let results: u64 = day.iter().map(|of| of.rows.len() as u64).sum();
        let text = match self {
            Sink::Files { directory, only, files, results: all } => {
                let made = parquet(only.map(|only| &only.agreement), &day);
                let made = made.map_err(|error| Failure::run("make a Parquet file", error))?;
                if let Some((file, bytes)) = made {
                    write_file(&directory.join(file.place), &bytes)?;
                    (*files, *all) = (*files + 1, *all + results);
                }
                return Ok(true);
            }
            Sink::Lines { form, results: all, .. } => {
                *all += results;
                let write = if *form == Form::Csv { csv } else { ndjson };
                day.iter()
                    .flat_map(|of| of.rows.iter().map(move |row| (of, row)))
                    .fold(String::new(), |text, (of, row)| text + &write(&row.line(&of.series)))
            }
        };
        self.text(&text)
    }

    fn text(&mut self, text: &str) -> Result<bool, Failure> {
        let Sink::Lines { out, .. } = self else { return Ok(true) };
        match out.write_all(text.as_bytes()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::run("write results", error)),
        }
    }

    fn close(self) -> Result<(), Failure> {
        match self {
            Sink::Files { files, results, .. } => eprintln!("{results} results in {files} files"),
            Sink::Lines { mut out, results, .. } => {
                out.flush().map_err(|error| Failure::run("write results", error))?;
                eprintln!("{results} results");
            }
        }
        Ok(())
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = folder.and_then(|()| std::fs::write(path, bytes));
    written.map_err(|error| Failure::run(format!("write {}", path.display()), error))
}

fn ndjson(line: &Line) -> String {
    lines::write(line) + "\n"
}

fn csv(line: &Line) -> String {
    let (series, result) = (&line.series, &line.result);
    let texts = [
        series.agent.as_str(),
        series.service.as_str(),
        series.check.as_str(),
        &result.at.to_string(),
        result.outcome.kind().as_str(),
        result.outcome.cause().map_or("", |cause| cause.as_str()),
        &result.latency().map_or_else(String::new, |elapsed| elapsed.as_micros().to_string()),
        if result.weight == Weight::Extra { "true" } else { "false" },
        line.note.as_ref().map_or("", |note| note.as_str()),
    ];
    texts.map(cell).join(",") + "\n"
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let apostrophe = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
}
