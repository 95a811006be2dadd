//! Secrets: read from a file or the environment, and never shown.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Environment, Placed, Reading, placed, text};
use crate::scalar::words;
pub use rules::check::Secret;
use rules::check::SecretSource;
use std::path::{Path, PathBuf};

/// The largest secret file: tokens are short, and a wrong path may name anything.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A path; a relative one is relative to the directory of the configuration.
pub(crate) fn path(node: &Node, reading: &mut Reading) -> Option<PathBuf> {
    match text(node, reading)? {
        "" => reading.problem(node.at, "a path is empty; name a file, or leave the key out"),
        given => Some(reading.base_dir.join(given)),
    }
}

/// The secret in the file that `node` names, without the line's end.
pub(crate) fn secret_file(node: &Node, reading: &mut Reading) -> Option<Secret> {
    let path = path(node, reading)?;
    match read_secret(&path) {
        Ok(secret) if secret.expose().is_empty() => {
            reading.problem(node.at, format!("{} is empty; write the secret into it", path.display()))
        }
        Ok(secret) => Some(secret),
        Err(error) => {
            let path = path.display();
            reading.problem(node.at, format!("{path} can't be read ({error}); name a file with the secret in it"))
        }
    }
}

fn read_secret(path: &Path) -> std::io::Result<Secret> {
    use std::io::Read as _;
    let mut secret = String::new();
    let length = std::fs::File::open(path)?.take(SECRET_BYTES_MAX + 1).read_to_string(&mut secret)?;
    if !u64::try_from(length).is_ok_and(|length| length <= SECRET_BYTES_MAX) {
        let why = format!("it is larger than {SECRET_BYTES_MAX} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, why));
    }
    Ok(Secret::new(secret.trim_end_matches(['\r', '\n'])))
}

/// A secret that must come from the environment: `${NAME}`, alone or within a text.
pub(crate) fn secret_from_environment(node: &Node, reading: &mut Reading) -> Option<Secret> {
    reading.conceal(node.at);
    let given = text(node, reading)?;
    if !given.contains("${") {
        return reading.problem(
            node.at,
            "a secret stands in the file itself; write `${NAME}` for an environment variable, or use the key that ends in `_file`",
        );
    }
    expanded(node, reading).map(Secret::new)
}

/// A secret from the environment under `key`, or from a file under `file`.
pub(crate) fn secret_or_file(
    keys: &mut Keys<'_>,
    key: &'static str,
    file: &'static str,
    reading: &mut Reading,
) -> Option<Secret> {
    let from_file = keys.optional(file, reading, secret_file);
    let given = keys.optional(key, reading, placed(secret_from_environment));
    match (from_file, given) {
        (Some(_), Some(Placed { at, .. })) => {
            reading.problem(at, format!("`{key}` is given twice, here and by `{file}`; keep one"))
        }
        (from_file, given) => from_file.or(given.map(|given| given.value)),
    }
}

/// A secret of a check: from the environment in a file, as it is in a document from another program.
pub(crate) fn check_secret(node: &Node, reading: &mut Reading) -> Option<Secret> {
    match reading.environment {
        Environment::Process => secret_from_environment(node, reading),
        Environment::Sealed | Environment::Filled => {
            reading.conceal(node.at);
            text(node, reading).map(Secret::new)
        }
    }
}

/// A file of the agent's machine that a probe reads a secret from.
pub(crate) fn check_secret_file(node: &Node, reading: &mut Reading) -> Option<SecretSource> {
    words(node, reading).map(SecretSource::File)
}

/// A text in which `${NAME}` is replaced by the environment's `NAME` and `$$` by `$`.
pub(crate) fn expanded(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    match reading.environment {
        Environment::Process => reading.expanded.push(node.at),
        Environment::Sealed | Environment::Filled => return Some(given.to_owned()),
    }
    let mut out = String::new();
    let mut rest = given;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            match std::env::var(name) {
                Ok(value) => out.push_str(&value),
                Err(_) => {
                    let name = name.escape_debug();
                    let message =
                        format!("the environment has no variable `{name}`; set it, or write `$$` for a dollar sign");
                    return reading.problem(node.at, message);
                }
            }
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    Some(out)
}

/// 32 bytes in hexadecimal. The text is shown nowhere: it may be the token itself.
pub(crate) fn sha256(node: &Node, reading: &mut Reading) -> Option<[u8; 32]> {
    let given = text(node, reading)?;
    let mut digest = [0; 32];
    let is_hex = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        reading.conceal(node.at);
        let message = format!(
            "this is no SHA-256: it has {} characters instead of 64 hexadecimal digits; write what `printf %s \"$TOKEN\" | sha256sum` prints",
            given.chars().count()
        );
        return reading.problem(node.at, message);
    }
    for (byte, pair) in digest.iter_mut().zip(given.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | hex_value(*digit));
    }
    Some(digest)
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::ConfigError;

    #[track_caller]
    fn check(given: &str, environment: Environment, expected: Result<&str, &str>) {
        let mut reading = Reading::new(PathBuf::new(), environment);
        let node = reading.parse("a.yaml", &format!("'{given}'")).unwrap();
        let value = expanded(&node, &mut reading);
        match (reading.end(value), expected) {
            (Ok(loaded), Ok(expected)) => assert_eq!(loaded.value, expected),
            (Err(ConfigError::Wrong(problems)), Err(expected)) => assert!(problems[0].message.contains(expected)),
            (outcome, expected) => panic!("{outcome:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_variable_is_replaced_and_a_missing_one_named() {
        check("a${CARGO_PKG_NAME}b$$c$d", Environment::Process, Ok("aconfigb$c$d"));
        check("${NINES_NO_SUCH_VARIABLE}", Environment::Process, Err("`NINES_NO_SUCH_VARIABLE`"));
    }

    #[test]
    fn a_text_from_another_machine_never_reads_our_environment() {
        check("a${CARGO_PKG_NAME}", Environment::Sealed, Ok("a${CARGO_PKG_NAME}"));
    }
}
