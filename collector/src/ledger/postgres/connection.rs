//! Connections to PostgreSQL: how they are made, pooled, bounded in time, and tried again.
//!
//! TLS is rustls with the system's authorities and always verifies; it is required unless the
//! server is on this machine or the address says `sslmode=disable`.

use crate::ledger::LedgerError;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Connections of one collector: commits are grouped, so few are busy at once, and the server's
/// own limit (100 by default) is shared by all collectors.
const CONNECTIONS_MAX: usize = 8;
/// How long a connection may take to be made, or to become free.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long one call may take, its `COMMIT` on a synchronous standby included; after that the
/// connection is given up, and whether it happened is open.
const CALL_TIME: Duration = Duration::from_secs(60);
/// How often a call is begun that others' transactions broke. A victim's next attempt waits for
/// the winner's row locks, so it needs no pause.
const ATTEMPTS_MAX: u32 = 5;
/// A server that is gone without a word is noticed after this and a few probes.
const KEEPALIVE_TIME: Duration = Duration::from_secs(30);

/// What holds for a connection whatever the server's defaults are: durable commits, and no
/// statement, lock or forgotten transaction that holds up others for long.
const SESSION: &str = "SET synchronous_commit = 'on'; SET statement_timeout = '30s'; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s'; SET default_transaction_isolation = 'read committed'";

/// The pool, and the one way to use a connection of it.
pub(crate) struct Connections {
    pool: Pool,
}

impl Connections {
    /// Reads `postgres://…`; connects when it is first used.
    pub(crate) fn to(url: &str) -> Result<Connections, LedgerError> {
        let unreadable = |error: tokio_postgres::Error| {
            let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            LedgerError::Address { why: format!("its address is not understood, {why}") }
        };
        let mut config: Config = url.parse().map_err(unreadable)?;
        secure(&mut config);
        config.connect_timeout(CONNECT_TIME).keepalives_idle(KEEPALIVE_TIME).keepalives_interval(KEEPALIVE_TIME / 6);
        if config.get_application_name().is_none() {
            config.application_name("nines-collector");
        }
        let tls = MakeRustlsConnect::new(tls(config.get_ssl_mode())?);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let settle = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) }.boxed()
        });
        let pool = Pool::builder(Manager::from_config(config, tls, recycling))
            .max_size(CONNECTIONS_MAX)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_TIME))
            .create_timeout(Some(CONNECT_TIME))
            .recycle_timeout(Some(CONNECT_TIME))
            .post_create(settle)
            .build();
        Ok(Connections { pool: pool.map_err(|source| failed("make connections", source))? })
    }

    /// Runs `work` on a connection; again if it lost to another transaction without having happened.
    pub(crate) async fn run<T>(
        &self,
        doing: &'static str,
        work: impl for<'a> Fn(&'a mut Object) -> BoxFuture<'a, Result<T, LedgerError>>,
    ) -> Result<T, LedgerError> {
        let mut attempt = 1;
        loop {
            let mut connection = self.pool.get().await.map_err(|source| failed("connect to", source))?;
            let outcome = timeout(CALL_TIME, work(&mut connection)).await;
            match outcome.unwrap_or_else(|elapsed| Err(failed(doing, elapsed))) {
                Err(error) if attempt < ATTEMPTS_MAX && lost_to_another(&error) => attempt += 1,
                Err(error) => {
                    // It may be cut, or still busy with what was given up.
                    drop(Object::take(connection));
                    return Err(error);
                }
                done => return done,
            }
        }
    }
}

/// Says what was being done when the server or the way to it failed.
pub(crate) fn refused(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> LedgerError {
    move |source| failed(doing, source)
}

fn failed(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> LedgerError {
    LedgerError::Postgres { doing, source: source.into() }
}

/// Whether the server says that the transaction was undone because of a concurrent one.
fn lost_to_another(error: &LedgerError) -> bool {
    let LedgerError::Postgres { source, .. } = error else { return false };
    let undone = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    let code = source.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    code.is_some_and(|code| undone.contains(code))
}

/// `prefer`, the default, promises nothing to anybody: on this machine it means no TLS (a server's
/// own certificate would not verify), elsewhere it means TLS.
fn secure(config: &mut Config) {
    if config.get_ssl_mode() == SslMode::Prefer {
        let here = config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        config.ssl_mode(if here { SslMode::Disable } else { SslMode::Require });
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        Host::Unix(_) => true,
    }
}

fn tls(mode: SslMode) -> Result<ClientConfig, LedgerError> {
    let mut roots = RootCertStore::empty();
    if mode != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(LedgerError::Address {
                why: "this machine has no certificate authorities to verify it by".into(),
            });
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|source| failed("set up TLS to", source))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, mode: SslMode) {
        let mut config: Config = url.parse().unwrap();
        secure(&mut config);
        assert_eq!(config.get_ssl_mode(), mode, "{url}");
    }

    #[test]
    fn tls_is_required_off_this_machine_unless_it_is_disabled_by_name() {
        check("postgres://nines@db.example/nines", SslMode::Require);
        check("postgres://nines@localhost,db.example/nines", SslMode::Require);
        check("postgres://nines@db.example/nines?sslmode=prefer", SslMode::Require);
        check("postgres://nines@db.example/nines?sslmode=disable", SslMode::Disable);
        check("postgres://nines@localhost/nines", SslMode::Disable);
        check("postgres://nines@127.0.0.1/nines?sslmode=require", SslMode::Require);
        check("postgres:///nines?host=/run/postgresql", SslMode::Disable);
    }

    #[test]
    fn an_address_that_is_not_understood_is_refused_without_its_password() {
        let refusal = Connections::to("postgres://nines:secret@db.example/nines?sslmood=require").err().unwrap();
        insta::assert_snapshot!(refusal, @"failed to open the ledger: its address is not understood, unknown option `sslmood`; give `sqlite:PATH`, `sqlite::memory:` or `postgres://USER@HOST/DATABASE`");
    }
}
