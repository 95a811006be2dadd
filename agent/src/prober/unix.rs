//! Probes a socket in the file system: it is up when it accepts a connection and holds the check's
//! dialog, if it has one.

use super::Means;
use super::dialog::Talk;
use super::trace::{Break, Trace, fault_of};
use rules::check::UnixTarget;
use rules::evidence::{Fault, Phase};
use rules::reach::Scope;
use rustix::io::Errno;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UnixStream;

/// A socket, ready to be probed.
#[derive(Debug)]
pub(crate) struct Unix {
    path: PathBuf,
    talk: Talk,
}

impl Unix {
    pub(crate) fn prepare(target: &UnixTarget, means: &Means) -> Result<Unix, Break> {
        if means.reach.scope == Scope::Stranger {
            let detail = "a socket of this machine may not be connected to on somebody else's word";
            return Err(Break::new(Fault::Forbidden, detail));
        }
        let UnixTarget { address, security, tls, dialog } = target;
        // A name in no file system begins with a zero byte, where people write an `@`.
        let path = match address.strip_prefix('@') {
            Some(name) => PathBuf::from(format!("\0{name}")),
            None => PathBuf::from(address),
        };
        Ok(Unix { path, talk: Talk::prepare(dialog, *security, tls, None, means)? })
    }

    pub(crate) async fn look(&self, _means: &Means, _budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        trace.enter(Phase::Connect);
        let connected = UnixStream::connect(&self.path).await;
        let stream = connected.map_err(|error| Break::new(connect_fault(&error), &error.to_string()))?;
        self.talk.hold(Box::new(stream), trace).await
    }
}

fn connect_fault(error: &io::Error) -> Fault {
    match Errno::from_io_error(error) {
        // There is no socket, or its queue is full: whoever should serve it does not.
        Some(Errno::NOENT | Errno::NOTDIR | Errno::AGAIN | Errno::PROTOTYPE | Errno::NOTSOCK) => Fault::Refused,
        // Nothing can be said of a socket that this agent may not open.
        Some(Errno::ACCESS | Errno::PERM) => Fault::Instruction,
        _ => fault_of(error).unwrap_or(Fault::Unnamed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_is_not_served_is_told_from_one_that_may_not_be_opened() {
        let check = |errno: Errno, fault| assert_eq!(connect_fault(&errno.into()), fault, "{errno}");
        check(Errno::NOENT, Fault::Refused);
        check(Errno::CONNREFUSED, Fault::Refused);
        check(Errno::AGAIN, Fault::Refused);
        check(Errno::ACCESS, Fault::Instruction);
        check(Errno::MFILE, Fault::Exhausted);
    }
}
