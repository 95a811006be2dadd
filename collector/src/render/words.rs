//! The words of a statement, English and Korean side by side.
//!
//! One line a word, both languages in it: a word without a translation doesn't compile. Sentences
//! with figures in them are in `method` and below `document`; the names of what `rules` lists
//! (grounds, causes, clocks, standings) are in `named`.

mod named;

pub(crate) use named::{cause, class, clock, event, standing};
use rules::agreement::Language;

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
    // whose month
    Title: "Service level statement", "서비스 수준 명세서";
    Customer: "Customer", "고객";
    Agreement: "Agreement", "협약";
    Policy: "Policy", "정책";
    Period: "Period", "대상 월";
    Zone: "Time zone", "시간대";
    AsOf: "As of", "기준 시각";
    Issued: "Issued", "발행 시각";
    InForce: "Version of the agreement in force", "적용 협약의 효력 기간";
    Version: "Version", "판";
    Predecessor: "Takes the place of", "대체 대상";
    Provisional: "provisional", "잠정";
    Final: "final", "확정";
    NotIssued: "closed, not issued", "마감, 미발행";
    Amended: "final, amended", "정정 확정";
    Service: "Service", "서비스";
    Services: "Services", "서비스";
    NoServices: "No service had time in this period.", "이 기간에 해당하는 서비스가 없습니다.";
    WithoutTime: "Services without time in this period", "이 기간에 해당 시간이 없는 서비스";
    AtAGlance: "Summary", "요약";
    Overview: "Services", "서비스별 요약";
    // the verdict
    Met: "Objective met", "목표 달성";
    MetSoFar: "Objective met so far", "현재까지 목표 달성";
    Missed: "Objective missed", "목표 미달";
    MissedSoFar: "Objective missed so far", "현재까지 목표 미달";
    Incomplete: "Incomplete evidence", "증거 불충분";
    IncompleteObjective: "The evidence is incomplete: whether the objective was met cannot be said, because it depends on how that time is read. The credit follows the agreement's reading.",
        "증거가 불충분합니다. 목표 달성 여부가 이 시간을 어떻게 보는지에 따라 달라지므로 단정할 수 없습니다. 할인은 협약의 해석에 따릅니다.";
    IncompleteCredit: "The evidence is incomplete: the two readings earn different credits. The credit follows the agreement's reading.",
        "증거가 불충분합니다. 두 해석에 따라 할인율이 달라집니다. 할인은 협약의 해석에 따릅니다.";
    NothingSeen: "The evidence is incomplete: no agent saw anything of this service in the period, so its availability cannot be said.",
        "증거가 불충분합니다. 이 기간에 이 서비스를 관측한 에이전트가 없어 가용률을 말할 수 없습니다.";
    NoEvidence: "no evidence", "증거 없음";
    Availability: "Availability", "가용률";
    Downtime: "Downtime", "장애 시간";
    Credit: "Credit", "할인";
    Outages: "Outages", "장애";
    Observed: "Period observed", "관측된 기간";
    // promises
    Objectives: "Objectives", "목표별 결과";
    Promise: "Promise", "약속";
    Limit: "Limit", "기준";
    Measured: "Measured", "측정값";
    Result: "Result", "결과";
    Kept: "kept", "준수";
    Broken: "not kept", "미준수";
    Running: "running", "진행 중";
    NotMeasured: "not measured", "측정 없음";
    CannotBeSaid: "cannot be said: incomplete evidence", "판단 불가: 증거 불충분";
    MeanLatency: "Mean response time", "평균 응답 시간";
    ErrorRate: "Error rate", "오류율";
    Mttr: "Mean time to recovery (MTTR)", "평균 복구 시간 (MTTR)";
    Mttsr: "Longest time to recovery (MTTSR)", "최대 서비스 복구 시간 (MTTSR)";
    RecoverySum: "MTTR and MTTSR together", "MTTR과 MTTSR의 합";
    Backup: "Backups done in time", "백업 준수율";
    PlannedDowntime: "Announced maintenance in the month", "월간 예고된 점검 시간";
    NoOutage: "no outage", "장애 없음";
    // down stretches
    Outage: "Outage", "장애";
    Number: "No.", "번호";
    Began: "Began", "시작";
    Ended: "Ended", "종료";
    Ongoing: "ongoing", "진행 중";
    Length: "Length", "길이";
    Bracket: "Shortest – longest", "최단 – 최장";
    BracketNote: "Shortest and longest: the edges lie between two attempts, and the true length between these two. Downtime and credit use the length from the first failed attempt to the first good one.",
        "최단·최장: 시작과 종료는 두 확인 사이에 있으므로 실제 길이는 이 두 값 사이입니다. 장애 시간과 할인은 첫 실패 확인부터 첫 정상 확인까지의 길이로 산정합니다.";
    Counted: "Counted", "장애 시간 산입";
    Causes: "Causes", "원인";
    NearMisses: "Near misses", "준장애";
    NearMissNote: "Down for at least 80 % of the time that makes an outage; listed, not counted.",
        "장애 기준 시간의 80 % 이상 중단되었으나 기준에는 미치지 못한 구간입니다. 기재만 하고 산입하지 않습니다.";
    ShortDowntime: "Short downtime", "단시간 중단";
    ViewsTitle: "What each vantage saw of the outages", "장애별 관측 지점의 기록";
    ViewsNote: "The four lengths add up to the outage's. Failed attempts are those of the runs of failures that touch the outage; they may begin before it and end after it.",
        "네 길이의 합은 그 장애의 길이와 같습니다. 실패 건수는 장애와 겹치는 연속 실패의 확인 건수로, 장애의 시작 전이나 종료 후의 것도 포함할 수 있습니다.";
    SeenDown: "Saw it down", "중단으로 관측";
    SeenUp: "Saw it up", "정상으로 관측";
    Failures: "Failed attempts", "실패한 확인";
    DoesNotCount: "does not count", "산입하지 않음";
    Unknown: "unknown", "알 수 없음";
    // exclusions
    Exclusions: "Exclusions", "적용 배제";
    Entry: "Entry", "기록 번호";
    FromUntil: "From – until", "시작 – 종료";
    From: "From", "시작";
    Until: "Until", "종료";
    Class: "Ground and reason", "사유 구분과 사유";
    OnRecord: "Notice, record, approval", "통지·기록·승인";
    Effect: "Effect", "적용";
    NoEffect: "no effect", "적용 안 됨";
    BeforeAndAfter: "Before and after exclusions", "배제 적용 전후";
    BeforeExclusions: "Before exclusions", "배제 적용 전";
    AfterExclusions: "After exclusions", "배제 적용 후";
    // the month
    TimelineTitle: "The month, day by day and hour by hour", "월간 일별·시간대별 현황";
    Up: "up", "정상";
    Short: "down, not counted", "중단 (산입하지 않음)";
    Excluded: "excluded", "적용 배제";
    Undetermined: "undetermined", "미확정";
    Future: "not reckoned, or not yet", "산정 제외 또는 미도래";
    // latency
    LatencyTitle: "Response time by check", "점검별 응답 시간";
    ChartTitle: "Hourly mean response time", "시간별 평균 응답 시간";
    Check: "Check", "점검";
    Count: "Results", "결과 수";
    Mean: "Mean", "평균";
    Percentiles: "p50 / p90 / p95 / p99 / max", "p50 / p90 / p95 / p99 / 최대";
    PercentilesNote: "Means are exact over results that were up or timed out, and cut to the microsecond. Percentiles come from a histogram with two significant digits. Other failures and probes that judged nothing have no say in the mean.",
        "평균은 정상이거나 시간 초과된 결과의 정확한 값을 마이크로초 단위로 절사한 것이며, 백분위수는 유효숫자 두 자리 히스토그램 값입니다. 그 밖의 실패와 판정 불가는 평균에 포함하지 않습니다.";
    Timeouts: "Timed out", "시간 초과";
    OtherDowns: "Other failures", "그 밖의 실패";
    Voids: "Judged nothing", "판정 불가";
    // evidence
    Partition: "Where the time went", "시간의 구분";
    State: "State", "상태";
    Share: "Share", "비율";
    Together: "together", "합계";
    Readings: "Availability under each reading", "해석별 가용률";
    Reading: "Reading", "해석";
    PolicyReading: "The agreement's reading", "협약의 해석";
    BestReading: "Best: undetermined time counted up", "최선: 미확정을 정상으로";
    WorstReading: "Worst: undetermined time counted down", "최악: 미확정을 장애로";
    DividedBy: "Divided by", "기준 시간";
    UndeterminedTitle: "Undetermined time", "미확정 구간";
    CoverageTitle: "Evidence by vantage and check", "관측 지점·점검별 증거";
    CoverageNote: "Heard: the share of the reckoned period for which a result speaks. Could not judge: the agent's own network or host was at fault. No record: no result came.",
        "판정: 산정 구간 중 결과가 유효한 시간의 비율. 판정 불가: 에이전트 자체의 네트워크나 장비 문제. 기록 없음: 결과가 도착하지 않은 시간.";
    Agent: "Vantage", "관측 지점";
    Heard: "Heard", "판정";
    CouldNotJudge: "Could not judge", "판정 불가";
    Silent: "No record", "기록 없음";
    // credit
    CreditTitle: "How the credit comes about", "할인 산정";
    Step: "Step", "단계";
    Figure: "Figure", "값";
    AvailabilityLine: "Availability, by the agreement's reading", "가용률 (협약의 해석)";
    Band: "Band", "구간";
    Applies: "applies", "해당";
    DoesNotApply: "does not apply", "해당 없음";
    HighestBand: "Highest of the bands that apply", "해당 구간 중 가장 높은 할인율";
    BasisMonth: "Basis: the month's fee", "산정 기준: 해당월 이용요금";
    BasisTrailing: "Basis: the mean of these months' fees", "산정 기준: 위 월 이용요금의 평균";
    Withheld: "Credit, withheld for the reason below", "할인 금액 (아래 사유로 지급하지 않음)";
    NoCreditRule: "The policy grants no credits.", "정책에 할인 규정이 없습니다.";
    NotEligible: "Not eligible: no bill was issued yet, a trial, or fees are overdue. Nothing is owed.",
        "대상이 아님: 청구서 미발행, 체험 또는 요금 연체. 할인 금액은 없습니다.";
    OnTrial: "Not eligible: the customer was on trial at the period's end. Nothing is owed.",
        "대상이 아님: 산정 기간 종료 시점에 시험(무료) 사용 중. 할인 금액은 없습니다.";
    FeesOverdue: "Not eligible: fees were overdue at the period's end. Nothing is owed.",
        "대상이 아님: 산정 기간 종료 시점에 이용요금 연체 중. 할인 금액은 없습니다.";
    PaidTooShort: "Not eligible: by the period's end the customer had not used the service against payment for a month, so no bill for a month was issued. Nothing is owed.",
        "대상이 아님: 산정 기간 종료 시점까지 유료 사용 기간이 1개월 미만(청구서 미발행). 할인 금액은 없습니다.";
    NoFee: "No fee is known for the period, so no amount can be given.", "해당 기간의 요금이 없어 금액을 산정할 수 없습니다.";
    // amendments
    AmendmentTitle: "What this version changes", "이 판에서 정정된 내용";
    PredecessorHash: "SHA-256 of the predecessor's canonical JSON:", "대체된 판의 정규 JSON의 SHA-256:";
    Changes: "Every figure that changed", "변경된 모든 수치";
    Place: "Where it stands in the JSON", "JSON에서의 위치";
    Before: "Before", "변경 전";
    After: "After", "변경 후";
    Absent: "(not there)", "(없음)";
    // people
    IncidentsTitle: "Incidents and people's promises", "장애 대응과 대응 기준";
    ResponseTitle: "Promised response", "대응 기준별 결과";
    NoIncidents: "No incident's clocks started in this period.", "이 기간에 시작된 장애 대응이 없습니다.";
    HandlingTitle: "How fast people were", "장애 대응 소요 시간";
    HandlingMtta: "Mean time to acknowledge (MTTA)", "평균 접수 확인 시간 (MTTA)";
    HandlingMttr: "Mean time to resolve (MTTR of incidents)", "평균 문제 해결 시간 (장애 대응 MTTR)";
    HandlingMttsr: "Longest time to resolve (MTTSR of incidents)", "최대 문제 해결 시간 (장애 대응 MTTSR)";
    HandlingAmong: "Incidents", "대상 건수";
    HandlingNote: "Each is counted from where the incident's clocks start. How fast services recovered is measured, and stands among each service's objectives.",
        "각 장애 대응의 기산 시각부터 계산합니다. 서비스의 복구 시간은 관측으로 측정하며 서비스별 목표에 기재합니다.";
    Incident: "Incident", "장애 대응";
    Severity: "Severity", "등급";
    ClocksStart: "Clocks start", "기산 시각";
    OpenedBy: "Opened by", "개시";
    AnOutage: "an outage", "장애 감지";
    APerson: "a person", "담당자";
    ClocksTitle: "Clocks", "대응 기한";
    Clock: "Clock", "항목";
    Due: "Due", "기한";
    Done: "Done", "이행";
    NotDone: "not done", "미이행";
    EntriesTitle: "On record", "대응 기록";
    Recorded: "Recorded", "기록 시각";
    By: "By", "기록자";
    What: "What", "내용";
    // retainer
    RetainerTitle: "Retainer", "리테이너 (M/M) 현황";
    Available: "Available in the year", "연간 사용 가능";
    UsedBefore: "Used before this month", "전월까지 차감";
    UsedNow: "Used this month", "당월 차감";
    Left: "Left", "잔여";
    Over: "Used beyond what there was", "초과 사용";
    OverNote: "nothing is left", "잔여 없음";
    EffortTitle: "This month's work", "당월 투입 내역";
    When: "When", "일시";
    Work: "Work", "업무";
    Diagnosis: "regular diagnosis", "정기 진단";
    Note: "Note", "비고";
    Worked: "Worked", "투입";
    Used: "Used", "차감";
    // standing
    StandingTitle: "The customer's standing", "고객의 이용 상태";
    StandingTable: "Standing within the period", "대상 월의 이용 상태";
    Standing: "Standing", "상태";
    StandingNote: "Time on trial and time overdue does not count (ground: overdue fees, trial or free use). What else follows stands under Method.",
        "체험 기간과 요금 연체 기간에는 협약을 적용하지 않습니다 (사유: 요금 미납·체험·무료 이용). 그 밖의 조치는 산정 방법에 기재되어 있습니다.";
    // method and proof
    MethodTitle: "Method", "산정 방법";
    ClaimsMethod: "An exclusion that is claimed after the fact has effect only once a second person has approved it. Nothing on record is changed or deleted: a correction is a new entry that names the one it corrects, and both are listed.",
        "사후에 주장된 적용 배제는 제2의 담당자가 승인한 경우에만 효력이 있습니다. 기록은 변경하거나 삭제하지 않으며, 정정은 정정 대상을 밝힌 새 기록으로 하고 둘 다 기재합니다.";
    ClocksMethod: "The clocks of people's promises start when the stretch of failures became an outage, or where the person who opened the incident says that it began, and stop at the instant that is on record for what was promised, be it after the period's end. They are read when the statement is issued, and before that at the instant that it is as of. A clock that is not yet due then is neither kept nor missed.",
        "대응 기한은 중단이 장애로 성립한 시각부터, 담당자가 직접 개시한 경우에는 담당자가 밝힌 발생 시각부터 기산하며, 약속한 조치가 기록된 시각에 멈춥니다(월말 이후의 기록을 포함합니다). 판정은 명세서를 발행한 시각, 발행 전에는 기준 시각에 합니다. 그때 아직 기한이 지나지 않은 항목은 준수도 미준수도 아닙니다.";
    GraceParameter: "evidence is waited for after the period's end", "월말 이후 증거 대기 기간";
    ParametersTitle: "Every parameter of the policy", "정책의 모든 기준값";
    Parameter: "Parameter", "항목";
    Key: "Key", "설정 키";
    Value: "Value", "값";
    NotPromised: "not promised", "약속하지 않음";
    NoLimit: "no limit", "한도 없음";
    ForGood: "for good", "기한 없음";
    Never: "never", "없음";
    LookedAtTitle: "What is looked at", "점검 내용";
    Target: "Kind and target", "종류와 대상";
    Every: "Every", "간격";
    Timeout: "Timeout", "제한 시간";
    Counts: "Counts for availability", "가용률 산입";
    Yes: "yes", "예";
    No: "no", "아니요";
    VerifyTitle: "How to verify this statement", "명세서 검증 방법";
    VerifySigned: "The canonical JSON form of this statement holds everything that was promised, measured and reckoned; lists of short and of undetermined time and charts are drawn from the same evidence. It is signed; this is the hash of its text and the name of the key that signed it:",
        "이 명세서의 정규 JSON 형식에는 약속·측정·산정된 모든 내용이 있으며, 단시간 중단과 미확정 구간의 목록과 도표는 같은 증거로 작성한 것입니다. JSON은 전자 서명되어 있습니다. 본문의 해시값과 서명한 키의 이름:";
    VerifyHash: "The JSON form of this statement holds everything that was promised, measured and reckoned. Its hash:",
        "이 명세서의 JSON 형식에는 약속·측정·산정된 모든 내용이 있습니다. 그 해시값:";
    VerifyNotIssued: "This statement is drawn up and not issued: it is not signed, and later evidence or entries on record can still change it.",
        "이 명세서는 작성되었으나 발행되지 않았습니다. 서명이 없으며, 이후의 증거나 기록에 따라 달라질 수 있습니다.";
    VerifyCommand: "With the JSON file anybody can check offline that it is byte for byte what was signed; with the exported evidence every figure is computed again and compared:",
        "JSON 파일이 있으면 서명된 그대로인지 누구나 오프라인에서 확인할 수 있고, 내보낸 증거가 있으면 모든 수치를 다시 산정하여 비교합니다:";
    VerifyKeys: "The provider publishes its keys at /.well-known/nines-keys.json. Without our program the signature can be checked by any implementation of Ed25519; the file's layout is documented.",
        "회사는 /.well-known/nines-keys.json에 공개 키를 게시합니다. 서명은 다른 Ed25519 구현으로도 확인할 수 있으며 파일의 형식은 문서로 공개되어 있습니다.";
    VerifyDispute: "Whoever doubts a figure can name its place in the JSON and ask for the evidence of that stretch of time; every result counts to the millisecond and every rule applied is named above.",
        "수치에 이의가 있으면 JSON에서의 위치를 밝히고 해당 구간의 증거를 요청할 수 있습니다. 모든 결과는 밀리초까지 기록되어 있고 적용된 기준은 모두 위에 기재되어 있습니다.";
    None: "None.", "없음.";
}

/// The code of `language` in HTML and HTTP.
pub(crate) fn code(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Korean => "ko",
    }
}
