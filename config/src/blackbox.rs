//! `blackbox.yml`: the modules of blackbox_exporter, read as it reads them.
//!
//! Every key, default, unit and mistake is the peer's (0.28), so that a file that works there works
//! here and one that is refused there is refused here in the same words. [`Module::target`] makes of a
//! module and an address what the probers look at. Files that a
//! module names are not read here, and relative names are relative to the working directory.

mod client;
mod dns;
mod http;
mod module;
mod quantity;
mod regexp;
mod shape;
mod shown;
mod target;
mod yaml;

pub use client::{Authorization, BasicAuth, Client, HeaderValues, OAuth2, Proxy, TlsConfig, TlsVersionText, UrlText};
pub use dns::{DnsModule, RecordRules};
pub use http::{HeaderMatch, HttpModule, Size};
pub use module::{
    GrpcModule, HeaderText, IcmpModule, Label, Module, QueryResponse, TcpModule, UnixModule, WebsocketModule,
};
pub use regexp::Regexp;
pub use shape::Bytes;
pub use target::Refusal;

use crate::files::FILE_BYTES_MAX;
use module::{File, conceal};
use shape::{Field, Reading};
use shown::Shown;
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The modules of a file, by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Modules {
    modules: BTreeMap<String, Module>,
    /// What an operator should know, one sentence each.
    pub warnings: Vec<String>,
}

/// A file that can't be used, in blackbox_exporter's words.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can't be read.
    #[error("error reading config file: open {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What it says is wrong; secrets are not repeated.
    #[error("error parsing config file: {0}")]
    Wrong(String),
}

/// Reads the file at `path`.
pub fn load(path: &Path) -> Result<Modules, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    parse(&text)
}

/// Reads `text`.
pub fn parse(text: &str) -> Result<Modules, LoadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let node = yaml::parse(text).map_err(LoadError::Wrong)?.ok_or_else(|| LoadError::Wrong("EOF".into()))?;
    let (mut file, mut reading) = (File::default(), Reading::default());
    if !matches!(node.value, yaml::Value::Null) {
        file.read(&node, &mut reading);
    }
    if let Some(refusal) = reading.refusal {
        return Err(LoadError::Wrong(refusal));
    }
    if !reading.mistakes.is_empty() {
        return Err(LoadError::Wrong(format!("yaml: unmarshal errors:\n  {}", reading.mistakes.join("\n  "))));
    }
    let mut warnings = Vec::new();
    for (name, module) in &mut file.modules {
        // The page of modules shows only what took its place.
        if module.http.no_follow_redirects.take().is_some() {
            let why = "no_follow_redirects is deprecated, it is replaced by follow_redirects";
            warnings.push(format!("module `{name}`: {why}"));
        }
    }
    Ok(Modules { modules: file.modules, warnings })
}

impl Modules {
    /// The module of that name.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.get(name)
    }

    /// Every module by its name, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Module)> {
        self.modules.iter().map(|(name, module)| (name.as_str(), module))
    }

    /// The file as it was understood, defaults filled in and secrets hidden: the page `/config`.
    pub fn shown(&self) -> String {
        let mut file = File { modules: self.modules.clone() };
        document(file.shown().unwrap_or_else(|| Shown::Map(vec![("modules".into(), Shown::Map(Vec::new()))])))
    }
}

impl Module {
    /// The module as it was understood, defaults filled in and secrets hidden.
    pub fn shown(&self) -> String {
        document(Field::shown(&mut self.clone()).unwrap_or_else(|| Shown::Map(Vec::new())))
    }
}

fn document(mut shown: Shown) -> String {
    conceal(&mut shown);
    shown.document()
}

#[cfg(test)]
mod tests;
