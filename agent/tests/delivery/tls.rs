//! Over TLS: who is trusted, who is let in, and that nothing is lost while either is not so.

use crate::agents::{AGENT, Agent, at, backlog};
use crate::certificates::Certificates;
use crate::collecting::{Collecting, Serving, TOKEN};
use crate::collecting_now;
use config::agent::{Uplink, UplinkTls};
use config::secret::Secret;
use tempfile::TempDir;

/// A collector with the certificate of `certificates`, and its address by name.
fn serve(collecting: &Collecting, certificates: &Certificates) -> (String, Serving) {
    let (address, serving) = collecting.serve("127.0.0.1:0", Some(certificates.server()));
    (format!("https://localhost:{}", address.port()), serving)
}

fn uplink(url: &str, tls: UplinkTls) -> Uplink {
    Uplink { url: url.to_owned(), token: None, tls }
}

#[tokio::test]
async fn a_client_certificate_alone_shows_who_the_agent_is() {
    let (certificates, (collecting, time)) = (Certificates::of_agent(AGENT), collecting_now());
    let (url, _serving) = serve(&collecting, &certificates);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &uplink(&url, certificates.agent()), time).await;
    agent.record(1).await;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1)]);
    assert!(agent.uplink.state().connected);
}

#[tokio::test]
async fn a_token_over_tls_is_as_good() {
    let (certificates, (collecting, time)) = (Certificates::of_agent(AGENT), collecting_now());
    let (url, _serving) = serve(&collecting, &certificates);
    let dir = TempDir::new().unwrap();
    let by_token = Uplink { token: Some(Secret::new(TOKEN)), ..uplink(&url, certificates.anonymous()) };
    let agent = Agent::start(dir.path(), &by_token, time).await;
    agent.record(1).await;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1)]);
}

#[tokio::test]
async fn a_collector_of_another_authority_is_sent_nothing_and_the_results_wait_for_the_right_one() {
    let (ours, theirs) = (Certificates::of_agent(AGENT), Certificates::of_agent(AGENT));
    let (collecting, time) = collecting_now();
    let (url, _serving) = serve(&collecting, &theirs);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &uplink(&url, ours.agent()), time.clone()).await;
    agent.record(1).await;
    agent.fails_with("certificate").await;
    agent.until(|agent| agent.taken() == 1).await;
    assert!(collecting.ledger().lanes.is_empty(), "not even a name was sent");
    assert_eq!(agent.handle.depth().results, 1);
    agent.stop().await;
    let agent = Agent::start(dir.path(), &uplink(&url, theirs.agent()), time).await;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1)]);
}

#[tokio::test]
async fn an_agent_that_shows_nothing_is_refused_and_delivers_once_it_shows_who_it_is() {
    let (certificates, (collecting, time)) = (Certificates::of_agent(AGENT), collecting_now());
    let (url, _serving) = serve(&collecting, &certificates);
    let dir = TempDir::new().unwrap();
    backlog(dir.path(), &time.0, 1..3).await;
    let agent = Agent::start(dir.path(), &uplink(&url, certificates.anonymous()), time.clone()).await;
    agent.fails_with("401").await;
    assert_eq!((agent.handle.depth().results, collecting.results().len()), (2, 0));
    agent.stop().await;
    let agent = Agent::start(dir.path(), &uplink(&url, certificates.agent()), time).await;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1), at(2)]);
}
