//! Targets in a Kubernetes cluster: Services, Ingresses, Pods, and prometheus-operator's Probe resources.
//!
//! Each kind of object in each namespace is watched by a task of its own; what one of them named stands
//! while it can't be heard. Nothing is ever written to the cluster.

mod client;
mod objects;
mod probes;
mod watch;

use super::follow::Look;
use super::kept::Lists;
use config::agent::discovery::{CHECK_KIND, Cluster, Recipe, Role};
use daemon::clock::Clock;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource};
use probes::Shown;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use watch::{Told, Watch};

/// How long changes are gathered: a list of a thousand objects that changes one by one is made into
/// checks once.
const GATHER: Duration = Duration::from_millis(200);
/// How much may wait to be gathered.
const TOLD_MAX: usize = 1_024;
/// How long to wait after the cluster's API could not be set up, such as for a token that is not there yet.
const SET_UP_RETRY: Duration = Duration::from_secs(10);

/// Which objects are targets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    /// Those that ask for it by annotation.
    Asking,
    /// All, for templates to choose from.
    All,
}

/// Watches a cluster.
pub(super) struct Kubernetes {
    cluster: Cluster,
    which: Which,
    clock: Clock,
    seed: u64,
    /// Absent until the API could be set up.
    watching: Option<Watching>,
    was_tried: bool,
}

struct Watching {
    client: Client,
    told: mpsc::Receiver<Told>,
    teller: mpsc::Sender<Told>,
    /// What is heard of each part: a kind of object in a namespace, or everywhere.
    parts: BTreeMap<String, Part>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
struct Part {
    /// What its objects show; absent before its first list.
    objects: Option<BTreeMap<String, Shown>>,
    failure: Option<String>,
}

impl Kubernetes {
    pub(super) fn new(cluster: &Cluster, recipe: &Recipe, clock: Clock, seed: u64) -> Kubernetes {
        let which = match recipe {
            Recipe::Own { .. } => Which::Asking,
            Recipe::Templates(_) => Which::All,
        };
        Kubernetes { cluster: cluster.clone(), which, clock, seed, watching: None, was_tried: false }
    }

    /// Waits for news from the cluster. `before` is what was named last.
    pub(super) async fn look(&mut self, before: Option<&Arc<Lists>>) -> Look {
        let watching = match &mut self.watching {
            Some(watching) => watching,
            None => match self.set_up().await {
                Ok(watching) => self.watching.insert(watching),
                Err(why) => return Look::failed(why),
            },
        };
        let failure = watching.gather(&self.clock).await;
        self.watch_ingresses_of_probes();
        let Some(watching) = &self.watching else { return Look::failed("nothing is watched") };
        let is_whole = watching.parts.values().all(|part| part.objects.is_some());
        Look { lists: Some(watching.lists(before)), failure, is_whole }
    }

    async fn set_up(&mut self) -> Result<Watching, String> {
        if std::mem::replace(&mut self.was_tried, true) {
            self.clock.sleep(SET_UP_RETRY).await;
        }
        let client = client::connect(&self.cluster.api).await?;
        let (teller, told) = mpsc::channel(TOLD_MAX);
        let mut watching = Watching { client, told, teller, parts: BTreeMap::new(), tasks: JoinSet::new() };
        for role in self.cluster.roles.clone() {
            for namespace in self.namespaces() {
                self.watch(&mut watching, role, namespace.as_deref());
            }
        }
        Ok(watching)
    }

    /// Where is looked; none: everywhere at once.
    fn namespaces(&self) -> Vec<Option<String>> {
        if self.cluster.namespaces.is_empty() {
            return vec![None];
        }
        self.cluster.namespaces.iter().cloned().map(Some).collect()
    }

    fn watch(&self, watching: &mut Watching, role: Role, namespace: Option<&str>) {
        let which = self.which;
        let selector = self.cluster.label_selector.clone();
        match role {
            Role::Services => {
                let api = api::<Service>(&watching.client, namespace);
                self.spawn(watching, api, role.as_str(), namespace, selector, move |service| {
                    which.of(objects::service(service))
                });
            }
            Role::Ingresses => {
                let api = api::<Ingress>(&watching.client, namespace);
                self.spawn(watching, api, role.as_str(), namespace, selector, move |ingress| {
                    which.of(objects::ingress(ingress))
                });
            }
            Role::Pods => {
                let api = api::<Pod>(&watching.client, namespace);
                self.spawn(watching, api, role.as_str(), namespace, selector, move |pod| which.of(objects::pod(pod)));
            }
            Role::Probes => {
                let resource = probes::resource();
                let api = dynamic(&watching.client, namespace, &resource);
                self.spawn(watching, api, role.as_str(), namespace, selector, probes::probe);
            }
        }
    }

    /// Probe resources may name Ingresses by their labels: then those are watched too.
    fn watch_ingresses_of_probes(&mut self) {
        let Some(mut watching) = self.watching.take() else { return };
        let shown = watching.parts.values().filter_map(|part| part.objects.as_ref()).flat_map(BTreeMap::values);
        let wanted = shown.into_iter().any(|shown| shown.ingresses.is_some());
        if wanted && !watching.parts.keys().any(|part| part.starts_with(probes::INGRESSES)) {
            // A Probe of one namespace may name Ingresses of another.
            let api = api::<Ingress>(&watching.client, None);
            self.spawn(&mut watching, api, probes::INGRESSES, None, None, objects::ingress);
        }
        self.watching = Some(watching);
    }

    fn spawn<K>(
        &self,
        watching: &mut Watching,
        api: Api<K>,
        what: &'static str,
        namespace: Option<&str>,
        selector: Option<String>,
        show: impl Fn(&K) -> Shown + Send + Sync + 'static,
    ) where
        K: Resource + Clone + Debug + serde::de::DeserializeOwned + Send + Sync + 'static,
    {
        let part = namespace.map_or_else(|| what.to_owned(), |namespace| format!("{what}/{namespace}"));
        watching.parts.insert(part.clone(), Part::default());
        let seed = self.seed.wrapping_add(watching.parts.len() as u64);
        let watch = Watch::new(api, part, selector, self.clock.clone(), seed, watching.teller.clone());
        watching.tasks.spawn(watch.run(show));
    }
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn dynamic(client: &Client, namespace: Option<&str>, resource: &ApiResource) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
}

impl Which {
    /// What an object shows, without the targets that do not count.
    fn of(self, mut shown: Shown) -> Shown {
        if self == Which::Asking {
            shown.targets.retain(|labels| labels.contains_key(CHECK_KIND));
        }
        shown
    }
}

impl Watching {
    /// Waits for something to be told and takes in what follows at once; returns what went wrong.
    async fn gather(&mut self, clock: &Clock) -> Option<String> {
        let Some(first) = self.told.recv().await else { return Some("nothing is watched".to_owned()) };
        let mut went_wrong = self.hear(first);
        let until = clock.boot() + GATHER;
        loop {
            tokio::select! {
                Some(told) = self.told.recv() => went_wrong |= self.hear(told),
                () = clock.sleep_until(until) => break,
                Some(Err(error)) = self.tasks.join_next() => {
                    if error.is_panic() {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
            }
        }
        let failures: BTreeSet<&str> = self.parts.values().filter_map(|part| part.failure.as_deref()).collect();
        let failures: Vec<&str> = failures.into_iter().collect();
        went_wrong.then(|| failures.join("; ")).filter(|failures| !failures.is_empty())
    }

    /// Takes something in; whether it is a failure.
    fn hear(&mut self, told: Told) -> bool {
        let Some(part) = self.parts.get_mut(told.part()) else { return false };
        let failed = matches!(told, Told::Failed { .. });
        match told {
            Told::Listed { objects, .. } => part.objects = Some(objects),
            Told::Applied { name, shown, .. } => {
                part.objects.get_or_insert_default().insert(name, shown);
            }
            Told::Deleted { name, .. } => {
                part.objects.get_or_insert_default().remove(&name);
            }
            Told::Heard { .. } => {}
            Told::Failed { why, .. } => part.failure = Some(why),
        }
        if !failed {
            part.failure = None;
        }
        failed
    }

    /// All targets by part; a part that was not heard yet is as it was `before`.
    fn lists(&self, before: Option<&Arc<Lists>>) -> Lists {
        let ingresses = self.parts.get(probes::INGRESSES).and_then(|part| part.objects.as_ref());
        let all_of = |(name, part): (&String, &Part)| {
            let list = match &part.objects {
                Some(objects) => {
                    let mut targets: Vec<_> =
                        objects.values().flat_map(|shown| shown.targets.iter().cloned()).collect();
                    let chosen = objects.values().filter_map(|shown| shown.ingresses.as_ref());
                    let ingresses = || ingresses.into_iter().flat_map(BTreeMap::values);
                    targets.extend(chosen.flat_map(|chosen| chosen.targets(ingresses())));
                    targets
                }
                None => before?.get(name)?.clone(),
            };
            Some((name.clone(), list))
        };
        let parts = self.parts.iter().filter(|(name, _)| name.as_str() != probes::INGRESSES);
        parts.filter_map(all_of).collect()
    }
}
