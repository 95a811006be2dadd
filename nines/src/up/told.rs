//! A line on stdout whenever something changes state.

use collector::outages::{Event, Outages, Transition};
use std::io::Write;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Tells transitions until `end`.
pub(super) async fn tell(outages: Outages, end: CancellationToken) {
    let mut transitions = outages.transitions();
    loop {
        let told = tokio::select! {
            () = end.cancelled() => return,
            transition = transitions.recv() => transition,
        };
        let line = match told {
            Ok(transition) => line(&transition),
            Err(RecvError::Lagged(missed)) => format!("{missed} changes came faster than they could be printed"),
            Err(RecvError::Closed) => return,
        };
        // A closed stdout ends the telling and nothing else.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

fn line(transition: &Transition) -> String {
    let Transition { service, event, at, causes, .. } = transition;
    let what = match event {
        Event::Up => "up",
        Event::Down => "down",
        Event::Unknown => "unknown: nobody can say",
        Event::OutageOpened => "OUTAGE: down for five minutes",
        Event::OutageEnded => "outage ended",
    };
    let at = at.map_or_else(String::new, |at| format!("{at}"));
    let causes: Vec<&str> = causes.iter().map(rules::outcome::Cause::as_str).collect();
    let why = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join(", ")) };
    format!("{at:24}  {service}  {what}{why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::outcome::Cause;

    #[test]
    fn a_line_says_when_which_what_and_why() {
        let transition = Transition {
            agreement: "local".parse().unwrap(),
            service: "shop".parse().unwrap(),
            event: Event::Down,
            at: Some("2026-11-22T00:00:01.5Z".parse().unwrap()),
            causes: [Cause::Refused, Cause::Timeout].into_iter().collect(),
        };
        assert_eq!(line(&transition), "2026-11-22T00:00:01.500Z  shop  down (refused, timeout)");
    }
}
