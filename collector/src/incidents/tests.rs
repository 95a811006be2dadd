//! Incidents of outages on real ledgers, with one collector and with two.

use super::*;
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::notify::tests::stand::{Stand, hours, seconds};
use crate::outages::OpenOutage;
use rules::incident::{Event, Incident, Stage};
use rules::outcome::CauseSet;
use rules::record::Fact;
use rules::time::Timestamp;

facts! {
    an_outage_opens_one_incident_for_all_collectors_however_its_beginning_moves
    a_collector_that_starts_in_the_middle_finds_the_incident
    the_end_of_an_outage_is_noted_and_the_next_outage_is_another_incident
    an_outage_of_which_nobody_knows_any_more_is_not_over
    a_clock_that_runs_out_is_noted_once
    of_two_people_who_acknowledge_at_once_the_second_is_told_so
}

fn minutes(count: i64) -> Timestamp {
    let began: Timestamp = crate::notify::tests::stand::BEGAN.parse().unwrap();
    Timestamp::from_millis(began.as_millis() + count * 60_000)
}

/// Shows the service with an outage since `began_at`.
fn down(stand: &Stand, began_at: Timestamp) {
    let outage = Some(OpenOutage { began_at, causes: CauseSet::from_iter([rules::outcome::Cause::Timeout]) });
    let state = ServiceState::Down;
    let since = Some(began_at);
    stand.facts.outages.set(ServiceNow { state, since, outage, ..unheard(stand) });
}

fn up(stand: &Stand, since: Timestamp) {
    stand.facts.outages.set(ServiceNow { state: ServiceState::Up, since: Some(since), ..unheard(stand) });
}

fn unheard(stand: &Stand) -> ServiceNow {
    let agreement = stand.agreement();
    ServiceNow::unheard(&agreement.id, &agreement.services[0].id)
}

async fn stand(place: &Place) -> Stand {
    Stand::new(place, "{ channel: hook, webhook: { url: 'http://127.0.0.1:9/' } }").await
}

async fn look(stand: &Stand) {
    Incidents::new(&stand.facts).look().await;
}

async fn recorded(stand: &Stand) -> Vec<Incident> {
    stand.facts.record.follow().await.unwrap();
    rules::incident::incidents(stand.facts.record.entries(&stand.agreement().id).iter())
}

async fn an_outage_opens_one_incident_for_all_collectors_however_its_beginning_moves(place: &Place) {
    let (one, other) = (stand(place).await, stand(place).await);
    // The second has heard an agent that the first has not.
    down(&one, minutes(-6));
    down(&other, minutes(-8));
    tokio::join!(look(&one), look(&other));
    for began in [-9, -5, -7] {
        down(&one, minutes(began));
        tokio::join!(look(&other), look(&one));
    }
    let found = recorded(&one).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity.as_str(), found[0].stage()), ("P1", Stage::Open));
    assert_eq!(found[0].opening.title, "apm 장애: 시간 초과");
    assert_eq!(one.ledger.outbox().await.unwrap().waiting, 1);
}

async fn a_collector_that_starts_in_the_middle_finds_the_incident(place: &Place) {
    let first = stand(place).await;
    down(&first, minutes(-6));
    look(&first).await;
    drop(first);
    let next = stand(place).await;
    down(&next, minutes(-6));
    look(&next).await;
    assert_eq!(recorded(&next).await.len(), 1);
}

async fn the_end_of_an_outage_is_noted_and_the_next_outage_is_another_incident(place: &Place) {
    let stand = stand(place).await;
    let mut incidents = Incidents::new(&stand.facts);
    down(&stand, minutes(-20));
    incidents.look().await;
    up(&stand, minutes(-10));
    for _ in 0..3 {
        incidents.look().await;
    }
    let found = recorded(&stand).await;
    assert_eq!((found[0].outage_ended_at(), found[0].stage()), (Some(minutes(-10)), Stage::Open));
    down(&stand, minutes(-7));
    incidents.look().await;
    let found = recorded(&stand).await;
    assert_eq!(found.iter().map(|incident| incident.outage_ended_at()).collect::<Vec<_>>(), [Some(minutes(-10)), None]);
    // What had ended goes on after all: late evidence joined the two.
    down(&stand, minutes(-20));
    incidents.look().await;
    assert_eq!(recorded(&stand).await.len(), 2);
}

async fn an_outage_of_which_nobody_knows_any_more_is_not_over(place: &Place) {
    let stand = stand(place).await;
    down(&stand, minutes(-6));
    look(&stand).await;
    stand.facts.outages.set(unheard(&stand));
    look(&stand).await;
    assert_eq!(recorded(&stand).await[0].outage_ended_at(), None);
}

async fn a_clock_that_runs_out_is_noted_once(place: &Place) {
    let (one, other) = (stand(place).await, stand(place).await);
    let mut both = [Incidents::new(&one.facts), Incidents::new(&other.facts)];
    // The clocks start at minute -1, when the outage opened.
    down(&one, minutes(-6));
    down(&other, minutes(-6));
    let missed = async |stand: &Stand| -> Vec<(&'static str, Timestamp)> {
        let found = recorded(stand).await;
        let clock = |event: &Event| {
            if let Event::Missed { clock, due_at } = event { Some((clock.as_str(), *due_at)) } else { None }
        };
        found[0].events.iter().filter_map(|stamped| clock(&stamped.event)).collect()
    };
    for wait in [seconds(0), seconds(240), seconds(1), seconds(0), hours(1), hours(1)] {
        one.hand.advance(wait);
        other.hand.advance(wait);
        let [first, second] = &mut both;
        tokio::join!(first.look(), second.look());
        one.facts.record.follow().await.unwrap();
        other.facts.record.follow().await.unwrap();
    }
    assert_eq!(missed(&one).await, [("first_notice", minutes(4)), ("acknowledge", minutes(14))]);
    let notes = one.facts.record.entries(&one.agreement().id);
    let noted = notes.iter().find(|entry| matches!(&entry.fact, Fact::Incident { event: Event::Missed { .. }, .. }));
    assert_eq!(noted.unwrap().recorded_at, minutes(4).plus(seconds(1)));
}

async fn of_two_people_who_acknowledge_at_once_the_second_is_told_so(place: &Place) {
    let (one, other) = (stand(place).await, stand(place).await);
    one.opens().await;
    other.facts.record.follow().await.unwrap();
    let (a, b) = tokio::join!(one.try_happens(1, Event::Acknowledged), other.try_happens(1, Event::Acknowledged));
    let refused = [a, b].into_iter().filter_map(Result::err).map(|error| error.to_string()).collect::<Vec<_>>();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("it has been acknowledged already, at 2026-10-01T00:00:00Z by `kim`"), "{refused:?}");
}
