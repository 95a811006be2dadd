//! Which probes of a check leave a note with their result.
//!
//! A note that says what the last one said is left out for an hour: a target that fails the same
//! way a thousand times is told of once. Nothing here is sent or kept beyond the process.

use rules::check::Check;
use rules::evidence::Evidence;
use rules::judge::complaint;
use rules::note::Note;
use rules::outcome::OutcomeKind;
use rules::result::ProbeResult;
use rules::time::Timestamp;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A note is repeated after this long, so that no stretch of evidence is without one for longer.
const REPEATED_AFTER: Duration = Duration::from_secs(3600);

/// What was noted last of one check.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    complaint: Option<(Timestamp, Note)>,
    /// The fingerprint of the certificate that was shown last by an answer that was up.
    certificate: Option<[u8; 32]>,
}

impl Notes {
    /// What is to be kept with `result`: of one that was not up what was wrong, of one that was up
    /// the certificate if it is not the one that was shown before.
    pub(crate) fn take(&self, check: &Check, evidence: &Evidence, result: &ProbeResult) -> Option<Note> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if result.outcome.kind() == OutcomeKind::Up {
            last.complaint = None;
            let shown = evidence.tls.as_ref()?.certificate.as_ref()?.sha256;
            let is_new = last.certificate.replace(shown) != Some(shown);
            return is_new.then(|| Note::of_certificate(evidence)).flatten();
        }
        let wrong = complaint(evidence, &check.target, check.timeout)?;
        let note = Note::of_complaint(&wrong, evidence)?;
        let is_known =
            last.complaint.as_ref().is_some_and(|(at, known)| *known == note && result.at.since(*at) < REPEATED_AFTER);
        if is_known {
            return None;
        }
        last.complaint = Some((result.at, note.clone()));
        Some(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::check::{Counts, Target, Vantages};
    use rules::evidence::{Failure, Fault, Said};
    use rules::outcome::{Cause, Outcome};

    #[test]
    fn what_stays_wrong_is_told_once_an_hour_and_again_after_a_success() {
        let check = Check {
            id: "port".parse().unwrap(),
            target: Target::parse("tcp:127.0.0.1:1").unwrap(),
            every: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            reprobe: None,
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        };
        let notes = Notes::default();
        let said = |minute: i64, detail: Option<&str>| -> Option<String> {
            let failure =
                detail.map(|detail| Failure { fault: Fault::Refused, phase: None, detail: Said::new(detail) });
            let outcome = if failure.is_some() { Outcome::Down(Cause::Refused) } else { Outcome::Up };
            let evidence = Evidence { failure, ..Evidence::default() };
            let result = ProbeResult::of_slot(Timestamp::from_millis(minute * 60_000), outcome, Duration::ZERO);
            notes.take(&check, &evidence, &result).map(|note| note.as_str().to_owned())
        };
        assert_eq!(said(0, Some("no")), Some("no".to_owned()));
        assert_eq!(said(1, Some("no")), None);
        assert_eq!(said(2, Some("never")), Some("never".to_owned()));
        assert_eq!(said(61, Some("never")), None);
        assert_eq!(said(62, Some("never")), Some("never".to_owned()));
        assert_eq!(said(63, None), None);
        assert_eq!(said(64, Some("never")), Some("never".to_owned()));
    }
}
