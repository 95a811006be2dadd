//! What prometheus-operator's Probe resources show: static targets, and Ingresses chosen by their labels.
//!
//! The module becomes the label `__param_module` and each target `__param_target`, as in a scrape job for
//! blackbox_exporter. Where the prober runs (`spec.prober`) is of no use here: this agent is the prober.

use super::objects::{self, Wish, meta};
use config::agent::discovery::{
    ADDRESS, CHECK_EVERY, CHECK_KIND, CHECK_NAME, CHECK_SERVICE, CHECK_TARGET, CHECK_TIMEOUT, Labels, PARAM_MODULE,
    PARAM_TARGET,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::ResourceExt;
use kube::api::{ApiResource, DynamicObject};
use kube::core::{GroupVersionKind, ObjectMeta, Selector, SelectorExt};
use serde_json::Value;
use std::collections::BTreeMap;

/// The part that holds the Ingresses which Probes choose from.
pub(super) const INGRESSES: &str = "ingresses of probes";
/// The modules of blackbox_exporter's own example whose kind is plain from their names, and that kind.
const MODULES: &[(&str, &str)] = &[("http_2xx", "http"), ("tcp_connect", "tcp"), ("icmp", "icmp"), ("grpc", "grpc")];

/// What an object of the cluster shows.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// Its targets.
    pub(super) targets: Vec<Labels>,
    /// The Ingresses whose paths are its targets too.
    pub(super) ingresses: Option<Box<Chosen>>,
    namespace: String,
    labels: BTreeMap<String, String>,
}

/// Ingresses chosen by their labels.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    selector: Selector,
    /// Where; none: everywhere.
    namespaces: Option<Vec<String>>,
    base: Labels,
}

impl Shown {
    /// Nothing but what is chosen by.
    pub(super) fn of(meta: &ObjectMeta) -> Shown {
        let (namespace, labels) = (meta.namespace.clone().unwrap_or_default(), meta.labels.clone().unwrap_or_default());
        Shown { targets: Vec::new(), ingresses: None, namespace, labels }
    }
}

impl Chosen {
    /// The targets among those that `ingresses` show.
    pub(super) fn targets<'s>(&self, ingresses: impl Iterator<Item = &'s Shown>) -> Vec<Labels> {
        let counts = |shown: &&Shown| {
            self.namespaces.as_ref().is_none_or(|namespaces| namespaces.contains(&shown.namespace))
                && self.selector.matches(&shown.labels)
        };
        let targets = ingresses.filter(counts).flat_map(|shown| &shown.targets);
        targets.filter_map(|of| Some(target(&self.base, objects::url(of)?, of))).collect()
    }
}

/// What the API calls Probe resources.
pub(super) fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("monitoring.coreos.com", "v1", "Probe"), "probes")
}

/// What a Probe shows.
pub(super) fn probe(object: &DynamicObject) -> Shown {
    let mut shown = Shown::of(&object.metadata);
    let spec = &object.data["spec"];
    let base = base(object, spec);
    let fixed = &spec["targets"]["staticConfig"];
    let own: Labels = entries(&fixed["labels"]).collect();
    let addresses = fixed["static"].as_array().into_iter().flatten().filter_map(Value::as_str);
    shown.targets.extend(addresses.map(|address| target(&base, address, &own)));
    let ingress = &spec["targets"]["ingress"];
    if ingress.is_object() {
        shown.ingresses = chosen(ingress, object, base).map(Box::new);
    }
    let name = object.name_any();
    for rules in [fixed, ingress].map(|targets| &targets["relabelingConfigs"]) {
        if rules.as_array().is_some_and(|rules| !rules.is_empty()) {
            tracing::warn!(probe = name, "Relabelling of a Probe's targets is not carried out");
        }
    }
    shown
}

/// The labels of all targets of a Probe.
fn base(object: &DynamicObject, spec: &Value) -> Labels {
    let mut labels = meta("probe", &object.metadata);
    let mut put = |name: &str, text: Option<&str>| labels.extend(text.map(|text| (name.to_owned(), text.to_owned())));
    put(PARAM_MODULE, spec["module"].as_str());
    put("job", spec["jobName"].as_str());
    put(CHECK_EVERY, spec["interval"].as_str());
    put(CHECK_TIMEOUT, spec["scrapeTimeout"].as_str());
    let service = Wish::of(&object.metadata).said("service");
    put(CHECK_SERVICE, service.or(object.metadata.namespace.as_deref()));
    labels
}

/// Ingresses by `selector` and `namespaceSelector`; without the latter those of the Probe's namespace.
fn chosen(ingress: &Value, object: &DynamicObject, base: Labels) -> Option<Chosen> {
    let name = object.name_any();
    let selector = serde_json::from_value::<Option<LabelSelector>>(ingress["selector"].clone());
    let selector = selector.map_err(|error| error.to_string());
    let selector = selector
        .and_then(|selector| Selector::try_from(selector.unwrap_or_default()).map_err(|error| error.to_string()));
    let selector = match selector {
        Ok(selector) => selector,
        Err(error) => {
            tracing::warn!(probe = name, error, "Selector of a Probe can't be read, it chooses no Ingress");
            return None;
        }
    };
    let namespaces = &ingress["namespaceSelector"];
    let named = namespaces["matchNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let named: Vec<String> = named.map(str::to_owned).collect();
    let namespaces = match namespaces["any"].as_bool() {
        Some(true) => None,
        _ if named.is_empty() => Some(vec![object.namespace().unwrap_or_default()]),
        _ => Some(named),
    };
    Some(Chosen { selector, namespaces, base })
}

/// The labels of the target at `address`, whose own labels are `own`.
fn target(base: &Labels, address: &str, own: &Labels) -> Labels {
    let mut labels = base.clone();
    let own = own.iter().filter(|(name, _)| !name.starts_with("__check_"));
    labels.extend(own.map(|(name, text)| (name.clone(), text.clone())));
    let module = labels.get(PARAM_MODULE).map_or("http_2xx", String::as_str);
    let kind = MODULES.iter().find(|(name, _)| *name == module).map(|(_, kind)| (*kind).to_owned());
    let looked_at = match kind.as_deref() {
        // As blackbox_exporter does.
        Some("http") if !address.contains("://") => format!("http://{address}"),
        _ => address.to_owned(),
    };
    let namespace = labels.get("__meta_kubernetes_namespace").cloned().unwrap_or_default();
    let probe = labels.get("__meta_kubernetes_probe_name").cloned().unwrap_or_default();
    labels.extend(kind.map(|kind| (CHECK_KIND.to_owned(), kind)));
    labels.insert(CHECK_NAME.to_owned(), format!("probe:{namespace}:{probe}:{address}"));
    labels.insert(CHECK_TARGET.to_owned(), looked_at);
    labels.insert(PARAM_TARGET.to_owned(), address.to_owned());
    labels.insert(ADDRESS.to_owned(), address.to_owned());
    labels
}

fn entries(map: &Value) -> impl Iterator<Item = (String, String)> {
    let entries = map.as_object().into_iter().flatten();
    entries.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
}
