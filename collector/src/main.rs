//! `nines-collector`: the collector alone.

use clap::Parser;
use collector::command::CollectorCommand;
use std::process::ExitCode;

/// Takes in what agents saw, keeps it, and tells what a month was worth.
#[derive(Parser)]
#[command(name = "nines-collector", version)]
struct Arguments {
    #[command(subcommand)]
    command: CollectorCommand,
}

#[tokio::main]
async fn main() -> ExitCode {
    Arguments::parse().command.run().await
}
