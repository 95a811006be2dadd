//! `explain`: why a service's figure is what it is, in plain sentences.

use super::output::print;
use super::{Failure, configuration, ledger, source};
use crate::closing::explanation::explain;
use crate::closing::terms::joined;
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use rules::agreement::{Agreement, Service};
use rules::period::Month;
use rules::time::Timestamp;
use std::path::PathBuf;

/// Explain why a service's figure is what it is
///
/// Every down stretch of the month: what each agent saw, which rule applied, why it is an outage or
/// not, how sure its edges are, and what of it counts.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector explain --config collector.yaml --service apm-prod --period 2026-10"
)]
pub struct Explain {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Take evidence from these results, lines of JSON or Parquet, instead of the ledger
    #[arg(long, value_name = "FILE|DIR")]
    results: Option<PathBuf>,
    /// The service
    #[arg(long)]
    service: String,
    /// The month, such as 2026-10
    #[arg(long)]
    period: Month,
    /// Only what was the case at this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
}

impl Explain {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let (agreement, service) = service(&config, &self.service, self.period)?;
        let told = match &self.results {
            Some(results) => {
                let evidence = source::results(results, agreement).await?;
                let told = explain(&evidence, agreement, service, self.period, None, self.at).await;
                told.map_err(|error| Failure::run("read evidence", error))
            }
            None => {
                let clock = Clock::system();
                let agreement = &joined(
                    agreement,
                    &ledger::record(ledger::open(&config).await?, &clock).await?.entries(&agreement.id),
                );
                let evidence = ledger::evidence(&config, &clock).await?;
                let now = Some(clock.wall());
                let told = explain(&evidence, agreement, service, self.period, now, self.at).await;
                told.map_err(|error| Failure::run("read evidence", error))
            }
        };
        print(told?.as_bytes())
    }
}

/// The service that was named, and the agreement that promises it in `month`.
fn service<'a>(config: &'a CollectorConfig, name: &str, month: Month) -> Result<(&'a Agreement, &'a Service), Failure> {
    config.service(name, month).ok_or_else(|| {
        let mut services = config.agreements.iter().flat_map(|agreement| &agreement.services);
        Failure::NotThere(match services.any(|service| service.id.as_str() == name) {
            true => format!("service `{name}` is promised by no agreement in {month}"),
            false => format!("no service `{name}` in the configuration"),
        })
    })
}
