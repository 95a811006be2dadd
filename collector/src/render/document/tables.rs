//! The tables of one service's part: outages, near misses, exclusions, objectives, evidence.

use super::{Row, Table, length, printable};
use crate::closing::{CheckMonth, ServiceMonth, Statement};
use crate::render::figures::{self, Local, cut_percent};
use crate::render::words::{Word, class};
use rules::agreement::Language;
use rules::exclusion::{Judged, Refusal};
use rules::outage::{Stretch, Verdict};
use rules::policy::Policy;
use std::time::Duration;

/// All tables, in the order they are printed.
pub(super) fn tables(statement: &Statement<'_>, month: &ServiceMonth<'_>, language: Language) -> Vec<Table> {
    let local = Local::new(&statement.agreement.zone, statement.calendar);
    let writer = Writer { local, language };
    let policy = &statement.agreement.policy;
    let mut tables = vec![writer.objectives(policy, month), writer.outages(month)];
    tables.extend(writer.near_misses(month));
    tables.push(writer.exclusions(month));
    tables.push(writer.partition(month));
    tables.push(writer.latency(month));
    tables.push(writer.coverage(month));
    tables
}

struct Writer<'a> {
    local: Local<'a>,
    language: Language,
}

impl Writer<'_> {
    fn say(&self, word: Word) -> &'static str {
        word.say(self.language)
    }

    fn table(&self, title: Word, head: &[Word], rows: Vec<Row>) -> Table {
        let head = head.iter().map(|word| self.say(*word)).collect();
        Table { title: self.say(title), class: "", note: None, head, rows, empty: self.say(Word::None) }
    }

    fn length(&self, of: Duration) -> String {
        length(of, self.language)
    }

    fn outages(&self, month: &ServiceMonth<'_>) -> Table {
        let rows = month.reckoning.outages().map(|(stretch, counted)| self.stretch(stretch, *counted, ""));
        let head = [Word::Began, Word::Ended, Word::Length, Word::Bracket, Word::Counted, Word::Causes];
        Table { class: "dated", ..self.table(Word::Outages, &head, rows.collect()) }
    }

    fn near_misses(&self, month: &ServiceMonth<'_>) -> Option<Table> {
        let of = month.reckoning.stretches.iter().filter(|(stretch, _)| stretch.verdict == Verdict::NearMiss);
        let rows: Vec<Row> = of.map(|(stretch, counted)| self.stretch(stretch, *counted, "weak")).collect();
        let head = [Word::Began, Word::Ended, Word::Length, Word::Bracket, Word::Counted, Word::Causes];
        (!rows.is_empty()).then(|| Table {
            class: "dated",
            note: Some(self.say(Word::NearMissNote)),
            ..self.table(Word::NearMisses, &head, rows)
        })
    }

    fn stretch(&self, stretch: &Stretch, counted: Duration, tone: &'static str) -> Row {
        let mut ended = self.local.instant(stretch.interval.until());
        if stretch.ongoing {
            ended = format!("{ended} ({})", self.say(Word::Ongoing));
        }
        let longest =
            stretch.longest().map_or_else(|| self.say(Word::Unknown).to_owned(), |longest| self.length(longest));
        let causes: Vec<&str> = stretch.causes.iter().map(rules::outcome::Cause::as_str).collect();
        let cells = vec![
            self.local.instant(stretch.interval.from()),
            ended,
            self.length(stretch.interval.length()),
            format!("{} – {longest}", self.length(stretch.shortest())),
            self.length(counted),
            causes.join(", "),
        ];
        Row { tone, cells }
    }

    fn exclusions(&self, month: &ServiceMonth<'_>) -> Table {
        let head = [Word::From, Word::Until, Word::Class, Word::Reason, Word::Told, Word::Effect];
        let rows = month.reckoning.exclusions.iter().map(|judged| self.exclusion(judged));
        Table { class: "dated", ..self.table(Word::Exclusions, &head, rows.collect()) }
    }

    fn exclusion(&self, judged: &Judged<'_>) -> Row {
        let exclusion = judged.exclusion;
        let mut effect = match judged.effective.is_empty() {
            true => self.say(Word::NoEffect).to_owned(),
            false => self.length(judged.effective.length()),
        };
        if let Some(refusal) = judged.refusal {
            effect = format!("{effect}: {}", self.refusal(refusal));
        }
        let cells = vec![
            self.local.instant(exclusion.interval.from()),
            self.local.instant(exclusion.interval.until()),
            class(exclusion.class, self.language).to_owned(),
            printable(&exclusion.reason),
            exclusion.told_at.map(|at| self.local.instant(at)).unwrap_or_default(),
            effect,
        ];
        Row { tone: if judged.refusal.is_some() { "weak" } else { "" }, cells }
    }

    fn refusal(&self, refusal: Refusal) -> String {
        match (refusal, self.language) {
            (Refusal::Barred, Language::English) => "the record says so".to_owned(),
            (Refusal::Barred, Language::Korean) => "기록에 따라 적용되지 않음".to_owned(),
            (Refusal::NotTold, Language::English) => "the customer was not told".to_owned(),
            (Refusal::NotTold, Language::Korean) => "고객에게 통지되지 않음".to_owned(),
            (Refusal::ToldTooLate { given, notice }, Language::English) => {
                let (given, notice) = (self.length(given), self.length(notice));
                format!("told {given} before it began; the policy asks for {notice}")
            }
            (Refusal::ToldTooLate { given, notice }, Language::Korean) => {
                format!("{} 전에 통지됨. 정책은 {} 전 통지를 요구함", self.length(given), self.length(notice))
            }
            (Refusal::CapUsedUp { at_most }, Language::English) => {
                format!("the month's {} of announced maintenance were used up", self.length(at_most))
            }
            (Refusal::CapUsedUp { at_most }, Language::Korean) => {
                format!("월 한도 {}의 사전 공지 점검 시간을 모두 사용함", self.length(at_most))
            }
        }
    }

    fn objectives(&self, policy: &Policy, month: &ServiceMonth<'_>) -> Table {
        let reckoning = &month.reckoning;
        let nominal = reckoning.availability.nominal;
        let mut rows = vec![self.promise(
            self.say(Word::Availability).to_owned(),
            format!("≥ {} %", policy.availability.objective),
            format!("{nominal} %"),
            Some(reckoning.met(policy)),
        )];
        for check in &month.latency {
            rows.extend(self.latency_promise(check));
        }
        let rate = &month.error_rate;
        if let Some(limit) = rate.limit {
            let measured = cut_percent(rate.downs, rate.total);
            let measured = measured.map_or_else(|| self.say(Word::NotMeasured).to_owned(), |rate| format!("{rate} %"));
            rows.push(self.promise(self.say(Word::ErrorRate).to_owned(), format!("≤ {limit} %"), measured, rate.met()));
        }
        rows.extend(self.recovery(policy, month));
        self.table(Word::Objectives, &[Word::Promise, Word::Limit, Word::Measured, Word::Result], rows)
    }

    fn latency_promise(&self, check: &CheckMonth<'_>) -> Option<Row> {
        let objective = check.row.objective.as_ref()?;
        let mean = check.row.population.mean_us();
        let measured = mean.map_or_else(|| self.say(Word::NotMeasured).to_owned(), figures::latency);
        let limit = figures::latency(u64::try_from(objective.limit.as_micros()).unwrap_or(u64::MAX));
        let name = format!("{} {} ({})", check.row.check, self.say(Word::Mean), objective.id);
        Some(self.promise(name, format!("≤ {limit}"), measured, objective.met))
    }

    fn recovery(&self, policy: &Policy, month: &ServiceMonth<'_>) -> Vec<Row> {
        let recovery = &month.reckoning.recovery;
        let sum = recovery.mttr_ms().zip(recovery.mttsr_ms()).map(|(mean, longest)| mean + longest);
        let rule = policy.recovery;
        let promised = [
            (
                Word::Mttr,
                recovery.mttr_ms(),
                rule.mttr,
                rules::policy::RecoveryRule { mttr: rule.mttr, ..Default::default() },
            ),
            (
                Word::Mttsr,
                recovery.mttsr_ms(),
                rule.mttsr,
                rules::policy::RecoveryRule { mttsr: rule.mttsr, ..Default::default() },
            ),
            (Word::RecoverySum, sum, rule.sum, rules::policy::RecoveryRule { sum: rule.sum, ..Default::default() }),
        ];
        let row =
            |(word, measured, limit, alone): (Word, Option<u64>, Option<Duration>, rules::policy::RecoveryRule)| {
                let measured = measured.map(|ms| self.length(Duration::from_millis(ms)));
                let measured = measured.unwrap_or_else(|| self.say(Word::NoOutage).to_owned());
                let limit = format!("< {}", self.length(limit?));
                Some(self.promise(self.say(word).to_owned(), limit, measured, recovery.keeps_to(&alone)))
            };
        promised.into_iter().filter_map(row).collect()
    }

    fn promise(&self, name: String, limit: String, measured: String, met: Option<bool>) -> Row {
        let (tone, word) = match met {
            Some(true) => ("good", Word::Kept),
            Some(false) => ("bad", Word::Broken),
            None => ("weak", Word::NotMeasured),
        };
        Row { tone, cells: vec![name, limit, measured, self.say(word).to_owned()] }
    }

    fn partition(&self, month: &ServiceMonth<'_>) -> Table {
        let reckoning = &month.reckoning;
        let whole = figures::millis(reckoning.period.length());
        let partition = &reckoning.partition;
        let parts = [
            (Word::Up, &partition.up),
            (Word::Downtime, &partition.counted),
            (Word::Short, &partition.short),
            (Word::Excluded, &partition.excluded),
            (Word::Undetermined, &partition.undetermined),
        ];
        let plain = |cells: [String; 3]| Row { tone: "", cells: cells.to_vec() };
        let mut rows: Vec<Row> = Vec::new();
        for (word, set) in parts {
            let share = cut_percent(figures::millis(set.length()), whole).unwrap_or_default();
            rows.push(plain([self.say(word).to_owned(), self.length(set.length()), format!("{share} %")]));
        }
        let (before, after) = (reckoning.before_exclusions, reckoning.availability);
        let readings = [
            (Word::BeforeExclusions, before.nominal),
            (Word::BestReading, after.best),
            (Word::WorstReading, after.worst),
        ];
        for (word, ratio) in readings {
            let name = format!("{}: {}", self.say(Word::Availability), self.say(word));
            let down = self.length(Duration::from_millis(ratio.downtime_ms));
            rows.push(plain([name, down, format!("{ratio} %")]));
        }
        self.table(Word::Partition, &[Word::State, Word::Length, Word::Measured], rows)
    }

    fn latency(&self, month: &ServiceMonth<'_>) -> Table {
        let rows = month.latency.iter().map(|check| {
            let population = &check.row.population;
            let mean = population.mean_us().map_or_else(|| self.say(Word::NotMeasured).to_owned(), figures::latency);
            let percentiles = check.percentiles.map(|of| {
                let micros = [of.p50, of.p90, of.p95, of.p99, of.max].map(|took| took.as_micros());
                micros.map(|micros| figures::about(u64::try_from(micros).unwrap_or(u64::MAX))).join(" / ")
            });
            let cells = vec![
                check.row.check.to_string(),
                figures::grouped(population.count()),
                mean,
                percentiles.unwrap_or_default(),
            ];
            Row { tone: "", cells }
        });
        let head = [Word::Check, Word::Count, Word::Mean, Word::Percentiles];
        Table { note: Some(self.say(Word::PercentilesNote)), ..self.table(Word::LatencyTitle, &head, rows.collect()) }
    }

    fn coverage(&self, month: &ServiceMonth<'_>) -> Table {
        let whole = figures::millis(month.reckoning.period.length());
        let rows = month.coverage.iter().map(|coverage| {
            let share = cut_percent(figures::millis(coverage.spoken), whole).unwrap_or_default();
            let cells = vec![
                coverage.agent.to_string(),
                coverage.check.to_string(),
                format!("{share} %"),
                self.length(coverage.void),
                self.length(coverage.silent),
            ];
            Row { tone: "", cells }
        });
        let head = [Word::Agent, Word::Check, Word::Heard, Word::CouldNotJudge, Word::Silent];
        self.table(Word::CoverageTitle, &head, rows.collect())
    }
}
