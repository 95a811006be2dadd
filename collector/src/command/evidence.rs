//! `evidence`: what was seen, handed out, checked, returned and erased.

mod bundle;
mod erase;
mod export;
mod scrub;

use super::{Failure, agreement_id};
use crate::archive::Belongings;
use config::collector::CollectorConfig;

/// Hand out, check, return or erase what was seen
#[derive(Debug, clap::Args)]
pub struct Evidence {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Export(export::Export),
    Scrub(scrub::Scrub),
    Bundle(bundle::Bundle),
    Erase(erase::Erase),
}

/// What belongs to the agreement that was named, whichever version promises it.
fn belongings(config: &CollectorConfig, named: &str) -> Result<Belongings, Failure> {
    Ok(Belongings::of(&config.agreements, agreement_id(config, Some(named))?))
}

impl Evidence {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.task {
            Task::Export(task) => task.run().await,
            Task::Scrub(task) => task.run().await,
            Task::Bundle(task) => task.run().await,
            Task::Erase(task) => task.run().await,
        }
    }
}
