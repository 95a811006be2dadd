//! `nines-agent`: the agent alone.

use agent::command::AgentCommand;
use clap::Parser;
use std::process::ExitCode;

/// Looks at targets from where it stands, keeps every result, and sends it on.
#[derive(Parser)]
#[command(name = "nines-agent", version = daemon::version::VERSION)]
struct CommandLine {
    #[command(subcommand)]
    command: AgentCommand,
}

#[tokio::main]
async fn main() -> ExitCode {
    CommandLine::parse().command.run().await
}
