//! The words of a statement, English and Korean side by side.
//!
//! One line a word, both languages in it: a word without a translation doesn't compile. Sentences
//! with figures in them are in `method` and `document`.

use rules::agreement::Language;
use rules::exclusion::Class;

macro_rules! words {
    ($($name:ident: $english:literal, $korean:literal;)*) => {
        /// A word or phrase of a statement.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Word { $($name,)* }

        impl Word {
            /// The word in `language`.
            pub(crate) fn say(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Word::$name, Language::English) => $english,
                      (Word::$name, Language::Korean) => $korean,)*
                }
            }
        }
    };
}

words! {
    Title: "Service level statement", "서비스 수준 명세서";
    Agreement: "Agreement", "협약";
    Policy: "Policy", "정책";
    Period: "Period", "대상 월";
    Zone: "Time zone", "시간대";
    AsOf: "As of", "기준 시각";
    State: "State", "상태";
    Version: "Version", "판";
    Provisional: "provisional", "잠정";
    Final: "final", "확정";
    Met: "Objective met", "목표 달성";
    Missed: "Objective missed", "목표 미달";
    Incomplete: "Incomplete evidence", "증거 불충분";
    Availability: "Availability", "가용률";
    Objective: "Objective", "목표";
    Downtime: "Downtime", "장애 시간";
    Allowed: "allowed", "허용";
    Credit: "Credit", "할인";
    Outages: "Outages", "장애";
    Outage: "Outage", "장애";
    NearMisses: "Near misses", "준장애";
    NearMissNote: "Down for at least 80 % of the time that makes an outage; listed, not counted.",
        "장애 기준 시간의 80 % 이상 중단되었으나 기준에는 미치지 못한 구간입니다. 기재만 하고 산입하지 않습니다.";
    Exclusions: "Exclusions", "적용 배제";
    Objectives: "Objectives", "목표별 결과";
    LatencyTitle: "Latency", "응답 시간";
    CreditTitle: "How the credit comes about", "할인 산정";
    CoverageTitle: "Evidence by agent", "에이전트별 증거";
    MethodTitle: "Method", "산정 방법";
    TimelineTitle: "The month, hour by hour", "월간 시간대별 현황";
    Began: "Began", "시작";
    Ended: "Ended", "종료";
    Ongoing: "ongoing", "진행 중";
    Length: "Length", "길이";
    Bracket: "Shortest – longest", "최단 – 최장";
    Counted: "Counted", "산입";
    Causes: "Causes", "원인";
    From: "From", "시작";
    Until: "Until", "종료";
    Class: "Ground", "사유 구분";
    Reason: "Reason", "사유";
    Told: "Customer told", "고객 통지";
    Effect: "Effect", "적용";
    NoEffect: "no effect", "적용 안 됨";
    Promise: "Promise", "약속";
    Limit: "Limit", "기준";
    Measured: "Measured", "측정값";
    Result: "Result", "결과";
    Kept: "kept", "준수";
    Broken: "not kept", "미준수";
    NotMeasured: "not measured", "측정 없음";
    Check: "Check", "점검";
    Agent: "Agent", "에이전트";
    Mean: "mean", "평균";
    Heard: "Heard", "판정";
    CouldNotJudge: "Could not judge", "판정 불가";
    Silent: "Silent", "기록 없음";
    Count: "Results", "결과 수";
    Percentiles: "p50 / p90 / p95 / p99 / max", "p50 / p90 / p95 / p99 / 최대";
    PercentilesNote: "Percentiles come from a histogram with two significant digits; means are exact and cut to the microsecond.",
        "백분위수는 유효숫자 두 자리 히스토그램 값이며, 평균은 정확한 값을 마이크로초 단위로 절사한 것입니다.";
    ErrorRate: "Error rate", "오류율";
    Mttr: "Mean time to recovery (MTTR)", "평균 복구 시간 (MTTR)";
    Mttsr: "Longest time to recovery (MTTSR)", "최장 복구 시간 (MTTSR)";
    RecoverySum: "MTTR and MTTSR together", "MTTR과 MTTSR의 합";
    NoOutage: "no outage", "장애 없음";
    None: "None.", "없음.";
    Unknown: "unknown", "알 수 없음";
    Up: "up", "정상";
    Short: "short downtime, not counted", "단시간 중단 (산입하지 않음)";
    Excluded: "excluded", "배제";
    Undetermined: "undetermined", "미확정";
    Future: "not reckoned, or not yet", "산정 제외 또는 미도래";
    BestReading: "Best reading", "최선 해석";
    WorstReading: "Worst reading", "최악 해석";
    BeforeExclusions: "Before exclusions", "배제 적용 전";
    Partition: "Where the time went", "시간의 구분";
    NoCreditRule: "The policy grants no credits.", "정책에 할인 규정이 없습니다.";
    NotEligible: "Not eligible: no bill was issued yet, a trial, or fees are overdue. Nothing is owed.",
        "대상이 아님: 청구서 미발행, 체험판 또는 요금 연체. 할인 금액은 없습니다.";
    NoFee: "No fee is known for the period, so no amount can be given.", "해당 기간의 요금이 없어 금액을 산정할 수 없습니다.";
    WithoutTime: "Services without time in this period", "이 기간에 해당 시간이 없는 서비스";
}

/// An exclusion's ground in words.
pub(crate) fn class(class: Class, language: Language) -> &'static str {
    let (english, korean) = match class {
        Class::AnnouncedMaintenance => ("announced maintenance", "사전 공지된 점검"),
        Class::ForceMajeure => ("force majeure", "천재지변 등 불가항력"),
        Class::CustomerSoftware => ("customer's equipment or software", "고객 또는 제3자의 장비·소프트웨어"),
        Class::CustomerAction => ("customer's action or omission", "고객의 행위 또는 부작위"),
        Class::PolicyBreach => ("breach of rules or neglected security", "정책 위반 또는 보안 소홀"),
        Class::CustomerInputOrOveruse => ("wrong input or use beyond limits", "잘못된 입력 또는 초과 사용"),
        Class::IncidentContainment => ("containment of an incident", "침해사고 확산 방지"),
        Class::ExternalIntrusion => ("intrusion from outside", "외부 침입"),
        Class::Suspension => ("suspension of the right to use", "이용 정지 또는 해지"),
        Class::UnpaidOrTrial => ("overdue fees, trial or free use", "요금 미납·체험·무료 이용"),
        Class::OtherBeyondControl => ("other, beyond the provider's control", "기타 회사의 귀책이 아닌 사유"),
    };
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
}

/// The code of `language` in HTML and HTTP.
pub(crate) fn code(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Korean => "ko",
    }
}
