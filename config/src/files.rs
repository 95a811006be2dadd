//! Lists that stand in a file, in other files named by a pattern, or in both.

use crate::node::{Node, Value};
use crate::reading::{ConfigError, Reading};
use std::io::Read as _;
use std::path::Path;

/// The largest configuration file: a hundred times one with 100 000 checks would still be a slip.
pub(crate) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How many files one pattern may name.
const FILES_MAX: usize = 10_000;

/// The text of the file at `path`.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        return Ok(text);
    }
    let why = format!("it is larger than {FILE_BYTES_MAX} bytes");
    Err(unreadable(std::io::Error::new(std::io::ErrorKind::FileTooLarge, why)))
}

/// The directory that relative paths in the file at `path` are relative to.
pub(crate) fn base_dir(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// The maps that `node` lists: a pattern of files, or a list of maps and patterns.
pub(crate) fn entries(node: &Node, reading: &mut Reading) -> Vec<Node> {
    match &node.value {
        Value::Nothing => Vec::new(),
        Value::Text(pattern) => matching(pattern, node, reading),
        Value::Map(_) => {
            reading.problem::<()>(node.at, "a map stands here; write a list with `-`, or a pattern of files");
            Vec::new()
        }
        Value::List(nodes) => nodes
            .iter()
            .flat_map(|node| match &node.value {
                Value::Text(pattern) => matching(pattern, node, reading),
                Value::Nothing | Value::List(_) | Value::Map(_) => vec![node.clone()],
            })
            .collect(),
    }
}

/// The maps in the files that `pattern` names, file by file in the order of their names.
fn matching(pattern: &str, node: &Node, reading: &mut Reading) -> Vec<Node> {
    let mut found = Vec::new();
    let joined = reading.base_dir.join(pattern);
    let paths = match glob::glob(&joined.to_string_lossy()) {
        Ok(paths) => paths,
        Err(error) => {
            let message = format!(
                "`{}` is no pattern of files: {}; write one such as `policies/*.yaml`",
                pattern.escape_debug(),
                error.msg
            );
            reading.problem::<()>(node.at, message);
            return found;
        }
    };
    let mut files = 0;
    for path in paths.flatten().filter(|path| path.is_file()).take(FILES_MAX) {
        files += 1;
        match read(&path) {
            Ok(text) => found.extend(maps(&path.display().to_string(), &text, reading)),
            Err(error) => {
                reading.problem::<()>(node.at, error.to_string());
            }
        }
    }
    if files == 0 {
        let message =
            format!("no file matches `{}`; name files that exist, relative to this file", pattern.escape_debug());
        reading.problem::<()>(node.at, message);
    }
    found
}

/// A file's one map, or its list of maps.
fn maps(name: &str, text: &str, reading: &mut Reading) -> Vec<Node> {
    match reading.parse(name, text) {
        Some(Node { value: Value::List(nodes), .. }) => nodes,
        Some(node) => vec![node],
        None => Vec::new(),
    }
}
