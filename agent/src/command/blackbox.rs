//! What the command line says about standing in blackbox_exporter's place.

use crate::blackbox::Settings;
use rules::reach::{Network, Reach, Scope};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where the endpoints are when nothing is said: the peer's port, for this machine only.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9115);
/// What is kept back from a scrape's timeout, as in the peer.
const OFFSET_DEFAULT: Duration = Duration::from_millis(500);

/// Flags named like the peer's where it has them.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct BlackboxFlags {
    /// Modules of blackbox_exporter, for /probe; a change of the file is taken without a restart
    #[arg(long, value_name = "FILE")]
    pub blackbox_config: Option<PathBuf>,
    /// Only say whether the modules can be used
    #[arg(long, requires = "blackbox_config")]
    pub blackbox_config_check: bool,
    /// Where /probe is, without an agent's configuration [default: 127.0.0.1:9115]
    #[arg(long, value_name = "ADDRESS", requires = "blackbox_config", conflicts_with = "config")]
    pub listen: Option<SocketAddr>,
    /// Seconds kept back from a scrape's timeout [default: 0.5]
    #[arg(long, value_name = "SECONDS", requires = "blackbox_config", value_parser = seconds)]
    pub timeout_offset: Option<Duration>,
    /// How many probes /logs remembers, and as many failures
    #[arg(long, value_name = "COUNT", requires = "blackbox_config", default_value_t = 100)]
    pub history_limit: usize,
    /// A network that /probe may reach although it is private; needed once it listens beyond loopback
    #[arg(long, value_name = "NETWORK", requires = "blackbox_config")]
    pub probe_allow: Vec<Network>,
}

impl BlackboxFlags {
    /// Where the endpoints are without an agent's configuration.
    pub(super) fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or(LISTEN_DEFAULT)
    }

    /// The settings beside an agent that listens at `listen` and may go where `reach` says. Whoever can
    /// connect chooses targets, so beyond loopback nothing private is reached unless it is allowed.
    pub(super) fn settings(&self, file: PathBuf, listen: Option<SocketAddr>, reach: Reach) -> Settings {
        let is_open = listen.is_some_and(|listen| !listen.ip().is_loopback());
        let allow = reach.allow.iter().chain(&self.probe_allow).copied().collect();
        let scope = if is_open { Scope::Stranger } else { reach.scope };
        Settings {
            file,
            timeout_offset: self.timeout_offset.unwrap_or(OFFSET_DEFAULT),
            history_limit: self.history_limit,
            reach: Reach { scope, allow, refuse: reach.refuse },
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "write seconds, such as `0.5`".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "write seconds from 0 on, such as `0.5`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_loopback_nothing_private_is_reached_unless_it_is_allowed() {
        let flags = BlackboxFlags {
            blackbox_config: None,
            blackbox_config_check: false,
            listen: None,
            timeout_offset: None,
            history_limit: 100,
            probe_allow: vec!["10.1.0.0/16".parse().unwrap()],
        };
        let reach = |listen: &str| flags.settings(PathBuf::new(), listen.parse().ok(), Reach::default()).reach;
        let check = |listen: &str, target: &str, expected: bool| {
            assert_eq!(reach(listen).permits(target.parse().unwrap()).is_ok(), expected, "{listen} {target}");
        };
        check("127.0.0.1:9115", "10.2.0.1", true);
        check("[::1]:9115", "127.0.0.1", true);
        check("0.0.0.0:9115", "10.2.0.1", false);
        check("0.0.0.0:9115", "10.1.0.1", true);
        check("[::]:9115", "127.0.0.1", false);
        check("0.0.0.0:9115", "192.0.2.1", true);
        check("127.0.0.1:9115", "169.254.169.254", false);
    }
}
