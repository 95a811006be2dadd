//! Starts a local command and waits for its end: Nagios plugins and whatever keeps their exit codes.
//!
//! No shell, no inherited environment, no terminal. The command has a process group of its own,
//! which is gone when the probe is, whether that ends, times out or is dropped: nothing that it
//! started in that group outlives it, and no zombie stays. A command that came from elsewhere is
//! not started unless the agent's own file allows its program.

mod group;
mod output;

use super::Means;
use super::trace::{Break, Trace, fault_of};
use group::Group;
use output::{Output, Taken};
use rules::check::{ExecTarget, Permission};
use rules::evidence::{Facts, Fault, Phase, ProcessEnd};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

/// Where commands find those that they start themselves: the system's own directories.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Numbers and words as plugins' readers expect them.
const LANG: &str = "C.UTF-8";

/// A command, ready to be started.
#[derive(Debug)]
pub(crate) struct Exec {
    target: ExecTarget,
}

impl Exec {
    pub(crate) fn prepare(target: &ExecTarget, _means: &Means) -> Result<Exec, Break> {
        match target.permission {
            Permission::Granted => Ok(Exec { target: target.clone() }),
            Permission::Withheld => Err(Break::new(Fault::Instruction, &refusal(target))),
        }
    }

    pub(crate) async fn look(&self, _means: &Means, _budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        trace.enter(Phase::FirstByte);
        let mut child = self.start()?;
        // Declared after the child, so dropped before it: while the child is not reaped its group's
        // number can be nobody else's.
        let group = Group::of(&child).map_err(|error| broken("watch the command", &error))?;
        let mut output = Output::of(&mut child);
        let first_byte = trace.first_byte();
        loop {
            let taken = tokio::select! {
                ended = group.ended() => {
                    ended.map_err(|error| broken("watch the command", &error))?;
                    break;
                }
                taken = output.take() => taken,
            };
            match taken {
                Taken::Some => first_byte.came(),
                Taken::TooMuch => {
                    let why = format!("the command wrote more than {} bytes", output::BYTES_MAX);
                    return Err(Break::new(Fault::Instruction, &why));
                }
            }
        }
        // What the command left behind holds the other end of its output.
        group.kill();
        output.take_what_is_there();
        let status = child.wait().await.map_err(|error| broken("learn how the command ended", &error))?;
        trace.evidence.facts = Some(Facts::Exec(Box::new(output.facts(end(status)))));
        Ok(())
    }

    fn start(&self) -> Result<Child, Break> {
        let ExecTarget { program, arguments, environment, .. } = &self.target;
        Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("LANG", LANG)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| broken(&format!("start `{program}`"), &error))
    }
}

/// What the command could not be made to do is this machine's doing, and never the target's.
fn broken(what: &str, error: &io::Error) -> Break {
    let fault = fault_of(error).filter(|fault| *fault == Fault::Exhausted).unwrap_or(Fault::Instruction);
    Break::new(fault, &format!("failed to {what}: {error}"))
}

fn refusal(target: &ExecTarget) -> String {
    let program = &target.program;
    if target.environment.is_empty() {
        format!(
            "`{program}` is not started for a check from elsewhere; allow it in agent.yaml: `exec: {{ allow: [{program}] }}`, or write the check there"
        )
    } else {
        format!("`{program}` is not started with the `env` of a check from elsewhere; write the check in agent.yaml")
    }
}

fn end(status: ExitStatus) -> ProcessEnd {
    match (status.code(), status.signal()) {
        (Some(code), _) => ProcessEnd::Exited(code),
        (None, signal) => ProcessEnd::Signalled(signal.unwrap_or(0)),
    }
}
