//! What of the evidence is whose: an agreement's services over all its versions.

use rules::agreement::Agreement;
use rules::id::{AgreementId, ServiceId};
use std::collections::BTreeSet;

/// An agreement and every service that any of its versions promised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Belongings {
    /// The agreement.
    pub agreement: AgreementId,
    /// Its services.
    pub services: BTreeSet<ServiceId>,
}

impl Belongings {
    /// What belongs to `id`, as `agreements` have it.
    pub fn of(agreements: &[Agreement], id: &AgreementId) -> Belongings {
        let versions = agreements.iter().filter(|version| version.id == *id);
        let services = versions.flat_map(|version| version.services.iter().map(|service| service.id.clone()));
        Belongings { agreement: id.clone(), services: services.collect() }
    }
}
