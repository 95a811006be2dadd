//! Evidence from results in memory: a statement without a ledger, for audits, disputes and "what
//! if the policy were …".
//!
//! Every result is kept, so every figure is drawn from the results themselves; the ledger's way,
//! by runs and hours, must come to the same.

use super::evidence::{Evidence, Latency, Percentiles, REMARKS_MAX, Remark, SIGNIFICANT_DIGITS, Seen, Watermark};
use super::watermarks;
use crate::lines::Line;
use hdrhistogram::Histogram;
use rules::agreement::{Agreement, Service};
use rules::check::Check;
use rules::id::{AgentId, ServiceId};
use rules::interval::{Interval, IntervalSet};
use rules::latency::{Population, contribution};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::run::{Series, put_in_order};
use rules::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

/// Results as they come in, sorted by series.
#[derive(Debug, Default)]
pub struct Results {
    series: HashMap<SeriesKey, Vec<(ProbeResult, Option<Pace>)>>,
    remarks: BTreeMap<ServiceId, Vec<Remark>>,
}

impl Results {
    /// Takes in one result.
    pub fn take(&mut self, line: Line) {
        if let Some(note) = line.note {
            let SeriesKey { agent, service, check } = line.series.clone();
            self.remarks.entry(service).or_default().push(Remark { at: line.result.at, agent, check, note });
        }
        let pace = line.sent.map(|sent| sent.pace);
        self.series.entry(line.series).or_default().push((line.result, pace));
    }

    /// Folds the results of `agreement`'s services; those that don't say their pace have that of their
    /// check.
    pub fn fold(self, agreement: &Agreement) -> Replayed {
        let mut replayed = Replayed { series: BTreeMap::new(), remarks: self.remarks, noted: None, ignored: 0 };
        for (key, results) in self.series {
            let service = agreement.services.iter().find(|service| service.id == key.service);
            let check = service.and_then(|service| service.checks.iter().find(|check| check.id == key.check));
            let Some(check) = check else {
                replayed.ignored += results.len() as u64;
                continue;
            };
            let own = check.pace();
            let mut results: Vec<_> = results.into_iter().map(|(result, pace)| (result, pace.unwrap_or(own))).collect();
            put_in_order(&mut results);
            results.dedup_by_key(|(result, _)| result.at);
            let heard = Heard { runs: Series::fold(results.clone()), results };
            replayed.series.entry(key.service.clone()).or_default().insert(key, heard);
        }
        replayed
    }
}

/// Evidence from results in memory.
#[derive(Debug)]
pub struct Replayed {
    series: BTreeMap<ServiceId, BTreeMap<SeriesKey, Heard>>,
    remarks: BTreeMap<ServiceId, Vec<Remark>>,
    /// How far each agent's evidence was complete, if somebody noted it.
    noted: Option<Vec<Watermark>>,
    /// How many results belonged to no check of the agreement.
    pub ignored: u64,
}

#[derive(Debug)]
struct Heard {
    runs: Series,
    /// The results that stand, in order: each instant once, by the strongest.
    results: Vec<(ProbeResult, Pace)>,
}

impl Replayed {
    /// The same, complete as far as was noted when a statement was issued.
    pub fn complete_as(self, agents: &BTreeMap<AgentId, super::Heard>) -> Replayed {
        Replayed { noted: Some(watermarks(agents)), ..self }
    }

    fn heard(&self, service: &Service) -> impl Iterator<Item = (&SeriesKey, &Heard)> {
        self.series.get(&service.id).into_iter().flatten()
    }
}

impl Evidence for Replayed {
    type Error = Infallible;

    async fn series(&self, service: &Service, _month: Interval) -> Result<Vec<Seen>, Infallible> {
        let seen = |(key, heard): (&SeriesKey, &Heard)| Seen {
            agent: key.agent.clone(),
            check: key.check.clone(),
            runs: heard.runs.runs().to_vec(),
        };
        Ok(self.heard(service).map(seen).collect())
    }

    async fn latency(&self, service: &Service, check: &Check, measured: &IntervalSet) -> Result<Latency, Infallible> {
        let mut hours: BTreeMap<Timestamp, Population> = BTreeMap::new();
        let mut histogram = Histogram::new(SIGNIFICANT_DIGITS).expect("a histogram can have two digits");
        for (_, heard) in self.heard(service).filter(|(key, _)| key.check == check.id) {
            for (result, pace) in heard.results.iter().filter(|(result, _)| measured.contains(result.at)) {
                hours.entry(result.at.hour()).or_default().add(result, *pace);
                if let Some(took) = contribution(result, *pace) {
                    let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
                    histogram.record(u64::from(us)).expect("the histogram grows to any value of 32 bits");
                }
            }
        }
        let mut population = Population::default();
        hours.values().for_each(|hour| population.merge(hour));
        Ok(Latency { population, percentiles: Percentiles::of(&histogram), hours: hours.into_iter().collect() })
    }

    async fn remarks(&self, service: &Service, interval: Interval) -> Result<Vec<Remark>, Infallible> {
        let all = self.remarks.get(&service.id).into_iter().flatten();
        let mut within: Vec<Remark> = all.filter(|remark| interval.contains(remark.at)).cloned().collect();
        within.sort_unstable();
        within.dedup();
        within.truncate(REMARKS_MAX);
        Ok(within)
    }

    /// A file doesn't say how far it is complete: unless somebody noted it, each agent is taken to be
    /// until its next result would have been due.
    async fn watermarks(&self, service: &Service) -> Result<Vec<Watermark>, Infallible> {
        if let Some(noted) = &self.noted {
            return Ok(noted.clone());
        }
        let mut complete: BTreeMap<&AgentId, Timestamp> = BTreeMap::new();
        for (key, heard) in self.heard(service) {
            let Some((last, pace)) = heard.results.last() else { continue };
            let until = last.at.plus(pace.every);
            let known = complete.entry(&key.agent).or_insert(until);
            *known = until.max(*known);
        }
        let watermark =
            |(agent, complete_until): (&AgentId, Timestamp)| Watermark { agent: agent.clone(), complete_until };
        Ok(complete.into_iter().map(watermark).collect())
    }
}
