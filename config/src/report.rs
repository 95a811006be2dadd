//! What `validate` prints: every mistake or doubt with its place, and the verdict last.

use crate::reading::{ConfigError, Loaded};
use crate::source::Finding;
use std::fmt::Write as _;

/// The lines for a terminal, each ended; `file` is the file that was asked about.
pub fn validation<T>(file: &str, outcome: &Result<Loaded<T>, ConfigError>) -> String {
    match outcome {
        Ok(loaded) if loaded.warnings.is_empty() => format!("{file}: good\n"),
        Ok(loaded) => {
            let verdict = counted(loaded.warnings.len(), "warning");
            format!("{}{file}: good, with {verdict}\n", warnings(&loaded.warnings))
        }
        Err(error @ ConfigError::Unreadable { .. }) => format!("{error}\n"),
        Err(ConfigError::Wrong(findings)) => {
            let verdict = counted(findings.len(), "mistake");
            format!("{}{file}: wrong, with {verdict}\n", lines(findings, ""))
        }
    }
}

/// The doubts alone, for a program that goes on to run.
pub fn warnings(warnings: &[Finding]) -> String {
    lines(warnings, "warning: ")
}

fn lines(findings: &[Finding], label: &'static str) -> String {
    let mut out = String::new();
    for finding in findings {
        let finding = Finding { message: format!("{label}{}", finding.message), ..finding.clone() };
        // Writing to a string can't fail.
        let _ = writeln!(out, "{finding}");
    }
    out
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
