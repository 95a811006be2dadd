//! The JSON of the wire, as drawn in [`rules::delivery`].

use rules::delivery::Incarnation;
use rules::delivery::sender::Answer;
use rules::id::AgentId;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Register<'a> {
    agent: &'a str,
    first_seq: u64,
}

#[derive(Deserialize)]
struct Registered {
    incarnation: u64,
    next_seq: u64,
    now: Option<String>,
}

#[derive(Deserialize)]
struct Committed {
    next_seq: u64,
    #[serde(default)]
    refused: Vec<Refused>,
    now: Option<String>,
}

#[derive(Deserialize)]
struct Time {
    now: String,
}

/// A block that the collector will never take.
#[derive(Deserialize, Debug)]
pub(super) struct Refused {
    pub(super) seq: u64,
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct Refusal {
    expected: Option<u64>,
    #[serde(default)]
    unknown_incarnation: bool,
    conflict: Option<u64>,
}

/// What a 200 says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) answer: Answer,
    pub(super) refused: Vec<Refused>,
    pub(super) now: Option<String>,
}

pub(super) fn register(agent: &AgentId, first_seq: u64) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Register { agent: agent.as_str(), first_seq })
}

pub(super) fn registered(body: &[u8]) -> Result<Said, serde_json::Error> {
    let Registered { incarnation, next_seq, now } = serde_json::from_slice(body)?;
    let answer = Answer::Registered { incarnation: Incarnation(incarnation), next_seq };
    Ok(Said { answer, refused: Vec::new(), now })
}

pub(super) fn committed(body: &[u8]) -> Result<Said, serde_json::Error> {
    let Committed { next_seq, refused, now } = serde_json::from_slice(body)?;
    Ok(Said { answer: Answer::Committed { next_seq }, refused, now })
}

/// The answer to a question for nothing but the time.
pub(super) fn time(body: &[u8]) -> Result<Said, serde_json::Error> {
    let Time { now } = serde_json::from_slice(body)?;
    Ok(Said { answer: Answer::Nothing, refused: Vec::new(), now: Some(now) })
}

/// What a 409 says; none of the three: nothing that helps.
pub(super) fn refusal(body: &[u8]) -> Result<Answer, serde_json::Error> {
    let refusal: Refusal = serde_json::from_slice(body)?;
    Ok(match refusal {
        Refusal { conflict: Some(seq), .. } => Answer::Conflict { seq },
        Refusal { unknown_incarnation: true, .. } => Answer::UnknownIncarnation,
        Refusal { expected: Some(expected), .. } => Answer::Gap { expected },
        Refusal { .. } => Answer::Nothing,
    })
}
