//! Every parameter of the policy with its key and value. A policy that gains a parameter doesn't
//! compile until it is told here.

use crate::render::document::writer::Writer;
use crate::render::document::{ColumnKind, Row, Table};
use crate::render::outside;
use crate::render::words::{Word, clock};
use rules::incident::Clock;
use rules::policy::{
    AvailabilityRule, Counting, CreditBasis, CreditRule, Denominator, Edge, LatencyObjective, MaintenanceRule, Minutes,
    Need, OutageExclusions, OutageRule, Policy, RecoveryRule, ResponseRule, Tier, Undetermined,
};
use rules::standing::StandingRule;
use std::time::Duration;

/// All of them, in the order of the configuration, and how long evidence is waited for.
pub(super) fn table(policy: &Policy, grace: Duration, writer: &Writer<'_>) -> Table {
    let Policy {
        id: _,
        availability,
        latency,
        recovery,
        error_rate,
        maintenance,
        planned_downtime,
        backup,
        standing,
        retention,
        response,
        credits,
    } = policy;
    let mut list = List { writer, rows: Vec::new() };
    list.availability(availability);
    latency.iter().for_each(|objective| list.latency(objective));
    list.recovery(*recovery);
    let error_rate = error_rate.map_or_else(|| list.say(Word::NotPromised), |rate| format!("≤ {rate} %"));
    list.row(("error rate at most", "오류율 상한"), "error_rate", error_rate);
    list.maintenance(*maintenance);
    list.promise(
        ("announced maintenance in a month at most", "월간 예고된 점검 시간 상한"),
        "planned_downtime",
        *planned_downtime,
    );
    let backup = backup.map_or_else(|| list.say(Word::NotPromised), |share| format!("≥ {share} %"));
    list.row(("backups reported in time", "백업 준수율"), "backup", backup);
    list.standing(*standing);
    list.length(("evidence is kept for", "증거 보관 기간"), "retention", *retention, Word::ForGood);
    response.iter().for_each(|rule| list.response(rule));
    match credits {
        Some(rule) => list.credits(rule),
        None => list.row(("credits", "할인"), "credits", writer.say(Word::NoCreditRule).to_owned()),
    }
    let grace = writer.length(grace);
    list.rows.push(Row::plain([writer.say(Word::GraceParameter).to_owned(), "closing.grace".to_owned(), grace]));
    let columns =
        [(Word::Parameter, ColumnKind::Name), (Word::Key, ColumnKind::Word), (Word::Value, ColumnKind::Prose)];
    writer.table(Word::ParametersTitle, &columns, list.rows)
}

struct List<'a> {
    writer: &'a Writer<'a>,
    rows: Vec<Row>,
}

type Both = (&'static str, &'static str);

impl List<'_> {
    fn say(&self, word: Word) -> String {
        self.writer.say(word).to_owned()
    }

    fn row(&mut self, (english, korean): Both, key: impl Into<String>, value: String) {
        self.rows.push(Row::plain([self.writer.either(english, korean).to_owned(), key.into(), value]));
    }

    fn choice(&mut self, name: Both, key: &str, (english, korean): Both) {
        self.row(name, key, self.writer.either(english, korean).to_owned());
    }

    fn length(&mut self, name: Both, key: impl Into<String>, of: Option<Duration>, absent: Word) {
        let value = of.map_or_else(|| self.say(absent), |of| self.writer.length(of));
        self.row(name, key, value);
    }

    fn promise(&mut self, name: Both, key: impl Into<String>, of: Option<Duration>) {
        self.length(name, key, of, Word::NotPromised);
    }

    fn availability(&mut self, rule: &AvailabilityRule) {
        let AvailabilityRule { objective, outage, denominator, minutes, undetermined } = rule;
        self.row(("availability at least", "가용률 목표"), "availability.objective", format!("≥ {objective} %"));
        self.outage(outage);
        let denominator = match denominator {
            Denominator::Month => ("the whole calendar month (month)", "해당월의 총 시간 (month)"),
            Denominator::ServiceTime => {
                ("the service's time in the month (service_time)", "해당월 중 서비스 시간 (service_time)")
            }
            Denominator::LessExclusions => {
                ("that time less exclusions (less_exclusions)", "적용 배제를 뺀 서비스 시간 (less_exclusions)")
            }
        };
        self.choice(("downtime is divided by", "장애 시간을 나누는 시간"), "availability.denominator", denominator);
        let minutes = match minutes {
            Minutes::Exact => ("to the millisecond (exact)", "밀리초까지 (exact)"),
            Minutes::Whole => ("whole minutes of each outage (whole)", "장애마다 분 단위 절사 (whole)"),
        };
        self.choice(("outages count", "장애 시간 단위"), "availability.minutes", minutes);
        let undetermined = match undetermined {
            Undetermined::Up => ("as up (up)", "정상으로 봄 (up)"),
            Undetermined::Down => ("as down (down)", "장애로 봄 (down)"),
        };
        self.choice(("undetermined time is read", "미확정 시간의 해석"), "availability.undetermined", undetermined);
    }

    fn outage(&mut self, rule: &OutageRule) {
        let OutageRule { at_least, need, min_agents, bridge, count, exclusions } = rule;
        self.row(
            ("an outage lasts at least", "장애 기준 시간"),
            "availability.outage.for",
            self.writer.length(*at_least),
        );
        let need = match need {
            Need::All => self.writer.either("all that are heard (all)".to_owned(), "판정 가능한 전체 (all)".to_owned()),
            Need::Majority => self.writer.either("more than half (majority)".to_owned(), "과반 (majority)".to_owned()),
            Need::Count(count) => count.to_string(),
        };
        self.row(
            ("vantages that must see it down", "중단으로 보아야 하는 관측 지점"),
            "availability.outage.agents",
            need,
        );
        let least = min_agents.to_string();
        self.row(
            ("vantages that must be heard", "판정에 필요한 관측 지점 수"),
            "availability.outage.min_agents",
            least,
        );
        let bridge = self.writer.length(*bridge);
        self.row(
            ("undetermined time bridged up to", "중단으로 잇는 미확정 구간 상한"),
            "availability.outage.bridge",
            bridge,
        );
        let count = match count {
            Counting::Whole => ("from the first failed attempt (whole)", "첫 실패 확인부터 전체 (whole)"),
            Counting::AfterThreshold => {
                ("only beyond that least length (after_threshold)", "기준 시간을 넘은 부분만 (after_threshold)")
            }
        };
        self.choice(("of an outage counts", "장애 중 산입 범위"), "availability.outage.count", count);
        let exclusions = match exclusions {
            OutageExclusions::WholeRun => ("after an outage is judged (whole_run)", "장애 판단 후 (whole_run)"),
            OutageExclusions::Remainder => ("before an outage is judged (remainder)", "장애 판단 전 (remainder)"),
        };
        self.choice(
            ("exclusions are taken off", "적용 배제를 빼는 시점"),
            "availability.outage.exclusions",
            exclusions,
        );
    }

    fn latency(&mut self, objective: &LatencyObjective) {
        let LatencyObjective { id, mean_max } = objective;
        let key = format!("latency.{}", outside::shown(id.as_str()));
        self.row(("mean response time at most", "평균 응답 시간 상한"), key, self.writer.length(*mean_max));
    }

    fn recovery(&mut self, rule: RecoveryRule) {
        let RecoveryRule { mttr, mttsr, sum, edge } = rule;
        self.promise(("mean time to recovery", "평균 복구 시간"), "recovery.mttr", mttr);
        self.promise(("longest time to recovery", "최대 서비스 복구 시간"), "recovery.mttsr", mttsr);
        self.promise(("both together", "두 시간의 합"), "recovery.sum", sum);
        let edge = match edge {
            Edge::Below => ("a figure below its limit keeps it (below)", "기준 미만이어야 준수 (below)"),
            Edge::AtMost => ("a figure at its limit keeps it (at_most)", "기준 이하이면 준수 (at_most)"),
        };
        self.choice(("recovery at its limit", "복구 시간이 기준과 같을 때"), "recovery.limits", edge);
    }

    fn maintenance(&mut self, rule: MaintenanceRule) {
        let MaintenanceRule { notice, at_most } = rule;
        let told = self.writer.length(notice);
        self.row(("notice before announced maintenance", "점검 사전 공지 기한"), "maintenance.notice", told);
        let name = ("announced maintenance excluded in a month", "월간 배제되는 점검 시간 한도");
        self.length(name, "maintenance.at_most", at_most, Word::NoLimit);
    }

    fn standing(&mut self, rule: StandingRule) {
        let StandingRule { trial, screens_stop, collection_stops, data_deleted, terminated_deleted } = rule;
        self.length(("a trial lasts", "체험 기간"), "standing.trial", trial, Word::NoLimit);
        let rows = [
            (("screens stop after a bill was due", "미납 시 화면 접속 중지"), "standing.screens_stop", screens_stop),
            (
                ("collection stops after a bill was due", "미납 시 데이터 수집 중지"),
                "standing.collection_stops",
                collection_stops,
            ),
            (("data is deleted after a bill was due", "미납 시 데이터 삭제"), "standing.data_deleted", data_deleted),
            (
                ("data is deleted after the agreement's end", "계약 종료 후 데이터 삭제"),
                "standing.terminated_deleted",
                terminated_deleted,
            ),
        ];
        rows.into_iter().for_each(|(name, key, after)| self.length(name, key, after, Word::Never));
    }

    fn response(&mut self, rule: &ResponseRule) {
        let ResponseRule { severity, acknowledge, first_notice, update_every, start, progress, resolve, report } = rule;
        let clocks = [
            (Clock::Acknowledge, "acknowledge", acknowledge),
            (Clock::FirstNotice, "first_notice", first_notice),
            (Clock::Update, "update_every", update_every),
            (Clock::Start, "start", start),
            (Clock::Progress, "progress", progress),
            (Clock::Resolve, "resolve", resolve),
            (Clock::Report, "report", report),
        ];
        for (of, key, within) in clocks {
            let Some(within) = within else { continue };
            let severity = outside::shown(severity);
            let name = format!("{severity}: {}", clock(of, self.writer.language));
            let cells = [name, format!("response.{severity}.{key}"), format!("≤ {}", self.writer.length(*within))];
            self.rows.push(Row::plain(cells));
        }
    }

    fn credits(&mut self, rule: &CreditRule) {
        let CreditRule { basis, truncate_below, tiers } = rule;
        let basis = match basis {
            CreditBasis::Month => ("the month's fee (month)", "해당월 이용요금 (month)"),
            CreditBasis::TrailingThreeMonths => (
                "the mean fee of up to three months (trailing_3_months)",
                "최근 3개월 이내 평균 이용요금 (trailing_3_months)",
            ),
        };
        self.choice(("credits are a share of", "할인 산정 기준"), "credits.basis", basis);
        let name = ("amounts are cut down to a multiple of", "절사 단위 (최소 화폐 단위)");
        self.row(name, "credits.truncate_below", truncate_below.to_string());
        for Tier { from, below, percent } in tiers {
            let from = from.map(|from| format!("{from} % ≤ ")).unwrap_or_default();
            let name = ("availability in this band earns", "이 구간의 할인율");
            self.row(name, "credits.tiers", format!("{from}… < {below} %: {percent} %"));
        }
    }
}
