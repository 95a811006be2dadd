//! What people read in an e-mail, in the agreement's language. Texts from outside are made harmless.

use super::body::{Excluded, Incident, Instant, Notification, Report};
use crate::render::outside::printable;
use crate::render::words;
use rules::agreement::Language;
use rules::exclusion::Class;
use rules::incident::Clock;
use rules::period::Zone;
use std::fmt::Write as _;

/// A subject is one line of about so many characters; what is longer is cut.
const SUBJECT_CHARS_MAX: usize = 200;

/// The language that a message says it is in.
pub(super) fn language(code: &str) -> Language {
    if code == "ko" { Language::Korean } else { Language::English }
}

fn either(language: Language, english: &'static str, korean: &'static str) -> &'static str {
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
}

/// The subject of an event's e-mail.
pub(super) fn subject(told: &Notification) -> String {
    let language = language(&told.language);
    let what = what(told, language);
    let about = match (&told.incident, &told.exclusion, &told.statement) {
        (Some(incident), _, _) => {
            let word = either(language, "Incident", "장애 대응");
            format!("[{}] {word} {} {what}: {}", incident.severity, incident.number, incident.title)
        }
        (None, Some(excluded), _) => format!("{what}: {}", class(excluded, language)),
        (None, None, Some(statement)) => format!("{what}: {} ({})", statement.period, statement.version),
        (None, None, None) => what,
    };
    line(&format!("{about} ({})", told.agreement))
}

/// The subject of a report's e-mail.
pub(super) fn report_subject(report: &Report, language: Language) -> String {
    let word = either(language, "Statement of", "서비스 수준 명세서");
    line(&format!("{word} {} ({}, {})", report.period, report.agreement, report.report))
}

/// The text of an event's e-mail.
pub(super) fn text(told: &Notification) -> String {
    let language = language(&told.language);
    let at = |instant: Instant| local(instant, &told.zone);
    let say = |english, korean| either(language, english, korean);
    let mut lines = vec![
        (say("Agreement", "계약"), format!("{} ({})", told.agreement, told.customer)),
        (say("What", "내용"), what(told, language)),
        (say("When", "시각"), at(told.at)),
        (say("By", "기록자"), told.by.clone()),
    ];
    if let Some(incident) = &told.incident {
        lines.extend(incident_lines(incident, &told.zone, language));
    }
    if let Some(missed) = &told.clock {
        let clock = Clock::ALL.into_iter().find(|clock| clock.as_str() == missed.clock);
        lines.push((
            say("Clock", "기한 항목"),
            clock.map_or(missed.clock.clone(), |c| words::clock(c, language).to_owned()),
        ));
        lines.push((say("Was due", "기한"), at(missed.due_at)));
    }
    if let Some(excluded) = &told.exclusion {
        lines.push((say("Ground", "사유 구분"), class(excluded, language)));
        lines.push((say("From", "시작"), at(excluded.from)));
        lines.push((say("Until", "종료"), at(excluded.until)));
        lines.push((say("Reason", "사유"), excluded.reason.clone()));
    }
    if let Some(statement) = &told.statement {
        lines.push((say("Period", "대상 월"), statement.period.clone()));
        lines.push((say("Version", "판"), statement.version.to_string()));
        lines.push(("SHA-256", statement.sha256.clone()));
    }
    let mut text = String::new();
    for (label, value) in lines {
        let _ = writeln!(text, "{label}: {}", printable(&value));
    }
    if let Some(said) = &told.text {
        let said: Vec<String> = said.lines().map(printable).collect();
        let _ = writeln!(text, "\n{}", said.join("\n"));
    }
    text
}

fn incident_lines(incident: &Incident, zone: &str, language: Language) -> Vec<(&'static str, String)> {
    let say = |english, korean| either(language, english, korean);
    let mut lines = vec![
        (say("Incident", "장애 대응"), format!("{} · {}", incident.number, incident.title)),
        (say("Severity", "등급"), incident.severity.clone()),
        (say("Services", "서비스"), incident.services.join(", ")),
        (say("Began", "발생"), local(incident.began_at, zone)),
    ];
    lines.extend(incident.outage_ended_at.map(|at| (say("Outage ended", "장애 종료"), local(at, zone))));
    lines.extend(incident.resolved_at.map(|at| (say("Resolved", "문제 해결"), local(at, zone))));
    lines
}

fn what(told: &Notification, language: Language) -> String {
    let (english, korean) = match (told.event.as_str(), told.what.as_str()) {
        (_, "opened") => ("opened", "개시"),
        (_, "acknowledged") => ("acknowledged", "접수 확인"),
        (_, "notice") => ("first notice to the customer", "최초 통지"),
        (_, "update") => ("update to the customer", "정기 업데이트"),
        (_, "progress") => ("progress report", "경과 보고"),
        (_, "report") => ("report afterwards", "보고서 제공"),
        (_, "severity") => ("severity changed", "등급 변경"),
        (_, "outage_ended") => ("outage ended", "장애 종료"),
        (_, "resolved") => ("resolved", "문제 해결"),
        (_, "missed") => ("clock ran out", "기한 경과"),
        (_, "recorded") => ("exclusion recorded", "적용 배제 기록"),
        (_, "corrected") => ("exclusion corrected", "적용 배제 정정"),
        (_, "approved") => ("exclusion approved", "적용 배제 승인"),
        (_, "refused") => ("exclusion refused", "적용 배제 거부"),
        (_, "withdrawn") => ("exclusion withdrawn", "적용 배제 철회"),
        (_, "issued") => ("statement issued", "명세서 발행"),
        (_, "amended") => ("statement amended", "명세서 정정 발행"),
        (event, what) => return format!("{event}: {what}"),
    };
    either(language, english, korean).to_owned()
}

fn class(excluded: &Excluded, language: Language) -> String {
    let class = Class::ALL.iter().find(|class| class.as_str() == excluded.class);
    class.map_or_else(|| excluded.class.clone(), |class| words::class(*class, language).to_owned())
}

/// An instant as clocks in the agreement's zone show it, with that zone.
fn local(instant: Instant, zone: &str) -> String {
    let Ok(known) = zone.parse::<Zone>() else { return instant.0.to_string() };
    let shifted = instant.0.as_millis().saturating_add(i64::from(known.offset_seconds(instant.0)) * 1000);
    let civil = rules::time::Timestamp::from_millis(shifted.div_euclid(1000) * 1000).to_string();
    format!("{} ({zone})", civil.trim_end_matches('Z').replace('T', " "))
}

/// One harmless line.
fn line(text: &str) -> String {
    printable(text).chars().take(SUBJECT_CHARS_MAX).collect()
}
