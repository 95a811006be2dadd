//! An agent's side of the delivery made by hand, for requests that no agent would send.

use reqwest::{Client, StatusCode};
use rules::block::{Block, Builder};
use rules::delivery::{AGENT_HEADER, BLOCKS_PATH, REGISTER_PATH, add_to_body};
use rules::outcome::Outcome;
use rules::result::{Pace, ProbeResult};
use rules::time::Timestamp;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// Somebody with a token who says to be an agent.
#[derive(Clone, Debug)]
pub struct Courier {
    client: Client,
    to: SocketAddr,
    agent: String,
    token: String,
}

impl Courier {
    /// One who goes to this address.
    pub fn new(to: SocketAddr, agent: &str, token: &str) -> Courier {
        let client = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
        Courier { client, to, agent: agent.to_owned(), token: token.to_owned() }
    }

    /// Posts a body and gives status and answer.
    pub async fn post(&self, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let request = self.client.post(format!("http://{}{path}", self.to)).bearer_auth(&self.token);
        let answer = request.header(AGENT_HEADER, &self.agent).body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Asks for a lane.
    pub async fn register(&self) -> (StatusCode, Value) {
        let body = json!({ "agent": self.agent, "first_seq": 1 }).to_string();
        self.post(REGISTER_PATH, body.into_bytes()).await
    }

    /// Posts blocks as their bytes.
    pub async fn send(&self, incarnation: u64, first_seq: u64, blocks: &[Vec<u8>]) -> (StatusCode, Value) {
        let mut body = Vec::new();
        blocks.iter().for_each(|block| add_to_body(&mut body, block));
        self.post(&format!("{BLOCKS_PATH}?incarnation={incarnation}&first_seq={first_seq}"), body).await
    }

    /// A block of this agent's with these results of one check.
    pub fn block(&self, seq: u64, series: (&str, &str), results: &[(Timestamp, Outcome)]) -> Block {
        let mut builder = Builder::default();
        let pace = Pace { every: Duration::from_secs(1), timeout: Duration::from_secs(1) };
        for &(at, outcome) in results {
            let result = ProbeResult::of_slot(at, outcome, Duration::from_millis(5));
            builder.push(series.0.parse().unwrap(), series.1.parse().unwrap(), pace, result);
        }
        builder.build(self.agent.parse().unwrap(), seq)
    }
}
