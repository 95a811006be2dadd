//! The way to a cluster's API.

use config::agent::discovery::{Access, Credentials, KubeApi};
use daemon::error_text::whole;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rules::check::Verify;
use std::error::Error;

/// Reads what `api` names and makes a client of it; no connection is opened yet.
pub(super) async fn connect(api: &KubeApi) -> Result<Client, String> {
    let mut config = match api {
        KubeApi::InCluster => Config::incluster().map_err(|error| {
            format!("this is no pod with a service account: {}; name `kubeconfig_file` or `api_server`", whole(&error))
        })?,
        KubeApi::Kubeconfig(file) => {
            let refuse = |error: &dyn Error| format!("{}: {}", file.display(), whole(error));
            let kubeconfig = Kubeconfig::read_from(file).map_err(|error| refuse(&error))?;
            let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
            config.map_err(|error| refuse(&error))?
        }
        KubeApi::At { url, access } => at(url, access)?,
    };
    // Whoever watches waits between attempts and says why.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| whole(&error))
}

fn at(url: &str, access: &Access) -> Result<Config, String> {
    let mut config = Config::new(url.parse().map_err(|error| format!("{url}: {error}"))?);
    config.root_cert_file.clone_from(&access.ca_file);
    config.accept_invalid_certs = access.verify == Verify::Nothing;
    let auth = &mut config.auth_info;
    match &access.credentials {
        None => {}
        Some(Credentials::Basic { username, password }) => {
            auth.username = Some(username.clone());
            auth.password = Some(password.as_ref().map_or("", |password| password.expose()).to_owned().into());
        }
        Some(Credentials::Token { token, .. }) => auth.token = Some(token.expose().to_owned().into()),
    }
    if let Some(identity) = &access.identity {
        auth.client_certificate = Some(identity.cert_file.to_string_lossy().into_owned());
        auth.client_key = Some(identity.key_file.to_string_lossy().into_owned());
    }
    Ok(config)
}
