//! `kubernetes`: what stands after each thing that a cluster does, and after each that befalls it.

use crate::cluster::{Cluster, Deed, TOKEN};
use crate::running::{Place, Running, port};
use daemon::clock::Clock;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::time::Duration;

fn configure(place: &Place, address: SocketAddr, roles: &str, rest: &str) {
    place.write("token", TOKEN);
    place.configure(&format!(
        "discovery:\n  - source: k\n    kubernetes: [{roles}]\n    api_server: http://{address}\n    \
         authorization: {{ credentials_file: token }}\n{rest}"
    ));
}

fn meta(name: &str, annotations: &[(&str, &str)]) -> Value {
    let annotations = annotations.iter().map(|(key, text)| (format!("nines.io/{key}"), json!(text)));
    let annotations: Map<String, Value> = annotations.collect();
    json!({ "name": name, "namespace": "shop", "labels": { "app": name }, "annotations": annotations })
}

/// A Pod at a port of this machine, probed as it asks.
fn pod(name: &str, address: SocketAddr) -> Value {
    let ports = json!([{ "name": "metrics", "containerPort": 1 }, { "name": "web", "containerPort": address.port() }]);
    let annotations = [("probe", "true"), ("kind", "tcp"), ("port", "web"), ("every", "100ms")];
    json!({
        "metadata": meta(name, &annotations),
        "spec": { "containers": [{ "name": "c", "image": "i", "ports": ports }] },
        "status": { "phase": "Running", "podIP": address.ip().to_string() },
    })
}

/// Waits until exactly the checks of these Pods stand.
async fn stand(running: &Running, address: SocketAddr, names: &[&str]) {
    let expected: Vec<String> = names.iter().map(|name| format!("k:pod:shop:{name}:{}", address.port())).collect();
    running.stands(&expected.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn exactly_the_right_checks_stand_after_each_thing_that_befalls_a_watch() {
    let (place, port, cluster) = (Place::new(), port().await, Cluster::new());
    let (at, _serving) = cluster.serve("127.0.0.1:0").await;
    let address = port.address;
    let pod = |name: &str| pod(name, address);
    for name in ["a", "b", "c", "d", "e"] {
        cluster.put("pods", &pod(name));
    }
    configure(&place, at, "pods", "");
    let running = place.start().await;
    stand(&running, address, &["a", "b", "c", "d", "e"]).await;
    running.is_ready().await;
    let up = format!(r#"nines_probe_success{{service="shop",check="k:pod:shop:a:{}"}}"#, address.port());
    running.shows(&up, 1.0).await;
    cluster.was_asked("WATCH pods from 5").await;

    cluster.put("pods", &pod("f"));
    cluster.delete("pods", &pod("a"));
    let mut shy = pod("b");
    shy["metadata"]["annotations"]["nines.io/probe"] = json!("false");
    cluster.put("pods", &shy);
    let mut done = pod("c");
    done["status"]["phase"] = json!("Succeeded");
    cluster.put("pods", &done);
    stand(&running, address, &["d", "e", "f"]).await;

    // Where a watch goes on after it was closed is where the bookmark was.
    let bookmark = cluster.bookmark("pods");
    cluster.act("pods", Deed::Close);
    cluster.was_asked(&format!("WATCH pods from {bookmark}")).await;
    cluster.put("pods", &pod("a"));
    stand(&running, address, &["a", "d", "e", "f"]).await;

    cluster.act("pods", Deed::Cut);
    cluster.delete("pods", &pod("d"));
    stand(&running, address, &["a", "e", "f"]).await;
    assert_eq!(cluster.times("LIST pods"), 3, "the five first objects, two a page, and never again");

    cluster.act("pods", Deed::Gone);
    cluster.put("pods", &pod("g"));
    stand(&running, address, &["a", "e", "f", "g"]).await;
    assert_eq!(cluster.times("LIST pods"), 6);

    // 410 as a status: the versions are forgotten while nobody watches.
    cluster.act("pods", Deed::Cut);
    cluster.delete("pods", &pod("e"));
    cluster.forget("pods");
    cluster.put("pods", &pod("h"));
    stand(&running, address, &["a", "f", "g", "h"]).await;
    assert!(6 < cluster.times("LIST pods"));
    running.stop().await;
}

#[tokio::test]
async fn what_a_cluster_named_stands_while_it_is_away_and_after_a_restart() {
    let (place, port, cluster) = (Place::new(), port().await, Cluster::new());
    let (at, serving) = cluster.serve("127.0.0.1:0").await;
    cluster.put("pods", &pod("a", port.address));
    configure(&place, at, "pods", "");
    let running = place.start().await;
    stand(&running, port.address, &["a"]).await;
    drop(serving);
    let failures = r#"nines_agent_discovery_failures_total{source="k"}"#;
    while running.value(failures).await < Some(1.0) {
        tokio::task::yield_now().await;
    }
    stand(&running, port.address, &["a"]).await;
    running.stop().await;
    let running = place.start().await;
    stand(&running, port.address, &["a"]).await;
    assert_eq!(running.ask("/readyz").await.0, 200);

    cluster.put("pods", &pod("b", port.address));
    cluster.delete("pods", &pod("a", port.address));
    let (_, _serving) = cluster.serve(&at.to_string()).await;
    stand(&running, port.address, &["b"]).await;
    running.stop().await;
}

#[tokio::test]
async fn what_may_not_be_seen_is_said_and_hides_nothing_else() {
    let (place, port, cluster) = (Place::new(), port().await, Cluster::new());
    let (at, _serving) = cluster.serve("127.0.0.1:0").await;
    cluster.store().denied.insert("services".to_owned());
    cluster.put("pods", &pod("a", port.address));
    let spec = json!({ "ports": [{ "port": 80 }] });
    cluster.put("services", &json!({ "metadata": meta("web", &[("probe", "true")]), "spec": spec }));
    configure(&place, at, "services, pods", "    namespaces: [shop]\n");
    let running = place.start().await;
    stand(&running, port.address, &["a"]).await;
    let expected = "waiting for the first answer of `k` (services/shop: services is forbidden: User \"nines\" cannot \
                    list resource \"services\"; grant `get`, `list` and `watch` as deploy/kubernetes/discovery.yaml does)";
    while !running.ask("/readyz").await.1.contains(expected) {
        tokio::task::yield_now().await;
    }
    cluster.store().denied.clear();
    let pod = format!("k:pod:shop:a:{}", port.address.port());
    running.stands(&[&pod, "k:service:shop:web:80"]).await;
    running.is_ready().await;
    let asked = cluster.store().asked.clone();
    assert!(asked.iter().all(|asked| asked.contains(" shop/")), "no other namespace: {asked:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_ends_each_watch_at_once_is_not_asked_without_a_pause() {
    let (place, cluster) = (Place::new(), Cluster::new());
    let (at, _serving) = cluster.serve("127.0.0.1:0").await;
    cluster.store().impatient = true;
    configure(&place, at, "pods", "");
    let clock = Clock::system();
    let (running, began) = (place.start().await, clock.boot());
    while cluster.store().asked.len() < 5 {
        tokio::task::yield_now().await;
    }
    let took = clock.boot() - began;
    assert!(Duration::from_millis(1_500) < took, "a list and four watches within {took:?}");
    running.stop().await;
}

/// What the targets ask for that the agent kept: service, kind and what is looked at.
fn kept(place: &Place) -> Vec<String> {
    let text = std::fs::read_to_string(place.path("spool/discovered-k.json")).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    let targets = kept["lists"].as_object().unwrap().values().flat_map(|list| list.as_array().unwrap());
    let said = |labels: &Value| {
        let of = |name: &str| labels[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", of("__check_service"), of("__check_kind"), of("__check_target"))
    };
    let mut targets: Vec<String> = targets.map(said).collect();
    targets.sort();
    targets
}

#[tokio::test]
async fn objects_of_each_kind_ask_for_what_their_annotations_say() {
    let (place, cluster) = (Place::new(), Cluster::new());
    let (at, _serving) = cluster.serve("127.0.0.1:0").await;
    let service = |name: &str, annotations: &[(&str, &str)]| {
        let spec = json!({ "ports": [{ "name": "web", "port": 80 }, { "name": "tls", "port": 8443 }] });
        let metadata = meta(name, &[&[("probe", "true")], annotations].concat());
        cluster.put("services", &json!({ "metadata": metadata, "spec": spec }));
    };
    service("plain", &[]);
    service("secure", &[("scheme", "https"), ("port", "tls"), ("path", "healthz")]);
    service("named", &[("service", "orders"), ("kind", "tcp")]);
    service("command", &[("kind", "exec")]);
    let paths = json!([{ "path": "/" }, { "path": "/api(/|$)(.*)", "pathType": "ImplementationSpecific" }]);
    let rules = json!([{ "host": "shop.test", "http": { "paths": paths } }, { "host": "*.shop.test" }]);
    let spec = json!({ "rules": rules, "tls": [{ "hosts": ["shop.test"] }] });
    cluster.put("ingresses", &json!({ "metadata": meta("front", &[("probe", "true")]), "spec": spec }));
    cluster.put("ingresses", &json!({ "metadata": meta("quiet", &[]), "spec": spec }));
    let probe = |name: &str, spec: Value| {
        let types = ("monitoring.coreos.com/v1", "Probe");
        let object = json!({ "apiVersion": types.0, "kind": types.1, "metadata": meta(name, &[]), "spec": spec });
        cluster.put("probes", &object);
    };
    let fixed = |targets: Value| json!({ "staticConfig": { "static": targets } });
    let pages = fixed(json!(["a.test", "https://b.test/x"]));
    probe("pages", json!({ "module": "http_2xx", "interval": "15s", "targets": pages }));
    probe("odd", json!({ "module": "own_module", "targets": fixed(json!(["c.test"])) }));
    let selector = json!({ "matchLabels": { "app": "quiet" } });
    probe("chosen", json!({ "targets": { "ingress": { "selector": selector } } }));
    configure(&place, at, "services, ingresses, probes", "");
    let running = place.start().await;
    running.shows(r#"nines_agent_discovery_checks{source="k"}"#, 9.0).await;
    running.shows(r#"nines_agent_discovery_skipped{reason="invalid",source="k"}"#, 2.0).await;
    running.is_ready().await;
    assert_eq!(
        kept(&place),
        [
            "orders tcp named.shop.svc:80",
            "shop - c.test",
            "shop exec command.shop.svc:80",
            "shop http http://a.test",
            "shop http http://plain.shop.svc:80/",
            "shop http https://b.test/x",
            "shop http https://secure.shop.svc:8443/healthz",
            "shop http https://shop.test/",
            "shop http https://shop.test/",
            "shop http https://shop.test/api",
            "shop http https://shop.test/api",
        ]
    );
    running.stop().await;
}

#[tokio::test]
async fn templates_choose_among_all_objects_by_their_labels() {
    let (place, port, cluster) = (Place::new(), port().await, Cluster::new());
    let (at, _serving) = cluster.serve("127.0.0.1:0").await;
    for name in ["a", "b"] {
        let mut pod = pod(name, port.address);
        pod["metadata"]["annotations"] = json!({});
        cluster.put("pods", &pod);
    }
    let templates = format!(
        "    select: {{ __meta_kubernetes_pod_label_app: b }}\n    service: \"{{__meta_kubernetes_namespace}}\"\n    \
         checks: [{{ check: \"{{__meta_kubernetes_pod_name}}\", tcp: \"{{host}}:{}\", every: 100ms }}]\n",
        port.address.port()
    );
    configure(&place, at, "pods", &templates);
    let running = place.start().await;
    running.stands(&["b"]).await;
    running.shows(r#"nines_probe_success{service="shop",check="b"}"#, 1.0).await;
    running.stop().await;
}
