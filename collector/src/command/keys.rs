//! `keys`: the keys that statements are signed with.

use super::output::print;
use super::{Failure, configuration, ledger};
use crate::ledger::books::PublishedKey;
use crate::signing::{published, rotate};
use daemon::clock::Clock;
use std::fmt::Write as _;
use std::path::PathBuf;

/// List, rotate and export the keys that statements are signed with
#[derive(Debug, clap::Args)]
pub struct Keys {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KeysCommand {
    /// List every key that was ever published in the ledger
    #[command(after_help = "Example:\n  nines-collector keys list --config collector.yaml")]
    List(Named),
    /// Make a new key, retire those that this collector signed with and remove their private halves
    ///
    /// A running collector signs with the new key from its next statement on. What the old keys
    /// signed can still be verified.
    #[command(after_help = "Example:\n  nines-collector keys rotate --config collector.yaml")]
    Rotate(Named),
    /// Write the published keys as a file for `verify --keys`
    #[command(after_help = "Example:\n  nines-collector keys export --config collector.yaml > nines-keys.json")]
    Export(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Keys {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (KeysCommand::List(Named { config })
        | KeysCommand::Rotate(Named { config })
        | KeysCommand::Export(Named { config })) = &self.command;
        let config = configuration(config)?;
        let ledger = ledger::open(&config).await?;
        let told = match self.command {
            KeysCommand::Rotate(_) => {
                let rotated = rotate(&*ledger, &config.closing.keys, Clock::system().wall()).await;
                let rotation = rotated.map_err(|error| Failure::run("rotate the keys", error))?;
                let retired = rotation.retired.iter().map(|key| format!("retired {key} from {} on\n", rotation.from));
                format!("made    {}\n{}", rotation.made, retired.collect::<String>())
            }
            KeysCommand::List(_) => list(&published_keys(&*ledger).await?),
            KeysCommand::Export(_) => published::write(&published_keys(&*ledger).await?),
        };
        print(told.as_bytes())
    }
}

async fn published_keys(ledger: &dyn crate::ledger::Ledger) -> Result<Vec<PublishedKey>, Failure> {
    ledger.keys().await.map_err(|error| Failure::run("read the published keys", error))
}

fn list(keys: &[PublishedKey]) -> String {
    let mut told = String::new();
    for PublishedKey { id, published_at, retired_at, .. } in keys {
        let until = retired_at.map_or_else(|| "in force".to_owned(), |at| format!("retired {at}"));
        let _ = writeln!(told, "{id}  published {published_at}  {until}");
    }
    told
}
