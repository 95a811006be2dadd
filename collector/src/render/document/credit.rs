//! How the credit comes about: a step a line, from the availability to the amount.

use super::writer::Writer;
use super::{Block, ColumnKind, Row, Tone};
use crate::closing::{ServiceMonth, Statement};
use crate::render::words::Word;
use rules::availability::Ratio;
use rules::credit::{Credit, Withheld};
use rules::decimal::{Currency, Money};
use rules::policy::{CreditBasis, CreditRule, Tier};
use rules::standing::Ineligible;
use std::cmp::Ordering;

pub(super) fn blocks(statement: &Statement<'_>, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let Some(rule) = &statement.agreement.policy.credits else {
        let title = writer.say(Word::CreditTitle).to_owned();
        return vec![Block::Heading(title), Block::sentence(writer.say(Word::NoCreditRule))];
    };
    let credit = &month.reckoning.credit;
    let availability = month.reckoning.availability.nominal;
    let mut rows = vec![line(writer.say(Word::AvailabilityLine), format!("{availability} %"))];
    rows.extend(rule.tiers.iter().map(|tier| band(tier, availability, writer)));
    rows.push(line(writer.say(Word::HighestBand), format!("{} %", credit.percent)));
    if let Some(currency) = credit.currency {
        rows.extend(fees(rule, credit, currency, writer));
        rows.extend(amount(rule, credit, currency, writer));
    }
    let columns = [(Word::Step, ColumnKind::Name), (Word::Figure, ColumnKind::Number)];
    let mut table = writer.table(Word::CreditTitle, &columns, rows);
    table.notes.extend(credit.withheld.map(|withheld| withheld_note(withheld, writer).to_owned()));
    vec![Block::Table(table)]
}

fn line(step: impl Into<String>, figure: String) -> Row {
    Row::plain([step.into(), figure])
}

fn band(tier: &Tier, availability: Ratio, writer: &Writer<'_>) -> Row {
    let above = tier.from.is_none_or(|from| availability.compare(from) != Ordering::Less);
    let applies = above && availability.compare(tier.below) == Ordering::Less;
    let bounds = match tier.from {
        Some(from) => writer.either(
            format!("from {from} % to below {} %", tier.below),
            format!("{from} % 이상 ~ {} % 미만", tier.below),
        ),
        None => writer.either(format!("below {} %", tier.below), format!("{} % 미만", tier.below)),
    };
    let word = writer.say(if applies { Word::Applies } else { Word::DoesNotApply });
    let cells = vec![format!("{} {bounds}", writer.say(Word::Band)), format!("{} % – {word}", tier.percent)];
    Row { tone: if applies { Tone::Plain } else { Tone::Weak }, cells }
}

fn fees(rule: &CreditRule, credit: &Credit, currency: Currency, writer: &Writer<'_>) -> Vec<Row> {
    let of = |(month, fee): &(rules::period::Month, Money)| {
        line(writer.either(format!("Fee of {month}"), format!("{month} 이용요금")), writer.money(*fee, currency))
    };
    let mut rows: Vec<Row> = credit.fees.iter().map(of).collect();
    let basis = match rule.basis {
        CreditBasis::Month => Word::BasisMonth,
        CreditBasis::TrailingThreeMonths => Word::BasisTrailing,
    };
    rows.extend(credit.basis().map(|mean| line(writer.say(basis), writer.money(mean, currency))));
    rows
}

fn amount(rule: &CreditRule, credit: &Credit, currency: Currency, writer: &Writer<'_>) -> Vec<Row> {
    let Some(basis) = credit.basis() else { return Vec::new() };
    let [basis, unit, amount] =
        [basis, Money(rule.truncate_below.get()), credit.amount].map(|of| writer.money(of, currency));
    let owed = writer.either(
        format!("{basis} × {} %, cut down to a multiple of {unit}", credit.percent),
        format!("{basis} × {} %, {unit} 단위 미만 절사", credit.percent),
    );
    match credit.withheld {
        None => vec![line(owed, amount)],
        Some(_) => vec![line(writer.say(Word::Withheld), amount)],
    }
}

fn withheld_note(withheld: Withheld, writer: &Writer<'_>) -> &'static str {
    match withheld {
        Withheld::NotEligible => writer.say(Word::NotEligible),
        Withheld::Standing(Ineligible::Trial) => writer.say(Word::OnTrial),
        Withheld::Standing(Ineligible::Overdue) => writer.say(Word::FeesOverdue),
        Withheld::Standing(Ineligible::PaidTooShort { .. }) => writer.say(Word::PaidTooShort),
        Withheld::NoFee => writer.say(Word::NoFee),
    }
}
