//! What an `exec` check looks at.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The most arguments of a command: far more than any plugin has options.
pub const ARGUMENTS_MAX: usize = 256;

/// A local command with the exit codes of Nagios plugins.
///
/// Its arguments and environment may hold secrets: only the program's path is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ExecTarget {
    /// The program's absolute path, without `.`, `..` or empty parts.
    pub program: String,
    /// What it is started with, each one handed over as it stands.
    pub arguments: Vec<String>,
    /// What its environment has besides `PATH` and `LANG`.
    pub environment: Vec<(String, String)>,
    /// What exit status 1 is.
    pub warning: Warning,
    /// What its word depends on.
    pub depends_on: DependsOn,
    /// Whether it may be started here.
    pub permission: Permission,
}

/// What a plugin's WARNING is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warning {
    /// Up: the target does what it is for.
    Up,
    /// Down.
    Down,
}

/// What the word of a command depends on besides its target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DependsOn {
    /// The agent's network: while that is away, a failure says nothing of the target.
    Network,
    /// This machine alone, as a look at its disks does.
    ThisMachine,
}

/// Whether a command may be started. Whoever may have a command started owns the machine, so one
/// that came over the network is withheld until the agent's own file allows its program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// The agent's own file, or the person at the terminal, says so.
    Granted,
    /// It came from elsewhere.
    Withheld,
}

/// A command that can't be one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommandError {
    /// Nothing is there.
    #[error("a command is empty; write `[/path/to/program, argument, …]`")]
    Empty,
    /// The program is no absolute path in its plain form.
    #[error(
        "the program `{0}` is no plain absolute path; write one such as `/usr/lib/nagios/plugins/check_http`, without `.` or `..` in it"
    )]
    Path(String),
    /// An argument that no program can be handed.
    #[error("argument {0} has a NUL character; leave it out")]
    Nul(usize),
    /// There are more than [`ARGUMENTS_MAX`].
    #[error("a command has {0} arguments; at most {ARGUMENTS_MAX} are allowed")]
    TooMany(usize),
}

impl ExecTarget {
    /// The command of these words, the first of which is its program; everything else has its
    /// default, and it is withheld.
    pub fn new(words: Vec<String>) -> Result<ExecTarget, CommandError> {
        let mut words = words.into_iter();
        let program = words.next().ok_or(CommandError::Empty)?;
        if !is_plain_path(&program) {
            return Err(CommandError::Path(program.chars().flat_map(crate::evidence::escaped).collect()));
        }
        let arguments: Vec<String> = words.collect();
        if ARGUMENTS_MAX < arguments.len() {
            return Err(CommandError::TooMany(arguments.len()));
        }
        if let Some(index) = arguments.iter().position(|argument| argument.contains('\0')) {
            return Err(CommandError::Nul(index + 1));
        }
        Ok(ExecTarget {
            program,
            arguments,
            environment: Vec::new(),
            warning: Warning::Up,
            depends_on: DependsOn::Network,
            permission: Permission::Withheld,
        })
    }

    /// Reads a command line as it is typed at a terminal, words apart by spaces; nothing quotes.
    /// Who types it may start it.
    pub fn from_line(line: &str) -> Result<ExecTarget, CommandError> {
        let words = line.split_whitespace().map(ToString::to_string).collect();
        ExecTarget::new(words).map(|target| ExecTarget { permission: Permission::Granted, ..target })
    }
}

/// Whether a pattern for paths can be held against `path` without being led around: it is absolute
/// and has no part that means another.
fn is_plain_path(path: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control);
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain))
}

impl fmt::Debug for ExecTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExecTarget { program, arguments, environment, warning, depends_on, permission } = self;
        f.debug_struct("ExecTarget")
            .field("program", program)
            .field("arguments", &format_args!("[{} redacted]", arguments.len()))
            .field("environment", &format_args!("[{} redacted]", environment.len()))
            .field("warning", warning)
            .field("depends_on", depends_on)
            .field("permission", permission)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_program_is_an_absolute_path_that_leads_nowhere_else() {
        let check = |path: &str, expected: bool| {
            assert_eq!(ExecTarget::new([path.to_string()].to_vec()).is_ok(), expected, "{path:?}");
        };
        check("/usr/lib/nagios/plugins/check_http", true);
        check("/opt/my plugins/check", true);
        for led in ["", "check_http", "./check", "/usr/../bin/sh", "/usr/./sh", "//bin/sh", "/bin/", "/", "/a\n", "/\0"]
        {
            check(led, false);
        }
    }

    #[test]
    fn arguments_are_never_shown() {
        let target = ExecTarget::from_line("/bin/check --password hunter2").unwrap();
        assert_eq!(target.arguments, ["--password", "hunter2"]);
        assert!(!format!("{target:?}").contains("hunter2"));
    }

    #[test]
    fn a_command_from_anywhere_but_the_terminal_is_withheld_at_first() {
        let target = ExecTarget::new(["/bin/check".to_string()].to_vec()).unwrap();
        assert_eq!(target.permission, Permission::Withheld);
    }
}
