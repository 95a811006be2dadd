//! `run` and `validate`, the same in `nines-agent` and under `nines agent`.

use crate::program::{self, StartError, Surroundings};
use config::reading::ConfigError;
use daemon::clock::Clock;
use daemon::logging::{self, LogFormat, LoggingError};
use daemon::reload::FileWatch;
use daemon::shutdown::{Shutdown, SignalsUnavailable};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The status of a wrong configuration, as in sysexits.h.
const EXIT_CONFIG: u8 = 78;

/// What the agent can be told to do.
#[derive(Clone, PartialEq, Eq, Debug, clap::Subcommand)]
pub enum AgentCommand {
    /// Probe, keep and send, until told to stop
    #[command(after_help = "Example: nines-agent run --config /etc/nines/agent.yaml")]
    Run {
        /// The configuration; a change of it is taken without a restart
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
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
    },
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
}

impl AgentCommand {
    /// Carries it out and says on stderr what failed.
    pub async fn run(self) -> ExitCode {
        match self {
            AgentCommand::Validate { file } => validate(&file),
            AgentCommand::Run { config, log } => run(&config, log).await.unwrap_or_else(|error| {
                eprintln!("failed to {}", whole(&error));
                ExitCode::FAILURE
            }),
        }
    }
}

/// The error with its causes, each said once.
fn whole(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        next = cause.source();
    }
    said
}

async fn run(file: &Path, log: Log) -> Result<ExitCode, CommandError> {
    let (shutdown, clock) = (Shutdown::listen()?, Clock::system());
    let watch = FileWatch::new(file, shutdown.hangup(), clock.clone());
    let loaded = match config::agent::load(file) {
        Ok(loaded) => loaded,
        Err(error) => return Ok(wrong(&error)),
    };
    logging::start(match log {
        Log::Human => LogFormat::Human,
        Log::Json => LogFormat::Json,
    })?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!(%warning, "Configuration is doubtful"));
    let surroundings = Surroundings { clock, config_file: Some(watch), started: None };
    program::run(loaded.value, surroundings, shutdown.token()).await?;
    Ok(ExitCode::SUCCESS)
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

fn wrong(error: &ConfigError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(EXIT_CONFIG)
}
