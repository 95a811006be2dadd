//! The version of the agreement that is in force, and every exclusion that it knows of.

use super::NotTerms;
use super::written::{Text, Word, Worded, words};
use crate::render::json::service::exclusions::{BarView, bar_view};
use crate::render::json::text::bounded;
use rules::agreement::{Agreement, Effective, Eligible, Fees, Language, Service};
use rules::decimal::{Currency, Money, Percent};
use rules::exclusion::{Bar, Class, Exclusion};
use rules::id::{AgreementId, ServiceId};
use rules::interval::Interval;
use rules::period::{Month, Zone};
use rules::policy::Policy;
use rules::retainer::{ManMonths, Retainer};
use rules::standing::{Change, Standing};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

words!(Language { English = "en", Korean = "ko" });
words!(Standing { Trial = "trial", Paid = "paid", Overdue = "overdue", Terminated = "terminated" });

impl Worded for Class {
    fn word(self) -> &'static str {
        self.as_str()
    }

    fn from_word(word: &str) -> Option<Class> {
        Class::from_word(word)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgreementView {
    agreement: Text<AgreementId>,
    customer: String,
    zone: String,
    language: Word<Language>,
    eligible: bool,
    effective: EffectiveView,
    fees: Option<FeesView>,
    standing: Vec<ChangeView>,
    retainer: Option<RetainerView>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EffectiveView {
    from: Option<Text<Month>>,
    until: Option<Text<Month>>,
}

/// Amounts are minor units.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeesView {
    currency: CurrencyView,
    default: Option<u64>,
    months: Vec<FeeView>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeeView {
    period: Text<Month>,
    amount: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeView {
    standing: Word<Standing>,
    from: Text<Timestamp>,
}

/// Amounts are hundredths of a man-month.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetainerView {
    from: Text<Month>,
    a_year: u64,
    carried: u64,
    incident_at_least: u64,
    carry_at_most: Text<Percent>,
}

/// A currency by its code.
struct CurrencyView(Currency);

impl Serialize for CurrencyView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

impl<'de> Deserialize<'de> for CurrencyView {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<CurrencyView, D::Error> {
        Text::<Currency>::deserialize(deserializer).map(|text| CurrencyView(text.0))
    }
}

impl AgreementView {
    pub(super) fn of(agreement: &Agreement) -> AgreementView {
        let Agreement { id, customer, zone, policy: _, effective, standing, retainer, .. } = agreement;
        let Agreement { language, eligible, fees, services: _, exclusions: _, .. } = agreement;
        let change = |Change { from, standing }: &Change| ChangeView { standing: Word(*standing), from: Text(*from) };
        AgreementView {
            agreement: Text(id.clone()),
            customer: bounded(customer),
            zone: zone.name().to_owned(),
            language: Word(*language),
            eligible: *eligible == Eligible::Yes,
            effective: EffectiveView { from: effective.from.map(Text), until: effective.until.map(Text) },
            fees: fees.as_ref().map(FeesView::of),
            standing: standing.iter().map(change).collect(),
            retainer: retainer.as_ref().map(RetainerView::of),
        }
    }

    pub(super) fn agreement(
        self,
        policy: Arc<Policy>,
        services: Vec<Service>,
        exclusions: Vec<Exclusion>,
    ) -> Result<Agreement, NotTerms> {
        let zone: Zone = self.zone.parse().map_err(|_| NotTerms::Zone(self.zone.clone()))?;
        Ok(Agreement {
            id: self.agreement.0,
            customer: self.customer,
            zone,
            policy,
            effective: Effective {
                from: self.effective.from.map(|month| month.0),
                until: self.effective.until.map(|month| month.0),
            },
            standing: self
                .standing
                .into_iter()
                .map(|change| Change { from: change.from.0, standing: change.standing.0 })
                .collect(),
            retainer: self.retainer.map(RetainerView::retainer),
            language: self.language.0,
            eligible: if self.eligible { Eligible::Yes } else { Eligible::No },
            fees: self.fees.map(FeesView::fees),
            services,
            exclusions,
        })
    }
}

impl FeesView {
    fn of(fees: &Fees) -> FeesView {
        let Fees { currency, default, months } = fees;
        let fee = |(month, fee): (&Month, &Money)| FeeView { period: Text(*month), amount: fee.0 };
        FeesView {
            currency: CurrencyView(*currency),
            default: default.map(|fee| fee.0),
            months: months.iter().map(fee).collect(),
        }
    }

    fn fees(self) -> Fees {
        Fees {
            currency: self.currency.0,
            default: self.default.map(Money),
            months: self.months.into_iter().map(|fee| (fee.period.0, Money(fee.amount))).collect(),
        }
    }
}

impl RetainerView {
    fn of(retainer: &Retainer) -> RetainerView {
        let Retainer { from, a_year, carried, incident_at_least, carry_at_most } = retainer;
        RetainerView {
            from: Text(*from),
            a_year: a_year.0,
            carried: carried.0,
            incident_at_least: incident_at_least.0,
            carry_at_most: Text(*carry_at_most),
        }
    }

    fn retainer(self) -> Retainer {
        Retainer {
            from: self.from.0,
            a_year: ManMonths(self.a_year),
            carried: ManMonths(self.carried),
            incident_at_least: ManMonths(self.incident_at_least),
            carry_at_most: self.carry_at_most.0,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExclusionTerms {
    /// Null: all services of the agreement.
    services: Option<Vec<Text<ServiceId>>>,
    from: Text<Timestamp>,
    until: Text<Timestamp>,
    class: Word<Class>,
    reason: String,
    told_at: Option<Text<Timestamp>>,
    recorded_by: Option<String>,
    recorded_at: Option<Text<Timestamp>>,
    entry: Option<u64>,
    approved_by: Option<String>,
    bar: Option<BarView>,
}

impl ExclusionTerms {
    pub(super) fn of(exclusion: &Exclusion) -> ExclusionTerms {
        let Exclusion { services, interval, class, reason, told_at, .. } = exclusion;
        let Exclusion { recorded_by, recorded_at, entry, approved_by, bar, .. } = exclusion;
        let named = |services: &std::collections::BTreeSet<ServiceId>| services.iter().cloned().map(Text).collect();
        ExclusionTerms {
            services: services.as_ref().map(named),
            from: Text(interval.from()),
            until: Text(interval.until()),
            class: Word(*class),
            reason: bounded(reason),
            told_at: told_at.map(Text),
            recorded_by: recorded_by.as_deref().map(bounded),
            recorded_at: recorded_at.map(Text),
            entry: *entry,
            approved_by: approved_by.as_deref().map(bounded),
            bar: bar.as_ref().map(bar_view),
        }
    }

    pub(super) fn exclusion(self) -> Result<Exclusion, NotTerms> {
        let (from, until) = (self.from.0, self.until.0);
        let interval = Interval::new(from, until)
            .ok_or_else(|| NotTerms::Stretch { from: from.to_string(), until: until.to_string() })?;
        Ok(Exclusion {
            services: self.services.map(|services| services.into_iter().map(|service| service.0).collect()),
            interval,
            class: self.class.0,
            reason: self.reason,
            told_at: self.told_at.map(|at| at.0),
            recorded_by: self.recorded_by,
            recorded_at: self.recorded_at.map(|at| at.0),
            entry: self.entry,
            approved_by: self.approved_by,
            bar: self.bar.map(bar),
        })
    }
}

fn bar(view: BarView) -> Bar {
    match view {
        BarView::NotApproved {} => Bar::NotApproved,
        BarView::Refused { by, reason } => Bar::Refused { by, reason },
        BarView::Superseded { by_entry } => Bar::Superseded { by: by_entry },
        BarView::Withdrawn { by_entry } => Bar::Withdrawn { by: by_entry },
    }
}
