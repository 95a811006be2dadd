//! What is owed as JSON.

use rules::agreement::{Agreement, Eligible};
use rules::credit::{Credit, Withheld};
use rules::standing::Ineligible;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct CreditView {
    percent: String,
    amount: u64,
    basis: Option<u64>,
    currency: Option<String>,
    currency_digits: Option<u32>,
    eligible: bool,
    withheld: Option<&'static str>,
    fees: Vec<FeeView>,
}

#[derive(Serialize)]
struct FeeView {
    period: String,
    amount: u64,
}

pub(super) fn credit_view(agreement: &Agreement, credit: &Credit) -> CreditView {
    CreditView {
        percent: credit.percent.to_string(),
        amount: credit.amount.0,
        basis: credit.basis().map(|basis| basis.0),
        currency: credit.currency.map(|currency| currency.code().to_owned()),
        currency_digits: credit.currency.map(|currency| currency.digits()),
        eligible: agreement.eligible == Eligible::Yes && !matches!(credit.withheld, Some(Withheld::Standing(_))),
        withheld: credit.withheld.map(|withheld| match withheld {
            Withheld::NotEligible => "not_eligible",
            Withheld::Standing(Ineligible::Trial) => "trial",
            Withheld::Standing(Ineligible::Overdue) => "overdue",
            Withheld::Standing(Ineligible::PaidTooShort { .. }) => "paid_too_short",
            Withheld::NoFee => "no_fee",
        }),
        fees: credit.fees.iter().map(|(month, fee)| FeeView { period: month.to_string(), amount: fee.0 }).collect(),
    }
}
