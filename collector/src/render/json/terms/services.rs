//! What was promised, who looked at it and how.

use super::NotTerms;
use super::written::{Length, Text};
use crate::render::json::text::bounded;
use rules::agreement::Service;
use rules::check::target::TargetError;
use rules::check::{
    Check, Counts, DependsOn, DnsTarget, ExecTarget, FlowTarget, GRACE_DEFAULT, GrpcTarget, HeartbeatTarget,
    HttpOptions, HttpTarget, IcmpTarget, JobSchedule, PageTarget, Permission, PromqlTarget, Target, TcpTarget,
    TlsTarget, UnixTarget, Vantages, Warning, WsTarget,
};
use rules::id::{AgentId, CheckId, ObjectiveId, ServiceId};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceTerms {
    service: Text<ServiceId>,
    from: Option<Text<Timestamp>>,
    until: Option<Text<Timestamp>>,
    /// Null: every agent.
    agents: Option<Vec<Text<AgentId>>>,
    checks: Vec<CheckTerms>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckTerms {
    check: Text<CheckId>,
    kind: String,
    target: String,
    every: Length,
    timeout: Length,
    counts: bool,
    objective: Option<Text<ObjectiveId>>,
    /// Null: every agent that its service allows.
    agents: Option<Vec<Text<AgentId>>>,
}

impl ServiceTerms {
    pub(super) fn of(service: &Service) -> ServiceTerms {
        let Service { id, from, until, agents, checks } = service;
        ServiceTerms {
            service: Text(id.clone()),
            from: from.map(Text),
            until: until.map(Text),
            agents: named(agents),
            checks: checks.iter().map(CheckTerms::of).collect(),
        }
    }

    pub(super) fn service(self) -> Result<Service, NotTerms> {
        Ok(Service {
            id: self.service.0,
            from: self.from.map(|at| at.0),
            until: self.until.map(|at| at.0),
            agents: vantages(self.agents),
            checks: self.checks.into_iter().map(CheckTerms::check).collect::<Result<_, _>>()?,
        })
    }
}

impl CheckTerms {
    /// How a check looks again while it fails is left out: extra results are evidence without weight.
    fn of(check: &Check) -> CheckTerms {
        let Check { id, target, every, timeout, reprobe: _, counts, objective, agents } = check;
        CheckTerms {
            check: Text(id.clone()),
            kind: target.kind().to_owned(),
            target: shown(target),
            every: Length(*every),
            timeout: Length(*timeout),
            counts: *counts == Counts::Yes,
            objective: objective.clone().map(Text),
            agents: named(agents),
        }
    }

    fn check(self) -> Result<Check, NotTerms> {
        Ok(Check {
            id: self.check.0,
            target: target(&self.kind, self.target, self.every.0)?,
            every: self.every.0,
            timeout: self.timeout.0,
            reprobe: None,
            counts: if self.counts { Counts::Yes } else { Counts::No },
            objective: self.objective.map(|objective| objective.0),
            agents: vantages(self.agents),
        })
    }
}

fn named(vantages: &Vantages) -> Option<Vec<Text<AgentId>>> {
    match vantages {
        Vantages::All => None,
        Vantages::Only(agents) => Some(agents.iter().cloned().map(Text).collect()),
    }
}

fn vantages(named: Option<Vec<Text<AgentId>>>) -> Vantages {
    named.map_or(Vantages::All, |agents| Vantages::Only(agents.into_iter().map(|agent| agent.0).collect()))
}

/// A target as a customer may read it: a URL's query may hold a token, so only that there is one is
/// shown.
fn shown(target: &Target) -> String {
    let address = target.address();
    match target {
        Target::Http(_) | Target::Page(_) | Target::Ws(_) => {
            let (plain, rest) = address.split_at(address.find(['?', '#']).unwrap_or(address.len()));
            bounded(&if rest.is_empty() { plain.to_owned() } else { format!("{plain}?…") })
        }
        Target::Tcp(_)
        | Target::Tls(_)
        | Target::Dns(_)
        | Target::Icmp(_)
        | Target::Grpc(_)
        | Target::Unix(_)
        | Target::Flow(_)
        | Target::Exec(_)
        | Target::Heartbeat(_)
        | Target::Promql(_) => bounded(address),
    }
}

/// A target of `kind` that is shown as `text`. Nobody probes it: it stands where a check is
/// reckoned, not where one is run.
fn target(kind: &str, text: String, every: Duration) -> Result<Target, NotTerms> {
    let stand_in = || -> Result<Option<Target>, TargetError> {
        Ok(Some(match kind {
            "http" => Target::Http(Box::new(HttpTarget { url: text.clone(), ..HttpTarget::parse("http://h/")? })),
            "page" => Target::Page(PageTarget { url: text.clone(), ..PageTarget::parse("http://h/")? }),
            "tcp" => Target::Tcp(TcpTarget { address: text.clone(), ..TcpTarget::parse("h:1")? }),
            "tls" => Target::Tls(TlsTarget { address: text.clone(), ..TlsTarget::parse("h:1")? }),
            "dns" => Target::Dns(Box::new(DnsTarget { address: text.clone(), ..DnsTarget::parse("dns://h/n")? })),
            "icmp" => Target::Icmp(IcmpTarget { address: text.clone(), ..IcmpTarget::parse("h")? }),
            "grpc" => Target::Grpc(GrpcTarget { address: text.clone(), ..GrpcTarget::parse("h:1")? }),
            "ws" => Target::Ws(WsTarget { address: text.clone(), ..WsTarget::parse("ws://h/")? }),
            "unix" => Target::Unix(UnixTarget { address: text.clone(), ..UnixTarget::parse("/s")? }),
            "promql" => {
                Target::Promql(PromqlTarget { query: text.clone(), ..PromqlTarget::unbounded("http://h/", "1")? })
            }
            "flow" => Target::Flow(FlowTarget {
                name: text.clone(),
                variables: Default::default(),
                secrets: Default::default(),
                reserve: None,
                steps: Vec::new(),
                options: HttpOptions::default(),
            }),
            "exec" => Target::Exec(ExecTarget {
                program: text.clone(),
                arguments: Vec::new(),
                environment: Vec::new(),
                warning: Warning::Up,
                depends_on: DependsOn::Network,
                permission: Permission::Withheld,
            }),
            "heartbeat" => Target::Heartbeat(HeartbeatTarget {
                address: text.clone(),
                schedule: JobSchedule::Every(every),
                grace: GRACE_DEFAULT,
                run_max: None,
                bytes_min: None,
            }),
            _ => return Ok(None),
        }))
    };
    match stand_in() {
        Ok(Some(target)) => Ok(target),
        Ok(None) | Err(_) => Err(NotTerms::Kind(kind.to_owned())),
    }
}
