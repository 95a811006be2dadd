//! Lists that stand in a file, in other files named by a pattern, or in both.

use crate::node::{Node, Value};
use crate::reading::{ConfigError, Reading};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest configuration file: ten times what 100 000 checks take.
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
    for path in paths(pattern, node, reading) {
        match read(&path) {
            Ok(text) => found.extend(maps(&path.display().to_string(), &text, reading)),
            Err(error) => {
                reading.problem::<()>(node.at, error.to_string());
            }
        }
    }
    found
}

/// The files that `pattern` names; no file, too many or a directory that can't be read is a mistake.
fn paths(pattern: &str, node: &Node, reading: &mut Reading) -> Vec<PathBuf> {
    let shown = pattern.escape_debug();
    // The directory is a name and no pattern, whatever signs it has.
    let base = PathBuf::from(glob::Pattern::escape(&reading.base_dir.to_string_lossy()));
    let found = match glob::glob(&base.join(pattern).to_string_lossy()) {
        Ok(found) => found.take(FILES_MAX + 1).collect::<Result<Vec<PathBuf>, _>>(),
        Err(error) => {
            let message =
                format!("`{shown}` is no pattern of files: {}; write one such as `policies/*.yaml`", error.msg);
            reading.problem::<()>(node.at, message);
            return Vec::new();
        }
    };
    let wrong = match found {
        Ok(paths) if FILES_MAX < paths.len() => {
            format!("`{shown}` names more than {FILES_MAX} files; put several entries into one file")
        }
        Ok(paths) if !paths.iter().any(|path| path.is_file()) => {
            format!("no file matches `{shown}`; name files that exist, relative to this file")
        }
        Ok(paths) => return paths.into_iter().filter(|path| path.is_file()).collect(),
        Err(error) => format!("{error}; let this user read it"),
    };
    reading.problem::<()>(node.at, wrong);
    Vec::new()
}

/// A file's one map, or its list of maps.
fn maps(name: &str, text: &str, reading: &mut Reading) -> Vec<Node> {
    match reading.parse(name, text) {
        Some(Node { value: Value::List(nodes), .. }) => nodes,
        Some(node) => vec![node],
        None => Vec::new(),
    }
}
