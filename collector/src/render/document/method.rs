//! How the figures were made, in plain sentences that name every parameter of the policy.

mod parameters;

use super::writer::Writer;
use super::{Begins, Block, Section, standing};
use crate::closing::Statement;
use crate::render::figures::length;
use crate::render::words::Word;
use rules::agreement::{Agreement, Language};
use rules::policy::{
    AvailabilityRule, Counting, CreditBasis, Denominator, MaintenanceRule, Minutes, Need, OutageExclusions, OutageRule,
    Policy, Undetermined,
};

/// The part of the document: sentences, then every parameter by itself.
pub(super) fn section(statement: &Statement<'_>, writer: &Writer<'_>) -> Section {
    let agreement = statement.agreement;
    let mut sentences = method(agreement, writer.language);
    if !agreement.policy.response.is_empty() {
        sentences.push(writer.say(Word::ClocksMethod).to_owned());
    }
    sentences.extend(standing::follows(agreement.policy.standing, writer));
    let blocks =
        vec![Block::List(sentences), Block::Table(parameters::table(&agreement.policy, statement.terms.grace, writer))];
    Section { title: writer.say(Word::MethodTitle).to_owned(), begins: Begins::WhereItFalls, blocks }
}

/// The sentences, in the order in which figures are made.
fn method(agreement: &Agreement, language: Language) -> Vec<String> {
    let policy = &agreement.policy;
    let rule = &policy.availability;
    let mut sentences = vec![looking(language), outage(&rule.outage, language), bridging(&rule.outage, language)];
    sentences.push(counting(&rule.outage, language).to_owned());
    sentences.push(dividing(rule, language));
    sentences.push(undetermined(rule.undetermined, language).to_owned());
    sentences.push(maintenance(&policy.maintenance, language));
    sentences.push(Word::ClaimsMethod.say(language).to_owned());
    sentences.push(latency(language).to_owned());
    sentences.extend(credits(policy, language));
    sentences
}

fn looking(language: Language) -> String {
    match language {
        Language::English => "Agents, each at a named vantage, probe each check at its own interval. A result speaks until the next one, at most twice that interval; time that no result speaks for is undetermined, never guessed. A probe that the agent itself could not carry out judges nothing.".to_owned(),
        Language::Korean => "관측 지점마다 있는 에이전트가 점검마다 정해진 간격으로 확인합니다. 한 결과는 다음 결과까지, 길어도 그 간격의 두 배까지만 유효하며, 어떤 결과도 유효하지 않은 시간은 추정하지 않고 미확정으로 둡니다. 에이전트 자체의 문제로 수행하지 못한 확인은 판정에 쓰지 않습니다.".to_owned(),
    }
}

fn outage(rule: &OutageRule, language: Language) -> String {
    let at_least = length(rule.at_least, language);
    match language {
        Language::English => {
            let need = match rule.need {
                Need::All => "all agents that are heard see".to_owned(),
                Need::Majority => "more than half of the agents that are heard see".to_owned(),
                Need::Count(count) => format!("at least {count} of the agents see"),
            };
            let heard = match rule.min_agents {
                0 | 1 => "at least one agent is heard".to_owned(),
                more => format!("at least {more} agents are heard"),
            };
            format!(
                "An agent sees the service down when all its counting checks fail. The service is down while {need} it down and {heard}. A down stretch of {at_least} or more is an outage; a shorter one is listed and not counted."
            )
        }
        Language::Korean => {
            let need = match rule.need {
                Need::All => "판정 가능한 모든 에이전트".to_owned(),
                Need::Majority => "판정 가능한 에이전트의 과반".to_owned(),
                Need::Count(count) => format!("에이전트 {count}개 이상"),
            };
            format!(
                "산입 대상 점검이 모두 실패하면 그 에이전트는 서비스를 중단으로 봅니다. {need}가 중단으로 보고 판정 가능한 에이전트가 {}개 이상이면 서비스는 중단 상태입니다. 중단이 {at_least} 이상 계속되면 장애이며, 그보다 짧으면 기재만 하고 산입하지 않습니다.",
                rule.min_agents
            )
        }
    }
}

fn bridging(rule: &OutageRule, language: Language) -> String {
    let bridge = length(rule.bridge, language);
    match language {
        Language::English => {
            format!("An undetermined stretch of at most {bridge} between two down ones is taken to be down.")
        }
        Language::Korean => format!("두 중단 사이의 {bridge} 이하 미확정 구간은 중단으로 봅니다."),
    }
}

fn counting(rule: &OutageRule, language: Language) -> &'static str {
    match (rule.count, rule.exclusions, language) {
        (Counting::Whole, OutageExclusions::WholeRun, Language::English) => {
            "An outage is judged on its whole length and counts from its first failed attempt; then it is cut to the period, and exclusions are taken off."
        }
        (Counting::Whole, OutageExclusions::Remainder, Language::English) => {
            "Exclusions are taken off first: what remains must itself be long enough to be an outage, and counts from its first failed attempt."
        }
        (Counting::AfterThreshold, OutageExclusions::WholeRun, Language::English) => {
            "An outage is judged on its whole length; only what lies beyond the time that makes it an outage counts, less exclusions."
        }
        (Counting::AfterThreshold, OutageExclusions::Remainder, Language::English) => {
            "Exclusions are taken off first: what remains must itself be long enough to be an outage; only what lies beyond that time counts."
        }
        (Counting::Whole, OutageExclusions::WholeRun, Language::Korean) => {
            "장애 여부는 전체 길이로 판단하고 첫 실패 시점부터 산입합니다. 그다음 대상 월에 속하는 부분만 남기고 적용 배제 시간을 뺍니다."
        }
        (Counting::Whole, OutageExclusions::Remainder, Language::Korean) => {
            "적용 배제 시간을 먼저 뺀 나머지가 장애 기준 시간 이상이어야 장애이며, 첫 실패 시점부터 산입합니다."
        }
        (Counting::AfterThreshold, OutageExclusions::WholeRun, Language::Korean) => {
            "장애 여부는 전체 길이로 판단하고, 장애 기준 시간을 넘은 부분에서 적용 배제 시간을 뺀 만큼만 산입합니다."
        }
        (Counting::AfterThreshold, OutageExclusions::Remainder, Language::Korean) => {
            "적용 배제 시간을 먼저 뺀 나머지가 장애 기준 시간 이상이어야 장애이며, 그 기준 시간을 넘은 부분만 산입합니다."
        }
    }
}

fn dividing(rule: &AvailabilityRule, language: Language) -> String {
    let (by, minutes) = match language {
        Language::English => (
            match rule.denominator {
                Denominator::Month => "the whole calendar month",
                Denominator::ServiceTime => "the part of the month in which the service existed",
                Denominator::LessExclusions => "the service's time in the month less exclusions",
            },
            match rule.minutes {
                Minutes::Exact => "Outages count to the millisecond.",
                Minutes::Whole => "Each outage's counted time is cut down to whole minutes.",
            },
        ),
        Language::Korean => (
            match rule.denominator {
                Denominator::Month => "해당월의 총 시간",
                Denominator::ServiceTime => "해당월 중 서비스가 존재한 시간",
                Denominator::LessExclusions => "적용 배제 시간을 뺀 해당월의 서비스 시간",
            },
            match rule.minutes {
                Minutes::Exact => "장애 시간은 밀리초까지 산입합니다.",
                Minutes::Whole => "장애마다 산입 시간의 분 미만은 절사합니다.",
            },
        ),
    };
    let objective = rule.objective;
    match language {
        Language::English => format!(
            "Availability is one minus downtime divided by {by}, held against {objective} % as an exact fraction and printed cut, never rounded, to four decimals. {minutes}"
        ),
        Language::Korean => format!(
            "가용률은 1에서 장애 시간을 {by}으로 나눈 값을 뺀 것입니다. 정확한 분수로 {objective} %와 비교하며, 표시할 때는 반올림하지 않고 소수 넷째 자리에서 절사합니다. {minutes}"
        ),
    }
}

fn undetermined(reading: Undetermined, language: Language) -> &'static str {
    match (reading, language) {
        (Undetermined::Up, Language::English) => "Undetermined time counts as up; the worst reading counts it as down.",
        (Undetermined::Down, Language::English) => {
            "Undetermined time counts as down; the best reading counts it as up."
        }
        (Undetermined::Up, Language::Korean) => "미확정 시간은 정상으로 봅니다. 최악 해석에서는 장애로 봅니다.",
        (Undetermined::Down, Language::Korean) => "미확정 시간은 장애로 봅니다. 최선 해석에서는 정상으로 봅니다.",
    }
}

fn maintenance(rule: &MaintenanceRule, language: Language) -> String {
    let notice = length(rule.notice, language);
    match (language, rule.at_most.map(|at_most| length(at_most, language))) {
        (Language::English, None) => {
            format!("Announced maintenance is excluded if the customer was told at least {notice} before.")
        }
        (Language::English, Some(at_most)) => format!(
            "Announced maintenance is excluded if the customer was told at least {notice} before, at most {at_most} a month."
        ),
        (Language::Korean, None) => format!("사전 공지된 점검은 {notice} 전까지 고객에게 통지된 경우에 배제합니다."),
        (Language::Korean, Some(at_most)) => {
            format!("사전 공지된 점검은 {notice} 전까지 고객에게 통지된 경우에 월 {at_most}까지 배제합니다.")
        }
    }
}

fn latency(language: Language) -> &'static str {
    match language {
        Language::English => {
            "Latency is the mean over all results of the period outside exclusions and outages, from the start of the request to its completion; a request that timed out counts with at least its timeout. The error rate is failed results over failed and good ones. Recovery is taken over the outages that began in the period, with their whole lengths less exclusions."
        }
        Language::Korean => {
            "응답 시간은 적용 배제와 장애를 제외한 대상 월의 모든 결과에 대해 요청 시작부터 완료까지 걸린 시간의 평균이며, 시간 초과는 적어도 제한 시간만큼으로 셉니다. 오류율은 실패한 결과를 실패하거나 정상인 결과로 나눈 값입니다. 복구 시간은 대상 월에 시작된 장애의 전체 길이에서 배제 시간을 뺀 값으로 구합니다."
        }
    }
}

fn credits(policy: &Policy, language: Language) -> Option<String> {
    let rule = policy.credits.as_ref()?;
    let tiers: Vec<String> = rule
        .tiers
        .iter()
        .map(|tier| match tier.from {
            Some(from) => format!("{from} % – {} %: {} %", tier.below, tier.percent),
            None => format!("< {} %: {} %", tier.below, tier.percent),
        })
        .collect();
    let tiers = tiers.join(" · ");
    Some(match (language, rule.basis) {
        (Language::English, CreditBasis::Month) => {
            format!("Credits, of the month's fee: {tiers}. Of overlapping bands the highest applies.")
        }
        (Language::English, CreditBasis::TrailingThreeMonths) => {
            format!(
                "Credits, of the mean fee of up to three months ending with this one: {tiers}. Of overlapping bands the highest applies."
            )
        }
        (Language::Korean, CreditBasis::Month) => {
            format!("할인율(해당월 이용요금 기준): {tiers}. 구간이 겹치면 가장 높은 할인율을 적용합니다.")
        }
        (Language::Korean, CreditBasis::TrailingThreeMonths) => {
            format!(
                "할인율(해당월까지 최근 3개월 이내 평균 요금 기준): {tiers}. 구간이 겹치면 가장 높은 할인율을 적용합니다."
            )
        }
    })
}
