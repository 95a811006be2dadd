//! What a viewer would see but for the standing of its agreement's customer: screens that are stopped.
//!
//! Whoever works on an agreement sees on; the agents' side of it is in `ingest/checks.rs`.

use super::super::moments;
use super::{Actor, AppState, Problem};
use config::collector::users::{Role, User};
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::standing::{Granted, Standing, access};
use rules::time::Timestamp;

/// An agreement whose screens are stopped.
#[derive(Clone, Debug)]
pub(super) struct Stopped {
    agreement: AgreementId,
    /// Since when, in the agreement's zone.
    since: String,
    why: &'static str,
}

impl Stopped {
    fn of(agreement: &Agreement, now: Timestamp) -> Option<Stopped> {
        let Granted::Stopped(since) = access(&agreement.standing, &agreement.policy.standing, now).screens else {
            return None;
        };
        let standing = agreement.standing.iter().rev().find(|change| change.from <= now)?.standing;
        let why = match standing {
            Standing::Trial => "the trial is over",
            Standing::Overdue => "fees are overdue",
            Standing::Terminated => "the agreement has ended",
            Standing::Paid => "its standing says so",
        };
        Some(Stopped { agreement: agreement.id.clone(), since: moments::shown(since, &agreement.zone), why })
    }

    fn problem(&self) -> Problem {
        let Stopped { agreement, since, why } = self;
        Problem::ScreensStopped { agreement: agreement.to_string(), since: since.clone(), why }
    }
}

impl Actor {
    /// A user, with what is stopped for it now.
    pub(super) fn known(app: &AppState, user: User, form_token: String) -> Actor {
        let (promised, now) = (app.promised(), app.clock.wall());
        // The version in force, or else the last there was.
        let version = |id: &AgreementId| {
            let versions = || promised.agreements.iter().filter(|version| version.id == *id);
            versions().find(|version| version.is_in_force_at(now)).or_else(|| versions().next_back())
        };
        let own = user.agreements.iter().flatten();
        let stopped = match user.role {
            Role::Viewer => own.filter_map(|id| Stopped::of(version(id)?, now)).collect(),
            Role::Operator | Role::Admin => Vec::new(),
        };
        Actor { user: Some(user), form_token, stopped }
    }

    /// Objects to showing an agreement that this actor doesn't see, or whose screens are stopped.
    pub(super) fn is_shown(&self, agreement: &AgreementId) -> Result<(), Problem> {
        if !self.sees(agreement) {
            return Err(Problem::NotFound { what: "agreement", name: agreement.to_string() });
        }
        let stopped = self.stopped.iter().find(|stopped| stopped.agreement == *agreement);
        stopped.map_or(Ok(()), |stopped| Err(stopped.problem()))
    }

    /// What lists of this actor's leave out, and why.
    pub(in super::super) fn notes(&self) -> Vec<String> {
        self.stopped.iter().map(|stopped| stopped.problem().to_string()).collect()
    }
}
