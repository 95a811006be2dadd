//! One service's part of the document: verdict, first figures, credit; tables are beside.

use super::{Figure, Part, length, tables};
use crate::closing::{CheckMonth, ServiceMonth, Statement};
use crate::render::chart::Means;
use crate::render::words::Word;
use crate::render::{chart, figures, timeline};
use rules::agreement::{Agreement, Language};
use rules::availability::Ratio;
use rules::credit::{Credit, Withheld};
use rules::decimal::Percent;
use rules::policy::{CreditBasis, CreditRule, Policy, Tier};
use rules::statement::Reckoning;
use std::cmp::Ordering;
use std::time::Duration;

/// Puts one service's month into words.
pub(super) fn part(statement: &Statement<'_>, month: &ServiceMonth<'_>, language: Language) -> Part {
    let policy = &statement.agreement.policy;
    let reckoning = &month.reckoning;
    let (verdict, word) = match (reckoning.evidence_is_incomplete(policy), reckoning.met(policy)) {
        (_, false) => ("missed", Word::Missed),
        (true, true) => ("incomplete", Word::Incomplete),
        (false, true) => ("met", Word::Met),
    };
    Part {
        name: month.service.id.to_string(),
        verdict,
        verdict_word: word.say(language),
        sentence: sentence(policy, reckoning, language),
        figures: first_figures(statement.agreement, reckoning, language),
        timeline: timeline::timeline(statement, month, language),
        tables: tables::tables(statement, month, language),
        charts: month.latency.iter().filter_map(|of| chart::chart(&means(statement, of), language)).collect(),
        credit_title: Word::CreditTitle.say(language),
        credit: credit_lines(statement.agreement, reckoning, language),
    }
}

fn means<'a>(statement: &Statement<'a>, of: &'a CheckMonth<'_>) -> Means<'a> {
    Means {
        check: of.check,
        policy: &statement.agreement.policy,
        zone: &statement.agreement.zone,
        window: statement.calendar,
        population: &of.row.population,
        hours: &of.hours,
    }
}

fn sentence(policy: &Policy, reckoning: &Reckoning<'_>, language: Language) -> String {
    let availability = reckoning.availability;
    let objective = policy.availability.objective;
    let (best, worst) = (availability.best, availability.worst);
    let mut sentence = match (reckoning.met(policy), language) {
        (true, Language::English) => {
            format!("Availability is {} %; at least {objective} % was promised.", availability.nominal)
        }
        (false, Language::English) => {
            format!("Availability is {} %; {objective} % was promised.", availability.nominal)
        }
        (true, Language::Korean) => {
            format!("가용률은 {} %로, 약속한 {objective} % 이상입니다.", availability.nominal)
        }
        (false, Language::Korean) => {
            format!("가용률은 {} %로, 약속한 {objective} %에 미치지 못합니다.", availability.nominal)
        }
    };
    if best != worst {
        sentence.push_str(&match language {
            Language::English => format!(" Undetermined time counted up: {best} %; counted down: {worst} %."),
            Language::Korean => format!(" 미확정 시간을 정상으로 보면 {best} %, 장애로 보면 {worst} %입니다."),
        });
    }
    if reckoning.evidence_is_incomplete(policy) {
        sentence.push_str(match language {
            Language::English => {
                " The evidence is incomplete: the two readings differ in whether the objective is met or in what is owed."
            }
            Language::Korean => " 증거가 불충분합니다. 두 해석에 따라 목표 달성 여부 또는 할인율이 달라집니다.",
        });
    }
    sentence
}

fn first_figures(agreement: &Agreement, reckoning: &Reckoning<'_>, language: Language) -> Vec<Figure> {
    let nominal = reckoning.availability.nominal;
    let objective = agreement.policy.availability.objective;
    let downtime = Duration::from_millis(nominal.downtime_ms);
    let allowed = Ratio { downtime_ms: 0, ..nominal }.budget_left_ms(objective);
    let allowed = Duration::from_millis(u64::try_from(allowed).unwrap_or(0));
    let credit = &reckoning.credit;
    let amount = credit.currency.map(|currency| figures::money(credit.amount, currency)).unwrap_or_default();
    let figure = |label: Word, value: String, note: String| Figure { label: label.say(language), value, note };
    let longest = reckoning.outages().map(|(stretch, _)| stretch.interval.length()).max();
    vec![
        figure(Word::Availability, format!("{nominal} %"), format!("{} {objective} %", Word::Objective.say(language))),
        figure(
            Word::Downtime,
            length(downtime, language),
            format!("{} {}", Word::Allowed.say(language), length(allowed, language)),
        ),
        figure(Word::Credit, format!("{} %", credit.percent), amount),
        figure(
            Word::Outages,
            reckoning.outages().count().to_string(),
            longest.map_or_else(String::new, |longest| match language {
                Language::English => format!("longest {}", length(longest, language)),
                Language::Korean => format!("최장 {}", length(longest, language)),
            }),
        ),
    ]
}

/// How the credit comes about, a step a line.
fn credit_lines(agreement: &Agreement, reckoning: &Reckoning<'_>, language: Language) -> Vec<String> {
    let Some(rule) = &agreement.policy.credits else { return vec![Word::NoCreditRule.say(language).to_owned()] };
    let credit = &reckoning.credit;
    let nominal = reckoning.availability.nominal;
    let mut lines = vec![band_line(rule, nominal, credit.percent, language)];
    if let Some(currency) = credit.currency {
        let fees = credit.fees.iter().map(|(month, fee)| format!("{month}: {}", figures::money(*fee, currency)));
        let fees = fees.collect::<Vec<_>>().join(" · ");
        if !fees.is_empty() {
            lines.push(match (rule.basis, language) {
                (CreditBasis::Month, Language::English) => format!("Fee of the month: {fees}."),
                (CreditBasis::Month, Language::Korean) => format!("해당월 이용요금: {fees}."),
                (CreditBasis::TrailingThreeMonths, Language::English) => format!("Fees of up to three months: {fees}."),
                (CreditBasis::TrailingThreeMonths, Language::Korean) => format!("최근 3개월 이내 이용요금: {fees}."),
            });
        }
        lines.extend(amount_line(rule, credit, language));
    }
    lines.extend(credit.withheld.map(|withheld| match withheld {
        Withheld::NotEligible => Word::NotEligible.say(language).to_owned(),
        Withheld::NoFee => Word::NoFee.say(language).to_owned(),
    }));
    lines
}

fn band_line(rule: &CreditRule, availability: Ratio, percent: Percent, language: Language) -> String {
    let applies = |tier: &&Tier| {
        let above = tier.from.is_none_or(|from| availability.compare(from) != Ordering::Less);
        above && availability.compare(tier.below) == Ordering::Less && tier.percent == percent
    };
    let Some(tier) = rule.tiers.iter().find(applies) else {
        return match language {
            Language::English => format!("{availability} % lies in no band that earns a credit: 0 %."),
            Language::Korean => format!("{availability} %는 할인 구간에 해당하지 않습니다: 0 %."),
        };
    };
    let from = tier.from.map(|from| format!("{from} % ≤ ")).unwrap_or_default();
    let band = format!("{from}{availability} % < {} %", tier.below);
    match language {
        Language::English => format!("{band}: {percent} %, the highest of the bands that apply."),
        Language::Korean => format!("{band}: 해당 구간 중 가장 높은 {percent} %."),
    }
}

fn amount_line(rule: &CreditRule, credit: &Credit, language: Language) -> Option<String> {
    let (basis, currency) = (credit.basis()?, credit.currency?);
    let (basis, amount) = (figures::money(basis, currency), figures::money(credit.amount, currency));
    let unit = figures::money(rules::decimal::Money(rule.truncate_below.get()), currency);
    let percent = credit.percent;
    Some(match language {
        Language::English => format!("{basis} × {percent} %, cut down to a multiple of {unit}: {amount}."),
        Language::Korean => format!("{basis} × {percent} %, {unit} 단위 미만 절사: {amount}."),
    })
}
