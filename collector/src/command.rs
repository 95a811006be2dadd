//! The collector's commands: what stands on the command line, and what the process ends with.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0 good, 1 the answer is "no" or the
//! run failed, 2 misuse of the command line (clap's own), 78 bad configuration.

pub mod amend;
mod beside;
pub mod effort;
pub mod evidence;
pub mod exclude;
pub mod explain;
pub mod import;
pub mod incident;
pub mod keys;
mod ledger;
pub mod output;
pub mod rebuild;
pub mod record;
mod recording;
pub mod replay;
pub mod serve;
pub(crate) mod source;
pub mod standing;
pub mod statement;
pub mod validate;
pub mod verify;

use crate::render::outside::printable;
use config::collector::CollectorConfig;
use config::reading::{ConfigError, Loaded};
use daemon::error_text::whole;
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::period::Month;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// The run failed, or the answer is "no".
const FAILED: u8 = 1;
/// The configuration is wrong (`EX_CONFIG` of sysexits).
const BAD_CONFIG: u8 = 78;
/// Arguments that make no sense together.
const MISUSE: u8 = 2;

/// What a collector is asked to do.
#[derive(Debug, clap::Subcommand)]
#[expect(missing_docs, reason = "what a command does stands with its arguments, where its help text is")]
pub enum CollectorCommand {
    Serve(serve::Serve),
    Validate(validate::Validate),
    Statement(statement::Statement),
    Amend(amend::Amend),
    Verify(verify::Verify),
    Keys(keys::Keys),
    Explain(explain::Explain),
    Replay(replay::Replay),
    Incident(incident::Incident),
    Effort(effort::Effort),
    Import(import::Import),
    Rebuild(rebuild::Rebuild),
    Evidence(evidence::Evidence),
    Exclude(exclude::Exclude),
    Standing(standing::StandingCommand),
    Record(record::RecordCommand),
}

impl CollectorCommand {
    /// Does it; whatever goes wrong is told on stderr.
    pub async fn run(self) -> ExitCode {
        let done = match self {
            CollectorCommand::Serve(command) => command.run().await,
            CollectorCommand::Validate(command) => command.run(),
            CollectorCommand::Statement(command) => command.run().await,
            CollectorCommand::Amend(command) => command.run().await,
            CollectorCommand::Verify(command) => command.run().await,
            CollectorCommand::Keys(command) => command.run().await,
            CollectorCommand::Explain(command) => command.run().await,
            CollectorCommand::Replay(command) => command.run().await,
            CollectorCommand::Incident(command) => command.run().await,
            CollectorCommand::Effort(command) => command.run().await,
            CollectorCommand::Import(command) => command.run().await,
            CollectorCommand::Rebuild(command) => command.run().await,
            CollectorCommand::Evidence(command) => command.run().await,
            CollectorCommand::Exclude(command) => command.run().await,
            CollectorCommand::Standing(command) => command.run().await,
            CollectorCommand::Record(command) => command.run().await,
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("{}", failure.told());
                ExitCode::from(failure.code())
            }
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Something that was named is not there.
    #[error("{0}")]
    NotThere(String),
    /// Arguments that don't go together.
    #[error("{0}")]
    Misuse(String),
    /// The answer is "no".
    #[error("{0}")]
    No(String),
    /// The run failed.
    #[error("failed to {doing}")]
    Run {
        /// What was being done.
        doing: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Failure {
    /// The run failed while `doing`.
    pub(crate) fn run(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::Run { doing: doing.into(), source: source.into() }
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Config(_) => BAD_CONFIG,
            Failure::Misuse(_) => MISUSE,
            Failure::NotThere(_) | Failure::No(_) | Failure::Run { .. } => FAILED,
        }
    }

    /// The message with everything that led to it, harmless for a terminal.
    fn told(&self) -> String {
        let told = if let Failure::Config(error) = self { error.to_string() } else { whole(self) };
        told.split('\n').map(printable).collect::<Vec<_>>().join("\n")
    }
}

/// Loads the collector's configuration. Its doubts are left to `validate` and `serve`: who asks for
/// something else has heard them.
pub(crate) fn configuration(path: &Path) -> Result<CollectorConfig, Failure> {
    Ok(config::collector::load(path)?.value)
}

/// Loads the collector's configuration; doubts go to stderr.
fn configuration_with_doubts(path: &Path) -> Result<CollectorConfig, Failure> {
    let Loaded { value, warnings } = config::collector::load(path)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    Ok(value)
}

/// The name of the agreement that was named, or of the only one.
pub(crate) fn agreement_id<'a>(config: &'a CollectorConfig, named: Option<&str>) -> Result<&'a AgreementId, Failure> {
    let mut ids: Vec<&AgreementId> = config.agreements.iter().map(|agreement| &agreement.id).collect();
    ids.dedup();
    let names = || ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    match (named, ids.as_slice()) {
        (None, [only]) => Ok(*only),
        (None, _) => Err(Failure::NotThere(format!("name one with --agreement: {}", names()))),
        (Some(name), all) => {
            let found = all.iter().copied().find(|id| id.as_str() == name);
            found.ok_or_else(|| Failure::NotThere(format!("no agreement `{name}`; there are: {}", names())))
        }
    }
}

/// The version that `month` is reckoned under of the agreement that was named, or of the only one.
pub(crate) fn agreement<'a>(
    config: &'a CollectorConfig,
    named: Option<&str>,
    month: Month,
) -> Result<&'a Agreement, Failure> {
    let name = agreement_id(config, named)?.as_str();
    config.agreement(name, month).ok_or_else(|| {
        let first = config.versions(name).next().and_then(|first| first.effective.from);
        let since = first.map_or_else(String::new, |first| format!("; its first version is in force from {first} on"));
        Failure::NotThere(format!("agreement `{name}` has no terms for {month}{since}"))
    })
}
