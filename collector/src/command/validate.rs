//! `validate`: a configuration's mistakes and doubts, each with its place.

use super::Failure;
use rules::agreement::Service;
use rules::id::{AgreementId, ServiceId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Check a configuration; print each mistake and doubt with its place
///
/// Exit code 78 if it can't be used. Doubts (overlapping tiers, bands without credit, checks too
/// slow for their outage rule) are printed and change nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nines-collector validate collector.yaml")]
pub struct Validate {
    /// The collector's configuration
    file: PathBuf,
}

impl Validate {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let config = super::configuration_with_doubts(&self.file)?;
        let names: BTreeSet<&AgreementId> = config.agreements.iter().map(|agreement| &agreement.id).collect();
        let all = config.agreements.iter().flat_map(|agreement| &agreement.services);
        // Of a service that stands in several versions, the last.
        let last: BTreeMap<&ServiceId, &Service> = all.map(|service| (&service.id, service)).collect();
        let checks: usize = last.values().map(|service| service.checks.len()).sum();
        let told = [counted(names.len(), "agreement"), counted(last.len(), "service"), counted(checks, "check")];
        eprintln!("{}: good; {}", self.file.display(), told.join(", "));
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
