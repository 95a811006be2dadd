//! The names of what `rules` lists, in both languages: grounds, causes, clocks, events, standings.

use rules::agreement::Language;
use rules::exclusion::Class;
use rules::incident::{Clock, Event};
use rules::outcome::Cause;
use rules::standing::Standing;

fn either(language: Language, (english, korean): (&'static str, &'static str)) -> &'static str {
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
}

/// An exclusion's ground.
pub(crate) fn class(class: Class, language: Language) -> &'static str {
    let both = match class {
        Class::AnnouncedMaintenance => ("announced maintenance", "사전 공지된 점검"),
        Class::ForceMajeure => ("force majeure", "천재지변 등 불가항력"),
        Class::CustomerSoftware => ("customer's equipment or software", "고객 또는 제3자의 장비·소프트웨어"),
        Class::CustomerAction => ("customer's action or omission", "고객의 행위 또는 조치 불이행"),
        Class::PolicyBreach => ("breach of rules or neglected security", "사용 정책 위반 또는 보안 관리 소홀"),
        Class::CustomerInputOrOveruse => ("wrong input or use beyond limits", "고객의 오입력 또는 이용한도 초과"),
        Class::IncidentContainment => ("containment of an incident", "사고 확산 방지"),
        Class::ExternalIntrusion => ("intrusion from outside", "외부로부터의 불법적 침해"),
        Class::Suspension => ("suspension of the right to use", "이용 권리의 중지 또는 종료"),
        Class::UnpaidOrTrial => ("overdue fees, trial or free use", "요금 미납·체험·무료 이용"),
        Class::OtherBeyondControl => ("other, beyond the provider's control", "기타 회사의 행위에 의하지 않은 사유"),
    };
    either(language, both)
}

/// Why a probe was not up.
pub(crate) fn cause(cause: Cause, language: Language) -> &'static str {
    let both = match cause {
        Cause::Other => ("other", "기타"),
        Cause::Resolve => ("name not resolved", "이름 해석 실패"),
        Cause::Refused => ("connection refused", "연결 거부"),
        Cause::Unreachable => ("unreachable", "도달 불가"),
        Cause::Reset => ("connection cut", "연결 끊김"),
        Cause::Timeout => ("timeout", "시간 초과"),
        Cause::Tls => ("TLS failed", "TLS 실패"),
        Cause::Certificate => ("certificate not valid", "인증서 무효"),
        Cause::Status => ("unexpected status", "예상과 다른 상태 코드"),
        Cause::Content => ("unexpected content", "예상과 다른 내용"),
        Cause::Protocol => ("protocol broken", "프로토콜 위반"),
        Cause::TooLarge => ("answer too large", "응답 크기 초과"),
        Cause::Redirect => ("bad redirect", "잘못된 리디렉션"),
        Cause::Unhealthy => ("said to be unhealthy", "비정상 응답"),
        Cause::Missed => ("run not reported in time", "예정된 실행 미보고"),
        Cause::Loss => ("packets lost", "패킷 손실"),
        Cause::Bound => ("outside its bound", "한계값 벗어남"),
        Cause::AgentOffline => ("agent offline", "에이전트 오프라인"),
        Cause::Paused => ("agent paused", "에이전트 일시 중지"),
        Cause::Resources => ("agent out of resources", "에이전트 자원 부족"),
        Cause::Resolver => ("agent's resolver failed", "에이전트의 이름 해석기 장애"),
        Cause::Prober => ("prober failed", "확인 도구 오류"),
        Cause::Clock => ("agent's clock not right", "에이전트 시각 오류"),
        Cause::SpoolFull => ("agent's disk full", "에이전트 저장 공간 부족"),
    };
    either(language, both)
}

/// One of people's promises.
pub(crate) fn clock(clock: Clock, language: Language) -> &'static str {
    let both = match clock {
        Clock::Acknowledge => ("acknowledge", "접수 확인"),
        Clock::FirstNotice => ("first notice to the customer", "최초 통지"),
        Clock::Update => ("updates to the customer", "정기 업데이트"),
        Clock::Start => ("start of work", "문제 해결 착수"),
        Clock::Progress => ("progress report", "경과 보고"),
        Clock::Resolve => ("resolution", "문제 해결"),
        Clock::Report => ("report afterwards", "보고서 제공"),
    };
    either(language, both)
}

/// What happened to an incident.
pub(crate) fn event(event: &Event, language: Language) -> &'static str {
    let both = match event {
        Event::Opened(_) => ("opened", "개시"),
        Event::Acknowledged => ("acknowledged", "접수 확인"),
        Event::Started => ("work began", "문제 해결 착수"),
        Event::Notice(_) => ("first notice to the customer", "최초 통지"),
        Event::Update(_) => ("update to the customer", "정기 업데이트"),
        Event::Progress(_) => ("progress report", "경과 보고"),
        Event::OutageEnded { .. } => ("outage ended", "장애 종료"),
        Event::Resolved(_) => ("resolved", "문제 해결"),
        Event::Report(_) => ("report afterwards", "보고서 제공"),
        Event::Severity(_) => ("severity changed", "등급 변경"),
        Event::Remark(_) => ("remark", "비고"),
        Event::Missed { .. } => ("clock ran out", "기한 경과"),
    };
    either(language, both)
}

/// What a customer is.
pub(crate) fn standing(standing: Standing, language: Language) -> &'static str {
    let both = match standing {
        Standing::Trial => ("on trial", "체험"),
        Standing::Paid => ("paying", "유료 이용"),
        Standing::Overdue => ("overdue", "요금 연체"),
        Standing::Terminated => ("ended", "계약 종료"),
    };
    either(language, both)
}
