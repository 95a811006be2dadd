//! What an `unix` check looks at.

use super::target::{TargetError, check_text, is_word, shown};
use super::{DialogStep, Security, TlsRule};
use alloc::string::String;
use alloc::vec::Vec;

/// The longest path of a socket: what Linux's address of one holds, less the end.
const PATH_BYTES_MAX: usize = 107;

/// A socket in the file system.
#[derive(Clone, PartialEq, Debug)]
pub struct UnixTarget {
    /// Its absolute path, or `@` and the name of one that is in no file system.
    pub address: String,
    /// Whether TLS is spoken from the start.
    pub security: Security,
    /// How TLS is spoken; a server name must be given in it, for a path is none.
    pub tls: TlsRule,
    /// What is said once there is a connection.
    pub dialog: Vec<DialogStep>,
}

impl UnixTarget {
    /// Reads an absolute path or `@name`, with or without `unix:` or `unix://` before it.
    pub fn parse(text: &str) -> Result<UnixTarget, TargetError> {
        check_text(text)?;
        let address = match text.split_once(':') {
            Some((scheme, rest)) if is_word(scheme, "unix") => rest.strip_prefix("//").unwrap_or(rest),
            _ => text,
        };
        let refuse = |why| Err(TargetError::Socket { path: shown(address), why });
        if !address.starts_with(['/', '@']) || address.len() < 2 {
            return refuse("is no absolute path; write one such as `/run/app.sock`, or `@name`");
        }
        if PATH_BYTES_MAX < address.len() {
            return refuse("is longer than the 107 bytes that a socket's path may have; use a shorter one");
        }
        Ok(UnixTarget {
            address: address.into(),
            security: Security::Plain,
            tls: TlsRule::default(),
            dialog: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_socket_is_read_from_its_path_alone_or_after_its_scheme() {
        for text in ["unix:/run/a.sock", "unix:///run/a.sock", "UNIX:/run/a.sock", "/run/a.sock"] {
            assert_eq!(UnixTarget::parse(text).unwrap().address, "/run/a.sock", "{text}");
        }
        assert_eq!(UnixTarget::parse("unix:@a").unwrap().address, "@a");
        for (text, why) in [("unix:run/a", "absolute path"), ("unix:/", "absolute path"), ("a b", "space")] {
            let message = UnixTarget::parse(text).unwrap_err().to_string();
            assert!(message.contains(why), "{text}: {message}");
        }
        let long = alloc::format!("/{}", "x".repeat(107));
        assert!(UnixTarget::parse(&long).unwrap_err().to_string().contains("107 bytes"));
    }
}
