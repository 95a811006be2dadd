//! The form that announces, claims or corrects an exclusion.

use super::super::agreements::agreement_path;
use super::super::form::{Choice, Field, Form, Kind};
use super::super::moments;
use super::class_words;
use crate::render::figures::length;
use rules::agreement::{Agreement, Language};
use rules::exclusion::{Class, Exclusion};
use rules::id::ServiceId;
use rules::interval::Interval;
use rules::time::Timestamp;
use std::collections::BTreeSet;

/// The form, with what `corrected` says in it.
pub(super) fn form(agreement: &Agreement, corrected: Option<&Exclusion>, now: Timestamp) -> Form {
    let zone = &agreement.zone;
    let said = |at: Option<Timestamp>| at.map(|at| moments::shown(at, zone)).unwrap_or_default();
    let hint = format!("In {}, now {}. An offset may stand behind it.", zone.name(), moments::minute(now, zone));
    let class = |class: &Class| Choice {
        value: class.as_str().to_owned(),
        label: class_words(*class),
        is_chosen: corrected.is_some_and(|corrected| corrected.class == *class),
    };
    let service = |service: &ServiceId| Choice {
        is_chosen: corrected.and_then(|corrected| corrected.services.as_ref()).is_some_and(|own| own.contains(service)),
        ..Choice::named(service.as_str())
    };
    let services = agreement.services.iter().map(|known| service(&known.id)).collect();
    let fields = vec![
        Field::new("class", "Ground", "", Kind::One(Class::ALL.iter().map(class).collect())),
        Field::new("from", "From", hint, Kind::Line).with(said(corrected.map(|of| of.interval.from()))),
        Field::new("until", "Until", "Like the beginning.", Kind::Line)
            .with(said(corrected.map(|of| of.interval.until()))),
        Field::new("services", "Services", "None chosen: all of the agreement.", Kind::Any(services)),
        Field::new("told_at", "Customer told at", "For maintenance; leave it empty otherwise.", Kind::Line)
            .with(said(corrected.and_then(|of| of.told_at))),
        Field::new("reason", "Reason", "The customer reads it on the statement.", Kind::Text)
            .with(corrected.map(|of| of.reason.clone()).unwrap_or_default()),
    ];
    let corrected = corrected.and_then(|corrected| corrected.entry);
    let title = match corrected {
        Some(number) => format!("Correct exclusion {number}"),
        None => "Record an exclusion".to_owned(),
    };
    let mut form = Form::new(title, format!("{}/exclusions", agreement_path(agreement)), "Record", fields);
    form.hidden.extend(corrected.map(|number| ("supersedes", number.to_string())));
    form
}

/// The exclusion that a form describes; otherwise its fields say what is wrong.
pub(super) fn read(form: &mut Form, agreement: &Agreement) -> Option<Exclusion> {
    let zone = &agreement.zone;
    let class =
        form.read("class", |word| Class::from_word(word).ok_or_else(|| format!("`{word}` is no ground; choose one")));
    let from = form.read("from", |text| moments::read(text, zone));
    let until = form.read("until", |text| {
        let until = moments::read(text, zone)?;
        match from {
            Some(from) if until <= from => Err("it ends before it begins; write a later time".to_owned()),
            _ => Ok(until),
        }
    });
    let told_at = form.read("told_at", |text| match text {
        "" => Ok(None),
        text => moments::read(text, zone).map(Some),
    });
    let reason = form.read("reason", |text| match text {
        "" => Err("it is empty; say in a sentence why this time should not count".to_owned()),
        text => Ok(text.to_owned()),
    });
    let known = |name: &str| agreement.services.iter().map(|service| &service.id).find(|id| id.as_str() == name);
    let services: BTreeSet<ServiceId> = form.chosen("services").into_iter().filter_map(known).cloned().collect();
    Some(Exclusion {
        services: (!services.is_empty()).then_some(services),
        reason: reason?,
        told_at: told_at?,
        ..Exclusion::new(Interval::new(from?, until?)?, class?)
    })
}

/// What the policy asks of maintenance.
pub(super) fn notice_note(agreement: &Agreement) -> String {
    let rule = &agreement.policy.maintenance;
    let said = |of| length(of, Language::English);
    let notice = match rule.notice.is_zero() {
        true => "The policy asks for no notice of maintenance".to_owned(),
        false => format!("Maintenance counts if the customer was told at least {} before", said(rule.notice)),
    };
    match rule.at_most {
        Some(at_most) => format!("{notice}, and for at most {} a month.", said(at_most)),
        None => format!("{notice}."),
    }
}
