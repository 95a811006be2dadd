//! Who asks: basic credentials, a credential of any type, or a token by OAuth2.

use super::{Proxy, TlsConfig};
use crate::blackbox::shape::{Record, Visit};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// `basic_auth`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BasicAuth {
    /// Who.
    pub username: String,
    /// A file that says who.
    pub username_file: String,
    /// A name in a secret manager; there is none here.
    pub username_ref: String,
    /// The password.
    pub password: Secret,
    /// A file with the password.
    pub password_file: String,
    /// A name in a secret manager; there is none here.
    pub password_ref: String,
}

impl Record for BasicAuth {
    const NAME: &'static str = "config.BasicAuth";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("username", &mut self.username);
        visit.field("username_file", &mut self.username_file);
        visit.field("username_ref", &mut self.username_ref);
        visit.field("password", &mut self.password);
        visit.field("password_file", &mut self.password_file);
        visit.field("password_ref", &mut self.password_ref);
    }
}

/// `authorization`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Authorization {
    /// `Bearer` unless said otherwise.
    pub kind: String,
    /// What follows it.
    pub credentials: Secret,
    /// A file with what follows it.
    pub credentials_file: String,
    /// A name in a secret manager; there is none here.
    pub credentials_ref: String,
}

impl Record for Authorization {
    const NAME: &'static str = "config.Authorization";
    const TYPE: &'static str = "config.Authorization";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("type", &mut self.kind);
        visit.field("credentials", &mut self.credentials);
        visit.field("credentials_file", &mut self.credentials_file);
        visit.field("credentials_ref", &mut self.credentials_ref);
    }
}

/// `oauth2`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OAuth2 {
    /// Who asks for tokens.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// A file with the client's secret.
    pub client_secret_file: String,
    /// A name in a secret manager; there is none here.
    pub client_secret_ref: String,
    /// For signed requests, which are not supported.
    pub client_certificate_key_id: String,
    /// For signed requests, which are not supported.
    pub client_certificate_key: Secret,
    /// For signed requests, which are not supported.
    pub client_certificate_key_file: String,
    /// For signed requests, which are not supported.
    pub client_certificate_key_ref: String,
    /// `client_credentials` unless said otherwise.
    pub grant_type: String,
    /// For signed requests, which are not supported.
    pub signature_algorithm: String,
    /// For signed requests, which are not supported.
    pub iss: String,
    /// For signed requests, which are not supported.
    pub audience: String,
    /// For signed requests, which are not supported.
    pub claims: BTreeMap<String, String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Where tokens come from.
    pub token_url: String,
    /// What else is sent there.
    pub endpoint_params: BTreeMap<String, String>,
    /// How the way there is secured.
    pub tls_config: TlsConfig,
    /// The way there.
    pub proxy: Proxy,
}

impl Record for OAuth2 {
    const NAME: &'static str = "config.OAuth2";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("client_id", &mut self.client_id);
        visit.field("client_secret", &mut self.client_secret);
        visit.field("client_secret_file", &mut self.client_secret_file);
        visit.field("client_secret_ref", &mut self.client_secret_ref);
        visit.field("client_certificate_key_id", &mut self.client_certificate_key_id);
        visit.field("client_certificate_key", &mut self.client_certificate_key);
        visit.field("client_certificate_key_file", &mut self.client_certificate_key_file);
        visit.field("client_certificate_key_ref", &mut self.client_certificate_key_ref);
        visit.field("grant_type", &mut self.grant_type);
        visit.field("signature_algorithm", &mut self.signature_algorithm);
        visit.field("iss", &mut self.iss);
        visit.field("audience", &mut self.audience);
        visit.field("claims", &mut self.claims);
        visit.field("scopes", &mut self.scopes);
        visit.field("token_url", &mut self.token_url);
        visit.field("endpoint_params", &mut self.endpoint_params);
        visit.field("tls_config", &mut self.tls_config);
        self.proxy.fields(visit);
    }

    fn check(&mut self) -> Result<(), String> {
        self.proxy.check()
    }
}
