//! Where a source is: the key that names it, and the options beside that key.

use super::access::{self, Access};
use crate::check::http::absolute_url;
use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, list, one_or_list, placed, text};
use crate::scalar::{length, words};
use crate::secret::path;
use rules::check::HttpTarget;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How often a list is fetched when nothing is said, as in Prometheus.
const REFRESH_DEFAULT: Duration = Duration::from_secs(60);
/// The least: a list is no stream.
const REFRESH_MIN: Duration = Duration::from_secs(1);

/// Where a source is.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// In files: absolute patterns of their names.
    Files(Vec<String>),
    /// At a URL.
    Http(Box<HttpPlace>),
    /// In a Kubernetes cluster.
    Kubernetes(Box<Cluster>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Files(patterns) => write!(f, "file_sd {}", patterns.join(" ")),
            Place::Http(place) => write!(f, "http_sd {}", place.url),
            Place::Kubernetes(cluster) => {
                let Cluster { roles, namespaces, label_selector, api } = &**cluster;
                let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
                let selector = label_selector.as_deref().unwrap_or("");
                write!(f, "kubernetes {} of {} with {selector} at {api}", roles.join(" "), namespaces.join(" "))
            }
        }
    }
}

impl fmt::Display for KubeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KubeApi::InCluster => f.write_str("the pod's own cluster"),
            KubeApi::Kubeconfig(file) => write!(f, "{}", file.display()),
            KubeApi::At { url, .. } => f.write_str(url),
        }
    }
}

/// A list at a URL.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpPlace {
    /// The URL.
    pub url: String,
    /// How long from one look to the next.
    pub refresh: Duration,
    /// How it is reached.
    pub access: Access,
}

/// A Kubernetes cluster, and what counts in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Cluster {
    /// What is watched.
    pub roles: BTreeSet<Role>,
    /// Where; empty: everywhere.
    pub namespaces: Vec<String>,
    /// Which, in Kubernetes' own words, such as `tier=web`.
    pub label_selector: Option<String>,
    /// How its API is reached.
    pub api: KubeApi,
}

/// What is watched in a cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Services.
    Services,
    /// Ingresses.
    Ingresses,
    /// Pods.
    Pods,
    /// Probe resources of prometheus-operator.
    Probes,
}

impl Role {
    /// The word for it in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Services => "services",
            Role::Ingresses => "ingresses",
            Role::Pods => "pods",
            Role::Probes => "probes",
        }
    }
}

/// How a cluster's API is reached.
#[derive(Clone, PartialEq, Debug)]
pub enum KubeApi {
    /// By what every pod is given.
    InCluster,
    /// By a file such as `~/.kube/config`.
    Kubeconfig(PathBuf),
    /// At a URL.
    At {
        /// The URL.
        url: String,
        /// How it is reached.
        access: Access,
    },
}

/// Reads the one place that a source has.
pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Place> {
    let kinds = ["file_sd", "http_sd", "kubernetes"];
    let mut found = kinds.into_iter().filter_map(|kind| keys.take(kind).map(|(key, node)| (kind, key.at, node)));
    let (first, second) = (found.next(), found.next());
    drop(found);
    match (first, second) {
        (Some(("file_sd", _, node)), None) => files(node, reading),
        (Some(("http_sd", _, node)), None) => http(node, keys, reading),
        (Some((_, at, node)), None) => {
            let cluster = kubernetes(node, keys, reading);
            if !cfg!(feature = "kubernetes") {
                let message = "this program can't ask Kubernetes, it was built without that; build it with `--features kubernetes`";
                return reading.problem(at, message);
            }
            cluster
        }
        (Some((first, ..)), Some((second, at, _))) => {
            reading.problem(at, format!("a source is in two places, `{first}` and `{second}`; make two sources of it"))
        }
        (None, _) => {
            let message =
                "a source is nowhere; add `file_sd`, `http_sd` or `kubernetes`, such as `file_sd: targets/*.yaml`";
            reading.problem(keys.at, message)
        }
    }
}

fn files(node: &Node, reading: &mut Reading) -> Option<Place> {
    let patterns = one_or_list(pattern)(node, reading)?;
    if patterns.is_empty() {
        return reading.problem(node.at, "no file is named; write a pattern such as `targets/*.yaml`");
    }
    Some(Place::Files(patterns))
}

/// A pattern of files in Prometheus' format, made absolute.
fn pattern(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    if ![".json", ".yml", ".yaml"].iter().any(|ending| given.ends_with(ending)) {
        let given = given.escape_debug();
        let message = format!("`{given}` ends in none of `.json`, `.yml` and `.yaml`; write such as `targets/*.yaml`");
        return reading.problem(node.at, message);
    }
    // The directory is a name and no pattern, whatever signs it has.
    let base = PathBuf::from(glob::Pattern::escape(&reading.base_dir.to_string_lossy()));
    let pattern = base.join(given).to_string_lossy().into_owned();
    match glob::Pattern::new(&pattern) {
        Ok(_) => Some(pattern),
        Err(error) => {
            let given = given.escape_debug();
            reading.problem(
                node.at,
                format!("`{given}` is no pattern of files: {}; write one such as `targets/*.yaml`", error.msg),
            )
        }
    }
}

fn http(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Place> {
    let at = keys.at;
    let refresh = keys.or("refresh_interval", Placed { at, value: REFRESH_DEFAULT }, reading, placed(length));
    let access = access::read(keys, reading);
    let url = url(node, reading);
    if refresh.value < REFRESH_MIN {
        return reading.problem(refresh.at, "a list is fetched at most once a second; write `1s` or more");
    }
    Some(Place::Http(Box::new(HttpPlace { url: url?, refresh: refresh.value, access: access? })))
}

/// A URL without credentials.
fn url(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = absolute_url(node, reading)?;
    match HttpTarget::parse(given) {
        Ok(target) => Some(target.url),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

fn kubernetes(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Place> {
    if matches!(&node.value, Value::Nothing) || matches!(&node.value, Value::List(nodes) if nodes.is_empty()) {
        let message = "nothing is watched; write a list such as `[services, ingresses, pods, probes]`";
        return reading.problem(node.at, message);
    }
    let roles = one_or_list(role)(node, reading);
    let namespaces = keys.or("namespaces", Vec::new(), reading, list(namespace));
    let label_selector = keys.optional("label_selector", reading, words);
    let kubeconfig = keys.optional("kubeconfig_file", reading, placed(path));
    let server = keys.take("api_server").map(|(_, node)| url(node, reading));
    let access = access::read(keys, reading)?;
    let api = match (kubeconfig, server) {
        (Some(Placed { at, .. }), Some(_)) => {
            return reading.problem(at, "a cluster's API is named twice, here and by `api_server`; keep one");
        }
        (Some(file), None) => KubeApi::Kubeconfig(file.value),
        (None, Some(url)) => KubeApi::At { url: url?.trim_end_matches('/').to_owned(), access: access.clone() },
        (None, None) => KubeApi::InCluster,
    };
    if !matches!(api, KubeApi::At { .. }) && access != Access::none() {
        let message = "credentials for a cluster's API stand here without `api_server`; add it, or leave them out";
        return reading.problem(keys.at, message);
    }
    let roles: BTreeSet<Role> = roles?.into_iter().collect();
    Some(Place::Kubernetes(Box::new(Cluster { roles, namespaces, label_selector, api })))
}

fn role(node: &Node, reading: &mut Reading) -> Option<Role> {
    let roles = [Role::Services, Role::Ingresses, Role::Pods, Role::Probes].map(|role| (role.as_str(), role));
    word(&roles)(node, reading)
}

/// A namespace's name: it becomes a part of URLs.
fn namespace(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if given.is_empty() || 63 < given.len() || !given.chars().all(is_label) {
        let given = given.escape_debug();
        let message = format!("`{given}` is no namespace; write up to 63 small letters, digits and hyphens");
        return reading.problem(node.at, message);
    }
    Some(given.to_owned())
}
