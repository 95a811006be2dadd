//! `/probe`: from the parameters of a request to the page of its probe, its refusals in blackbox_exporter's order.

use super::exposition::Gauges;
use super::history::Entry;
use super::log::Log;
use super::pages::{debug, refusal};
use super::parameters::{Parameters, quoted, unescaped};
use super::series::Seen;
use super::{Blackbox, series, timeout};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use config::blackbox::{HeaderText, Module, Refusal};
use daemon::admin::METRICS_TYPE;
use rules::check::Target;
use rules::judge::complaint;
use rules::reach::Scope;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How long Prometheus waits for the answer, in seconds.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// The module that is meant when none is named.
const MODULE_DEFAULT: &str = "http_2xx";

/// A probe that was asked for and can be made.
struct Asked {
    module_name: String,
    module: Module,
    target: String,
    seconds: f64,
}

pub(super) async fn answer(
    State(blackbox): State<Arc<Blackbox>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::read(query.as_deref().unwrap_or(""));
    let asked = match blackbox.asked(&parameters, &headers) {
        Ok(asked) => asked,
        Err((status, why)) => return refusal(status, &why),
    };
    let entry = blackbox.probe(asked).await;
    if parameters.first("debug") == "true" {
        return ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))], debug(&entry)).into_response();
    }
    ([(header::CONTENT_TYPE, METRICS_TYPE)], entry.metrics.clone()).into_response()
}

impl Blackbox {
    /// What is asked for, or why that can't be.
    fn asked(&self, parameters: &Parameters, headers: &HeaderMap) -> Result<Asked, (StatusCode, String)> {
        let bad = |why: String| (StatusCode::BAD_REQUEST, why);
        let module_name = match parameters.first("module") {
            "" => MODULE_DEFAULT,
            name => name,
        };
        let modules = Arc::clone(&self.modules.borrow());
        let Some(module) = modules.module(module_name) else {
            self.own.modules_unknown.inc();
            return Err(bad(format!("Unknown module {}", quoted(module_name))));
        };
        let scrape = headers.get(SCRAPE_TIMEOUT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let seconds = timeout::seconds(module.timeout, scrape.as_deref(), self.settings.timeout_offset.as_secs_f64());
        let seconds = seconds.map_err(|why| {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("Failed to parse timeout from Prometheus header: {why}"))
        })?;
        let target = match parameters.first("target") {
            "" => return Err(bad("Target parameter is missing".to_owned())),
            // Some escape twice; what is no escape stays as it is.
            given => unescaped(given).unwrap_or_else(|| given.to_owned()),
        };
        if module.prober.is_empty() {
            return Err(bad(format!("Unknown prober {}", quoted(&module.prober))));
        }
        let mut module = module.clone();
        let hostname = parameters.first("hostname");
        if !hostname.is_empty() {
            name_host(&mut module, hostname).map_err(bad)?;
        }
        Ok(Asked { module_name: module_name.to_owned(), module, target, seconds })
    }

    /// Probes, and keeps what came of it.
    async fn probe(&self, asked: Asked) -> Arc<Entry> {
        let Asked { module_name, module, target, seconds } = asked;
        let mut log = Log::new(&self.clock, &module_name, &target);
        let limit = super::exposition::number(seconds);
        log.line("info", "Beginning probe", &[("probe", &module.prober), ("timeout_seconds", &limit)]);
        let began = self.clock.boot();
        let mut gauges = Gauges::default();
        let looked_at = self.permitted(module.target(&target));
        let is_success = match looked_at {
            Ok(looked_at) => self.look(&module, looked_at, timeout::length(seconds), &mut gauges, &mut log).await,
            Err(refusal) => {
                series::write(&module, None, &mut gauges);
                log.line("error", &refusal.to_string(), &[]);
                false
            }
        };
        let elapsed = self.clock.boot().saturating_sub(began).as_secs_f64();
        let (level, end) = if is_success { ("info", "Probe succeeded") } else { ("error", "Probe failed") };
        log.line(level, end, &[("duration_seconds", &super::exposition::number(elapsed))]);
        gauges.set("probe_success", "Displays whether or not the probe was a success", f64::from(u8::from(is_success)));
        let help = "Returns how long the probe took to complete in seconds";
        gauges.set("probe_duration_seconds", help, elapsed);
        gauges.set("probe_timeout_seconds", "Returns how long the probe timeout is in seconds", seconds);
        let (log, metrics, module) = (log.into_text(), gauges.text(), Arc::new(module));
        self.history().add(|id| Entry { id, module_name, target, is_success, log, metrics, module })
    }

    /// Sockets in the file system are this machine's own: nobody else may choose one.
    fn permitted(&self, target: Result<Target, Refusal>) -> Result<Target, Refusal> {
        match (target?, self.settings.reach.scope) {
            (Target::Unix(_), Scope::Stranger) => Err(Refusal::Target(
                "a socket of this machine is probed only for who asks on loopback; listen on 127.0.0.1 for that".into(),
            )),
            (target, Scope::Stranger | Scope::Operator) => Ok(target),
        }
    }

    /// Looks at `target` once there is a place; whether it is well.
    async fn look(&self, module: &Module, target: Target, limit: Duration, gauges: &mut Gauges, log: &mut Log) -> bool {
        let began = self.clock.boot();
        let Ok(Ok(_place)) = tokio::time::timeout(limit, self.places.acquire()).await else {
            series::write(module, None, gauges);
            log.line("error", "Too many probes run at once", &[]);
            return false;
        };
        let left = limit.saturating_sub(self.clock.boot().saturating_sub(began));
        let prober = Arc::clone(&self.prober.borrow());
        // Plans read files.
        let planner = Arc::clone(&prober);
        let planned = spawn_blocking(move || (planner.plan(&target, left), target)).await;
        let (plan, target) = planned.expect("planning a probe doesn't panic");
        let evidence = prober.probe(&plan).await;
        let complaint = complaint(&evidence, &target, limit);
        log.evidence(&evidence, complaint.as_ref());
        let seen = Seen { target: &target, evidence: &evidence, complaint: complaint.as_ref() };
        series::write(module, Some(&seen), gauges);
        complaint.is_none()
    }
}

/// Makes `module` ask for the target under `hostname`.
fn name_host(module: &mut Module, hostname: &str) -> Result<(), String> {
    match module.prober.as_str() {
        "http" => {
            let given = module.http.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
            if let Some((_, HeaderText(value))) = given.filter(|(_, value)| value.0 != hostname) {
                return Err(format!(
                    "host header defined both in module configuration ({value}) and with URL-parameter 'hostname' ({hostname})"
                ));
            }
            module.http.headers.retain(|name, _| !name.eq_ignore_ascii_case("host"));
            module.http.headers.insert("Host".to_owned(), HeaderText(hostname.to_owned()));
        }
        "tcp" if module.tcp.tls_config.server_name.is_empty() => {
            module.tcp.tls_config.server_name = hostname.to_owned();
        }
        _ => {}
    }
    Ok(())
}
