//! `nines-agent`: the agent alone.

use clap::Parser;
use std::process::ExitCode;

/// Looks at targets from where it stands, keeps every result, and sends it on.
#[derive(Parser)]
#[command(name = "nines-agent", version)]
struct CommandLine {
    #[command(subcommand)]
    command: agent::command::Command,
}

fn main() -> anyhow::Result<ExitCode> {
    let CommandLine { command } = CommandLine::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(agent::command::execute(command))?)
}
