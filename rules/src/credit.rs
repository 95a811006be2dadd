//! What is owed when the objective was missed (`accounting.md` section 11).

use crate::agreement::{Agreement, Eligible};
use crate::availability::Ratio;
use crate::decimal::{Currency, Money, Percent};
use crate::period::Month;
use crate::policy::{CreditBasis, CreditRule, Tier};
use crate::standing::{self, Ineligible};
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// How many months `trailing_3_months` looks at, the statement's own included.
const TRAILING_MONTHS: usize = 3;

/// What is owed for one service and month, and how that came about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credit {
    /// The percentage that the tiers give.
    pub percent: Percent,
    /// What is owed.
    pub amount: Money,
    /// The fees that the percentage is taken of; their mean is the basis.
    pub fees: Vec<(Month, Money)>,
    /// The currency, if fees are known.
    pub currency: Option<Currency>,
    /// Why nothing is owed although a tier applies.
    pub withheld: Option<Withheld>,
}

/// Why nothing is owed although a tier applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withheld {
    /// The agreement says that it is not eligible.
    NotEligible,
    /// The customer's standing at the period's end is why.
    Standing(Ineligible),
    /// No fee is known that a percentage could be taken of.
    NoFee,
}

impl Credit {
    /// The mean of the fees, cut to the minor unit.
    pub fn basis(&self) -> Option<Money> {
        let count = u64::try_from(self.fees.len()).ok()?;
        let sum: u64 = self.fees.iter().map(|(_, fee)| fee.0).sum();
        sum.checked_div(count).map(Money)
    }
}

/// The percentage that `availability` earns: of overlapping tiers the highest.
pub fn percent(tiers: &[Tier], availability: Ratio) -> Percent {
    let applies = |tier: &&Tier| {
        let above_floor = tier.from.is_none_or(|from| availability.compare(from) != Ordering::Less);
        above_floor && availability.compare(tier.below) == Ordering::Less
    };
    tiers.iter().filter(applies).map(|tier| tier.percent).max().unwrap_or(Percent::ZERO)
}

/// Draws up the credit for a month whose promise ended at `end`: with the month, or before it.
pub fn credit(agreement: &Agreement, month: Month, end: Timestamp, availability: Ratio) -> Credit {
    let Some(rule) = &agreement.policy.credits else {
        return Credit { percent: Percent::ZERO, amount: Money(0), fees: Vec::new(), currency: None, withheld: None };
    };
    let percent = percent(&rule.tiers, availability);
    let fees = fees(agreement, month, rule.basis);
    let withheld = match (agreement.eligible, standing::eligible(&agreement.standing, end, &agreement.zone)) {
        _ if percent == Percent::ZERO => None,
        (Eligible::No, _) => Some(Withheld::NotEligible),
        (Eligible::Yes, Err(why)) => Some(Withheld::Standing(why)),
        (Eligible::Yes, Ok(())) if fees.is_empty() => Some(Withheld::NoFee),
        (Eligible::Yes, Ok(())) => None,
    };
    let amount = if withheld.is_some() { Money(0) } else { amount(&fees, percent, rule) };
    Credit { percent, amount, fees, currency: agreement.fees.as_ref().map(|fees| fees.currency), withheld }
}

/// What is owed for all of an agreement's services together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Total {
    /// What the services' credits come to.
    pub of_services: Money,
    /// What is owed: no more than the fee that each of them is a share of.
    pub amount: Money,
}

impl Total {
    /// Whether less is owed than the services' credits come to.
    pub fn is_capped(self) -> bool {
        self.amount < self.of_services
    }
}

/// Adds up one agreement's credits for a month. The fee is the agreement's and each service's credit is a
/// share of it, so that all together are at most the whole of it, cut down like any credit.
pub fn total<'a>(credits: impl IntoIterator<Item = &'a Credit>, rule: &CreditRule) -> Total {
    let (mut sum, mut whole) = (0u64, Money(0));
    for credit in credits {
        sum = sum.saturating_add(credit.amount.0);
        // All are of one agreement and month, so all are shares of the same fees.
        whole = whole.max(amount(&credit.fees, Percent::HUNDRED, rule));
    }
    Total { of_services: Money(sum), amount: Money(sum).min(whole) }
}

/// The fees of the months that the basis looks at, the newest first.
fn fees(agreement: &Agreement, month: Month, basis: CreditBasis) -> Vec<(Month, Money)> {
    let months = match basis {
        CreditBasis::Month => 1,
        CreditBasis::TrailingThreeMonths => TRAILING_MONTHS,
    };
    let newest_first = core::iter::successors(Some(month), |month| Some(month.previous()));
    newest_first.take(months).filter_map(|month| Some((month, due(agreement, month)?))).collect()
}

/// The fee that was due for `month` under this version of the agreement. A fee that is written down
/// for a month was due; the default fee is due only for months in which the version was in force and
/// one of its services existed.
pub fn due(agreement: &Agreement, month: Month) -> Option<Money> {
    let fees = agreement.fees.as_ref()?;
    let until = month.interval(&agreement.zone).until();
    let existed = agreement.services.iter().any(|service| service.from.is_none_or(|from| from < until));
    let was_in_force = agreement.effective.from.is_none_or(|from| from <= month);
    fees.of(month).filter(|_| fees.months.contains_key(&month) || (existed && was_in_force))
}

/// Mean fee × percent, cut down to a multiple of `truncate_below`; at most the mean fee itself.
fn amount(fees: &[(Month, Money)], percent: Percent, rule: &CreditRule) -> Money {
    let sum: u128 = fees.iter().map(|(_, fee)| u128::from(fee.0)).sum();
    let unit = u128::from(rule.truncate_below.get());
    let months = fees.len().max(1) as u128;
    let units = sum * percent.numerator() / (months * Percent::DENOMINATOR * unit);
    Money(u64::try_from(units * unit).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(from: Option<&str>, below: &str, percent: &str) -> Tier {
        Tier {
            from: from.map(|from| from.parse().unwrap()),
            below: below.parse().unwrap(),
            percent: percent.parse().unwrap(),
        }
    }

    #[test]
    fn of_overlapping_tiers_the_highest_applies_and_a_band_between_earns_nothing() {
        let source = [
            tier(Some("99.0"), "99.7", "5"),
            tier(Some("99.0"), "99.5", "10"),
            tier(Some("95.0"), "99.0", "25"),
            tier(None, "95.0", "100"),
        ];
        let check = |downtime_ms, earned: &str| {
            let availability = Ratio { downtime_ms, total_ms: 100_000 };
            assert_eq!(percent(&source, availability), earned.parse().unwrap(), "{availability}");
        };
        check(300, "0");
        check(301, "5");
        check(500, "5");
        check(501, "10");
        check(1_000, "10");
        check(1_001, "25");
        check(5_000, "25");
        check(5_001, "100");
        check(100_000, "100");
    }

    #[test]
    fn all_services_together_are_owed_at_most_the_fee() {
        let month: Month = "2026-10".parse().unwrap();
        let rule = CreditRule { basis: CreditBasis::Month, truncate_below: 10.try_into().unwrap(), tiers: Vec::new() };
        let check = |fee: u64, percents: &[&str], of_services: u64, owed: u64| {
            let credit = |percent: &&str| {
                let (percent, fees) = (percent.parse().unwrap(), [(month, Money(fee))].to_vec());
                let amount = amount(&fees, percent, &rule);
                Credit { percent, amount, fees, currency: None, withheld: None }
            };
            let credits: Vec<Credit> = percents.iter().map(credit).collect();
            let expected = Total { of_services: Money(of_services), amount: Money(owed) };
            assert_eq!(total(&credits, &rule), expected, "{percents:?} of {fee}");
            assert_eq!(total(&credits, &rule).is_capped(), owed < of_services);
        };
        check(1_200_000, &[], 0, 0);
        check(1_200_000, &["25"], 300_000, 300_000);
        check(1_200_000, &["25", "75"], 1_200_000, 1_200_000);
        check(1_200_000, &["100", "5"], 1_260_000, 1_200_000);
        check(1_199_999, &["100", "100"], 2_399_980, 1_199_990);
    }

    #[test]
    fn the_amount_is_cut_after_the_exact_mean() {
        let month: Month = "2026-10".parse().unwrap();
        let fees = [(month, Money(1_000)), (month.previous(), Money(1_000)), (month.previous(), Money(1_199))];
        let rule = |unit: u64| CreditRule {
            basis: CreditBasis::TrailingThreeMonths,
            truncate_below: unit.try_into().unwrap(),
            tiers: Vec::new(),
        };
        assert_eq!(amount(&fees, "10".parse().unwrap(), &rule(1)), Money(106));
        assert_eq!(amount(&fees, "10".parse().unwrap(), &rule(10)), Money(100));
        assert_eq!(amount(&fees, Percent::HUNDRED, &rule(10)), Money(1_060));
    }
}
