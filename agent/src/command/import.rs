//! `import`: another prober's configuration as an agent's.

use super::{EXIT_CONFIG, whole};
use crate::import::{self, ImportError};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is imported.
#[derive(Clone, PartialEq, Eq, Debug, clap::Subcommand)]
pub enum ImportCommand {
    /// blackbox_exporter's modules and Prometheus' scrape jobs that use them
    #[command(
        after_help = "Example: nines-agent import blackbox --config blackbox.yml --prometheus prometheus.yml -o agent.yaml\n\
                      What is not carried over is said on stderr and in the file."
    )]
    Blackbox {
        /// The modules
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The scrape jobs
        #[arg(long, value_name = "FILE")]
        prometheus: PathBuf,
        /// Where the configuration goes; absent: stdout
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl ImportCommand {
    /// Carries it out and says on stderr what was left out or failed.
    pub(super) fn run(self) -> ExitCode {
        let ImportCommand::Blackbox { config, prometheus, output } = self;
        let imported = match import::blackbox(&config, &prometheus) {
            Ok(imported) => imported,
            Err(error) => {
                eprintln!("failed to {}", whole(&error));
                return match error {
                    ImportError::Unreadable { .. } => ExitCode::FAILURE,
                    ImportError::Modules { .. } | ImportError::Wrong { .. } => ExitCode::from(EXIT_CONFIG),
                };
            }
        };
        imported.left_out.iter().for_each(|what| eprintln!("not carried over: {what}"));
        let Some(file) = output else {
            print!("{}", imported.yaml);
            return ExitCode::SUCCESS;
        };
        match std::fs::write(&file, imported.yaml) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("failed to write {}: {error}", file.display());
                ExitCode::FAILURE
            }
        }
    }
}
