//! What of the evidence is whose: an agreement's services over all its versions.

use super::manifest::SealedFile;
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

    /// Whether all of a file's results are the agreement's, also if no configuration promised their
    /// services when they were sealed. A file that others' results lie in as well is not.
    pub(super) fn has(&self, file: &SealedFile) -> bool {
        match &file.agreement {
            Some(agreement) => *agreement == self.agreement,
            None => !file.services.is_empty() && file.services.iter().all(|service| self.services.contains(service)),
        }
    }
}
