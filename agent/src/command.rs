//! `run` and `validate`, the same in `nines-agent` and under `nines agent`.

mod blackbox;
mod import;

use crate::blackbox::alone::{self, AloneError};
use crate::program::{self, StartError, Surroundings};
use blackbox::BlackboxFlags;
use config::blackbox::LoadError;
use config::reading::ConfigError;
use daemon::clock::Clock;
use daemon::error_text::whole;
use daemon::logging::{self, LogFormat, LoggingError};
use daemon::reload::FileWatch;
use daemon::shutdown::{Shutdown, SignalsUnavailable};
use import::ImportCommand;
use rules::reach::Reach;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The status of a wrong configuration, as in sysexits.h.
const EXIT_CONFIG: u8 = 78;

/// What the agent can be told to do.
#[derive(Clone, PartialEq, Eq, Debug, clap::Subcommand)]
pub enum AgentCommand {
    /// Probe, keep and send, until told to stop
    #[command(after_help = "Example: nines-agent run --config /etc/nines/agent.yaml\n\
                      In blackbox_exporter's place: nines-agent run --blackbox-config blackbox.yml")]
    Run {
        /// The configuration; a change of it is taken without a restart
        #[arg(long, value_name = "FILE", required_unless_present = "blackbox_config")]
        config: Option<PathBuf>,
        /// Whether and how it stands in blackbox_exporter's place
        #[command(flatten)]
        blackbox: BlackboxFlags,
        /// Who reads the log on stderr
        #[arg(long, value_enum, default_value_t = Log::Human)]
        log: Log,
    },
    /// Say what is wrong with a configuration, where, and what would be right
    #[command(after_help = "Example: nines-agent validate /etc/nines/agent.yaml\nExit status: 0 right, 78 wrong")]
    Validate {
        /// The configuration
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The file holds modules of blackbox_exporter
        #[arg(long)]
        blackbox: bool,
    },
    /// Turn another prober's configuration into an agent's
    #[command(subcommand)]
    Import(ImportCommand),
}

/// Who reads the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Log {
    /// A person
    Human,
    /// A machine, one JSON object a line
    Json,
}

/// A command that failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// Logging can't begin.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// Signals can't be heard.
    #[error(transparent)]
    Signals(#[from] SignalsUnavailable),
    /// The agent can't start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It can't stand in blackbox_exporter's place.
    #[error(transparent)]
    Alone(#[from] AloneError),
}

impl AgentCommand {
    /// Carries it out and says on stderr what failed.
    pub async fn run(self) -> ExitCode {
        match self {
            AgentCommand::Import(command) => command.run(),
            AgentCommand::Validate { file, blackbox: true } => validate_modules(&file),
            AgentCommand::Validate { file, blackbox: false } => validate(&file),
            AgentCommand::Run {
                blackbox: BlackboxFlags { blackbox_config: Some(file), blackbox_config_check: true, .. },
                ..
            } => validate_modules(&file),
            AgentCommand::Run { config, blackbox, log } => {
                let ended = match (config, &blackbox.blackbox_config) {
                    (Some(config), _) => run(&config, &blackbox, log).await,
                    (None, Some(file)) => run_alone(file, &blackbox, log).await,
                    (None, None) => unreachable!("the command line asks for one of them"),
                };
                ended.unwrap_or_else(|error| {
                    eprintln!("failed to {}", whole(&error));
                    ExitCode::FAILURE
                })
            }
        }
    }
}

async fn run(file: &Path, blackbox: &BlackboxFlags, log: Log) -> Result<ExitCode, CommandError> {
    let (shutdown, clock) = (Shutdown::listen()?, Clock::system());
    let watch = FileWatch::new(file, shutdown.hangup(), clock.clone());
    let loaded = match config::agent::load(file) {
        Ok(loaded) => loaded,
        Err(error) => return Ok(wrong(&error)),
    };
    let modules = match &blackbox.blackbox_config {
        Some(file) => {
            if let Err(error) = config::blackbox::load(file) {
                return Ok(wrong_modules(&error));
            }
            let settings = blackbox.settings(file.clone(), loaded.value.listen, loaded.value.reach.clone());
            Some((settings, FileWatch::new(file, shutdown.hangup(), clock.clone())))
        }
        None => None,
    };
    start_logging(log)?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!(%warning, "Configuration is doubtful"));
    let surroundings = Surroundings { clock, config_file: Some(watch), blackbox: modules, started: None };
    program::run(loaded.value, surroundings, shutdown.token()).await?;
    Ok(ExitCode::SUCCESS)
}

async fn run_alone(file: &Path, blackbox: &BlackboxFlags, log: Log) -> Result<ExitCode, CommandError> {
    let (shutdown, clock) = (Shutdown::listen()?, Clock::system());
    let watch = FileWatch::new(file, shutdown.hangup(), clock.clone());
    if let Err(error) = config::blackbox::load(file) {
        return Ok(wrong_modules(&error));
    }
    start_logging(log)?;
    let listen = blackbox.listen();
    let settings = blackbox.settings(file.to_owned(), Some(listen), Reach::default());
    alone::run(settings, listen, watch, clock, None, shutdown.token()).await?;
    Ok(ExitCode::SUCCESS)
}

fn start_logging(log: Log) -> Result<(), LoggingError> {
    logging::start(match log {
        Log::Human => LogFormat::Human,
        Log::Json => LogFormat::Json,
    })
}

fn validate(file: &Path) -> ExitCode {
    match config::agent::load(file) {
        Ok(loaded) => {
            loaded.warnings.iter().for_each(|warning| eprintln!("{warning}"));
            ExitCode::SUCCESS
        }
        Err(error) => wrong(&error),
    }
}

fn validate_modules(file: &Path) -> ExitCode {
    match config::blackbox::load(file) {
        Ok(modules) => {
            modules.warnings.iter().for_each(|warning| eprintln!("{warning}"));
            ExitCode::SUCCESS
        }
        Err(error) => wrong_modules(&error),
    }
}

/// The peer's words, with our exit status.
fn wrong_modules(error: &LoadError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(EXIT_CONFIG)
}

fn wrong(error: &ConfigError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(EXIT_CONFIG)
}
