//! Asking a running collector what it knows, by its API and its metrics.

use crate::patience::eventually;
use reqwest::{Certificate, Client};
use serde_json::Value;
use std::net::SocketAddr;

/// The web side of a collector; cheap to make.
#[derive(Clone, Debug)]
pub struct Console {
    client: Client,
    base: String,
}

impl Console {
    /// The console at this address.
    pub fn at(web: SocketAddr) -> Console {
        Console { client: Client::builder().no_proxy().build().unwrap(), base: format!("http://{web}") }
    }

    /// The console at this address behind TLS, with a certificate of the authority in this PEM.
    pub fn secured(web: SocketAddr, authority: &str) -> Console {
        let trusted = Certificate::from_pem(authority.as_bytes()).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
        Console { client, base: format!("https://{web}") }
    }

    /// What is at this path, with its status.
    pub async fn ask(&self, path: &str) -> Result<(u16, String), String> {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await;
        let answer = answer.map_err(|error| format!("{path}: {error:?}"))?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(|error| format!("{path}: {error:?}"))?))
    }

    /// What is at this path, which must be there.
    pub async fn page(&self, path: &str) -> String {
        let (status, text) = self.ask(path).await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        text
    }

    /// The JSON at this path.
    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).unwrap()
    }

    /// A month of an agreement, as of now.
    pub async fn statement(&self, agreement: &str, period: &str) -> Value {
        self.json(&format!("/api/v1/agreements/{agreement}/statements/{period}")).await
    }

    /// The down stretches of a service that are outages, latest first.
    pub async fn outages(&self, service: &str) -> Vec<Value> {
        let all = self.json(&format!("/api/v1/services/{service}/outages")).await;
        let all = all["outages"].as_array().unwrap().clone();
        all.into_iter().filter(|stretch| stretch["kind"] == "outage").collect()
    }

    /// How many blocks of an agent are committed.
    pub async fn blocks(&self, agent: &str) -> u64 {
        let agents = self.json("/api/v1/agents").await;
        let row = agents["agents"].as_array().unwrap().iter().find(|row| row["agent"] == agent).cloned();
        row.map_or(0, |row| row["blocks_committed"].as_u64().unwrap())
    }

    /// Waits until the service is in this state: `up`, `down`, `outage` or `unknown`.
    pub async fn shows(&self, service: &str, state: &str) -> Value {
        eventually(&format!("service {service} is shown as {state}"), async || {
            let (status, text) = self.ask(&format!("/api/v1/services/{service}")).await?;
            let shown: Value = serde_json::from_str(&text).map_err(|error| format!("{status}: {error}: {text}"))?;
            if shown["state"] == state { Ok(shown) } else { Err(text) }
        })
        .await
    }

    /// Waits until the newest committed result of each of these series' agents has this outcome.
    pub async fn hears(&self, service: &str, agents: &[&str], outcome: &str) {
        eventually(&format!("{agents:?} say {outcome} of {service}"), async || {
            let (_, text) = self.ask(&format!("/api/v1/services/{service}")).await?;
            let shown: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
            let series = shown["series"].as_array().ok_or_else(|| text.clone())?;
            let says = |agent: &&str| series.iter().any(|one| one["agent"] == **agent && one["outcome"] == outcome);
            if agents.iter().all(says) { Ok(()) } else { Err(text) }
        })
        .await;
    }
}
