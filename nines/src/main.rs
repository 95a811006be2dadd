//! The front door: one binary with the collector, the agent, and both in one process.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Availability that money can hang on: agents probe, a collector reckons the month.
#[derive(Parser)]
#[command(name = "nines", version = daemon::version::VERSION, propagate_version = true)]
struct Nines {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Collector and agent in one process, on an empty machine
    Up(nines::up::UpArgs),
    /// One probe now: its phases, addresses, TLS facts and verdict
    Check(nines::check::CheckArgs),
    /// The agent's commands, as of nines-agent
    #[command(subcommand)]
    Agent(agent::command::AgentCommand),
    /// The collector's commands, as of nines-collector
    #[command(subcommand)]
    Collector(collector::command::CollectorCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Nines::parse().command {
        Command::Up(args) => nines::up::run(args).await,
        Command::Check(args) => nines::check::run(args).await,
        Command::Agent(command) => command.run().await,
        Command::Collector(command) => command.run().await,
    }
}
