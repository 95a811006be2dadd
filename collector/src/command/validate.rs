//! `validate`: a configuration's mistakes and doubts, each with its place.

use super::Failure;
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
        let config = super::configuration(&self.file)?;
        let services: usize = config.agreements.iter().map(|agreement| agreement.services.len()).sum();
        let checks = config.agreements.iter().flat_map(|agreement| &agreement.services);
        let checks: usize = checks.map(|service| service.checks.len()).sum();
        let agreements = config.agreements.len();
        let file = self.file.display();
        eprintln!("{file}: good; {agreements} agreements, {services} services, {checks} checks");
        Ok(())
    }
}
