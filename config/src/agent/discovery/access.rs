//! How an agent shows a source who it is, and whom it trusts there, under Prometheus' names.

use crate::agent::{Identity, identity};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::{truth, words};
use crate::secret::{Secret, path, secret_or_file};
use rules::check::Verify;
use std::path::PathBuf;

/// The way to a server.
#[derive(Clone, PartialEq, Debug)]
pub struct Access {
    /// Shows who the agent is.
    pub credentials: Option<Credentials>,
    /// The client certificate's chain and its key, PEM.
    pub identity: Option<Identity>,
    /// The authorities trusted instead of the machine's.
    pub ca_file: Option<PathBuf>,
    /// Whether the server's certificate has to be good.
    pub verify: Verify,
}

impl Access {
    /// Nothing is shown, and the machine's authorities are trusted.
    pub(super) fn none() -> Access {
        Access { credentials: None, identity: None, ca_file: None, verify: Verify::Chain }
    }
}

/// What goes into the header `Authorization`.
#[derive(Clone, PartialEq, Debug)]
pub enum Credentials {
    /// A name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Option<Secret>,
    },
    /// A scheme and what follows it.
    Token {
        /// The scheme: `Bearer`.
        scheme: String,
        /// What follows it.
        token: Secret,
    },
}

/// Reads `basic_auth`, `authorization` and `tls_config` among the keys of a source.
pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Access> {
    let basic = keys.optional("basic_auth", reading, placed(basic));
    let token = keys.optional("authorization", reading, placed(authorization));
    let access = keys.or("tls_config", Access::none(), reading, tls);
    let credentials = match (basic, token) {
        (Some(_), Some(Placed { at, .. })) => {
            return reading.problem(at, "a source has both `basic_auth` and `authorization`; keep one");
        }
        (basic, token) => basic.or(token).map(|credentials| credentials.value),
    };
    Some(Access { credentials, ..access })
}

fn basic(node: &Node, reading: &mut Reading) -> Option<Credentials> {
    let mut keys = Keys::of(node, "`basic_auth`", reading)?;
    let username = keys.required("username", reading, words);
    let password = secret_or_file(&mut keys, "password", "password_file", reading);
    keys.end(reading);
    Some(Credentials::Basic { username: username?, password })
}

fn authorization(node: &Node, reading: &mut Reading) -> Option<Credentials> {
    let mut keys = Keys::of(node, "`authorization`", reading)?;
    let scheme = keys.or("type", "Bearer".to_owned(), reading, words);
    let token = secret_or_file(&mut keys, "credentials", "credentials_file", reading);
    let at = keys.at;
    keys.end(reading);
    match token {
        Some(token) => Some(Credentials::Token { scheme, token }),
        None => reading.problem(at, "`authorization` has no credentials; add `credentials_file`"),
    }
}

fn tls(node: &Node, reading: &mut Reading) -> Option<Access> {
    let mut keys = Keys::of(node, "`tls_config`", reading)?;
    let skip = keys.or("insecure_skip_verify", false, reading, truth);
    let ca_file = keys.optional("ca_file", reading, path);
    let identity = identity("`tls_config`", &mut keys, reading);
    keys.end(reading);
    let verify = if skip { Verify::Nothing } else { Verify::Chain };
    Some(Access { credentials: None, identity: identity?, ca_file, verify })
}
