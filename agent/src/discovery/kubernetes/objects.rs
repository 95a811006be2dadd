//! What Services, Ingresses and Pods show: labels named as in Prometheus, and the checks they ask for.
//!
//! An object asks for a check by the annotation `nines.io/probe: "true"`; the others that begin with
//! `nines.io/` say what is looked at. It is always the object's own address: annotations are written by
//! whoever may deploy, and choose neither another host nor a command.

use super::probes::Shown;
use config::agent::discovery::{
    ADDRESS, CHECK_EVERY, CHECK_KIND, CHECK_NAME, CHECK_SERVICE, CHECK_TARGET, CHECK_TIMEOUT, Labels,
};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::{Ingress, IngressSpec};
use kube::core::ObjectMeta;
use std::collections::{BTreeMap, BTreeSet};

/// The longest annotation that becomes a label: some hold whole manifests.
const ANNOTATION_BYTES_MAX: usize = 1_024;
/// The label that holds the URL of an Ingress' path.
const INGRESS_URL: &str = "__meta_kubernetes_ingress_url";

/// The one target of a Service: its name in the cluster, or the name that it stands for.
pub(super) fn service(service: &Service) -> Shown {
    let (mut shown, mut labels) = (Shown::of(&service.metadata), meta("service", &service.metadata));
    let Some(spec) = &service.spec else { return shown };
    let (name, namespace) = (labels.get("__meta_kubernetes_service_name"), labels.get("__meta_kubernetes_namespace"));
    let own = format!("{}.{}.svc", name.map_or("", String::as_str), namespace.map_or("", String::as_str));
    let host = spec.external_name.clone().filter(|name| !name.is_empty()).unwrap_or(own);
    let ports = spec.ports.iter().flatten().map(|port| (port.name.as_deref(), port.port));
    let wish = Wish::of(&service.metadata);
    let port = wish.port(ports);
    labels.insert(ADDRESS.to_owned(), address(&host, port.as_deref()));
    wish.ask(&mut labels, "service", &host, port.as_deref());
    shown.targets.push(labels);
    shown
}

/// The one target of a Pod that runs and has an address.
pub(super) fn pod(pod: &Pod) -> Shown {
    let (mut shown, mut labels) = (Shown::of(&pod.metadata), meta("pod", &pod.metadata));
    let status = pod.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("");
    let Some(ip) = status.and_then(|status| status.pod_ip.clone()).filter(|_| phase == "Running") else { return shown };
    if pod.metadata.deletion_timestamp.is_some() {
        return shown;
    }
    let spec = pod.spec.as_ref();
    let containers = spec.into_iter().flat_map(|spec| &spec.containers);
    let ports = containers.flat_map(|container| container.ports.iter().flatten());
    let ports = ports.map(|port| (port.name.as_deref(), port.container_port));
    labels.insert("__meta_kubernetes_pod_ip".to_owned(), ip.clone());
    let node = spec.and_then(|spec| spec.node_name.clone());
    labels.extend(node.map(|node| ("__meta_kubernetes_pod_node_name".to_owned(), node)));
    let host = if ip.contains(':') { format!("[{ip}]") } else { ip };
    let wish = Wish::of(&pod.metadata);
    let port = wish.port(ports);
    labels.insert(ADDRESS.to_owned(), address(&host, port.as_deref()));
    wish.ask(&mut labels, "pod", &host, port.as_deref());
    shown.targets.push(labels);
    shown
}

/// The targets of an Ingress: one for each path of each host.
pub(super) fn ingress(ingress: &Ingress) -> Shown {
    let (mut shown, labels) = (Shown::of(&ingress.metadata), meta("ingress", &ingress.metadata));
    let Some(spec) = &ingress.spec else { return shown };
    let wish = Wish::of(&ingress.metadata);
    for (host, path) in paths(spec) {
        let mut labels = labels.clone();
        let scheme = wish.said("scheme").unwrap_or(if is_secured(spec, &host) { "https" } else { "http" });
        let path = wish.said("path").map_or(path, rooted);
        let authority = address(&host, wish.said("port"));
        let url = format!("{scheme}://{authority}{path}");
        let own = [("scheme", scheme), ("host", &host), ("path", &path)];
        labels.extend(own.map(|(name, text)| (format!("__meta_kubernetes_ingress_{name}"), text.to_owned())));
        labels.insert(ADDRESS.to_owned(), authority.clone());
        if wish.is_made() {
            let target = match wish.kind() {
                "http" => url.clone(),
                "ws" => url.replacen("http", "ws", 1),
                _ if wish.said("port").is_some() => authority,
                _ => address(&host, Some(if scheme == "https" { "443" } else { "80" })),
            };
            wish.promise(&mut labels, &format!("ingress:{}:{host}{path}", name(&ingress.metadata)), target);
        }
        labels.insert(INGRESS_URL.to_owned(), url);
        shown.targets.push(labels);
    }
    // An annotation may give all paths of a host one path.
    shown.targets = BTreeSet::from_iter(shown.targets).into_iter().collect();
    shown
}

/// The URL of a target that [`ingress`] made.
pub(super) fn url(labels: &Labels) -> Option<&String> {
    labels.get(INGRESS_URL)
}

/// Each host with each of its paths. Hosts with a star name no page.
fn paths(spec: &IngressSpec) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for rule in spec.rules.iter().flatten() {
        let Some(host) = rule.host.as_ref().filter(|host| !host.is_empty() && !host.contains('*')) else { continue };
        let paths = rule.http.iter().flat_map(|http| &http.paths);
        let mut paths: Vec<String> = paths.map(|path| literal(path.path.as_deref().unwrap_or("/"))).collect();
        if paths.is_empty() {
            paths.push("/".to_owned());
        }
        all.extend(paths.into_iter().map(|path| (host.clone(), path)));
    }
    all
}

/// The part of a path before a regular expression, which some controllers take: `/api` of `/api(/|$)(.*)`.
fn literal(path: &str) -> String {
    let end = path.find(['(', '[', '*', '$', '|', '^', '\\', '+', '?']);
    rooted(match end {
        None => path,
        Some(end) if path[end..].starts_with("(/") => &path[..end],
        Some(end) => &path[..=path[..end].rfind('/').unwrap_or(0)],
    })
}

fn rooted(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

fn is_secured(spec: &IngressSpec, host: &str) -> bool {
    spec.tls.iter().flatten().any(|tls| tls.hosts.as_ref().is_none_or(|hosts| hosts.iter().any(|one| one == host)))
}

fn address(host: &str, port: Option<&str>) -> String {
    port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `namespace:name`.
fn name(meta: &ObjectMeta) -> String {
    format!("{}:{}", meta.namespace.as_deref().unwrap_or(""), meta.name.as_deref().unwrap_or(""))
}

/// The labels that every object has, named as in Prometheus.
pub(super) fn meta(kind: &str, meta: &ObjectMeta) -> Labels {
    let empty = BTreeMap::new();
    let of = |what: &str, entries: &BTreeMap<String, String>| -> Vec<(String, String)> {
        let short = entries.iter().filter(|(_, text)| text.len() <= ANNOTATION_BYTES_MAX);
        short.map(|(key, text)| (format!("__meta_kubernetes_{kind}_{what}_{}", label(key)), text.clone())).collect()
    };
    let mut labels = Labels::from_iter(of("label", meta.labels.as_ref().unwrap_or(&empty)));
    labels.extend(of("annotation", meta.annotations.as_ref().unwrap_or(&empty)));
    labels.insert("__meta_kubernetes_namespace".to_owned(), meta.namespace.clone().unwrap_or_default());
    labels.insert(format!("__meta_kubernetes_{kind}_name"), meta.name.clone().unwrap_or_default());
    labels
}

/// `key` with what no label may have replaced, as in Prometheus.
fn label(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// What an object's annotations ask for.
pub(super) struct Wish<'o> {
    meta: &'o ObjectMeta,
}

impl<'o> Wish<'o> {
    pub(super) fn of(meta: &'o ObjectMeta) -> Wish<'o> {
        Wish { meta }
    }

    /// The annotation `nines.io/<name>`.
    pub(super) fn said(&self, name: &str) -> Option<&'o str> {
        let annotations = self.meta.annotations.as_ref()?;
        annotations.get(&format!("nines.io/{name}")).map(|text| text.trim())
    }

    fn is_made(&self) -> bool {
        self.said("probe") == Some("true")
    }

    fn kind(&self) -> &'o str {
        match self.said("kind") {
            None | Some("https") => "http",
            Some(kind) => kind,
        }
    }

    /// The port that is asked for by number or name; without that the first one.
    fn port<'p>(&self, mut ports: impl Iterator<Item = (Option<&'p str>, i32)>) -> Option<String> {
        match self.said("port") {
            None => ports.next().map(|(_, port)| port.to_string()),
            Some(wanted) => {
                let named = ports.find(|(name, _)| *name == Some(wanted)).map(|(_, port)| port.to_string());
                Some(named.unwrap_or_else(|| wanted.to_owned()))
            }
        }
    }

    /// Adds the check that is asked for, of the object's own `host` and `port`.
    fn ask(&self, labels: &mut Labels, object: &str, host: &str, port: Option<&str>) {
        if !self.is_made() {
            return;
        }
        let path = rooted(self.said("path").unwrap_or("/"));
        let is_secured = self.said("scheme") == Some("https") || self.said("kind") == Some("https");
        let authority = address(host, port);
        let target = match self.kind() {
            "http" => format!("{}://{authority}{path}", if is_secured { "https" } else { "http" }),
            "ws" => format!("{}://{authority}{path}", if is_secured { "wss" } else { "ws" }),
            "icmp" => host.to_owned(),
            _ => authority,
        };
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        self.promise(labels, &format!("{object}:{}{port}", name(self.meta)), target);
    }

    fn promise(&self, labels: &mut Labels, name: &str, target: String) {
        let namespace = self.meta.namespace.clone().unwrap_or_default();
        let service = self.said("service").map_or(namespace, str::to_owned);
        let all = [
            (CHECK_KIND, self.kind().to_owned()),
            (CHECK_TARGET, target),
            (CHECK_NAME, name.to_owned()),
            (CHECK_SERVICE, service),
        ];
        labels.extend(all.map(|(name, text)| (name.to_owned(), text)));
        let times = [(CHECK_EVERY, self.said("every")), (CHECK_TIMEOUT, self.said("timeout"))];
        labels.extend(times.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))));
    }
}
