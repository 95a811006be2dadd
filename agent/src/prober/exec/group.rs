//! A command's process group: watched for its leader's end, and killed whole.
//!
//! The leader's end is learnt from a pidfd, which leaves it unreaped: until then the group's number
//! can't have gone to another process, so the signal meets nobody else's. What a command moves out
//! of its group on purpose (`setsid`) is beyond reach.

use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, kill_process_group, pidfd_open, prlimit};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::process::Child;

/// Descriptors that a command may open: the usual limit, and not the agent's own raised one, up to
/// which old plugins close everything one by one.
const DESCRIPTORS_MAX: u64 = 1024;

/// The group of a command that was started as its leader; dropping it kills the group.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    watched: AsyncFd<OwnedFd>,
}

impl Group {
    /// The group of `child`, which is not reaped.
    pub(super) fn of(child: &Child) -> io::Result<Group> {
        let number = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let leader = number.ok_or_else(|| io::Error::other("it has no number"))?;
        let watched = pidfd_open(leader, PidfdFlags::NONBLOCK).map_err(io::Error::from).and_then(watch);
        match watched {
            Ok(watched) => {
                limit(leader);
                Ok(Group { leader, watched })
            }
            Err(error) => {
                kill(leader);
                Err(error)
            }
        }
    }

    /// Waits for the leader's end. Safe to drop at any time.
    pub(super) async fn ended(&self) -> io::Result<()> {
        self.watched.readable().await.map(drop)
    }

    /// Kills what is left of the group; only while the leader is not reaped.
    pub(super) fn kill(self) {
        drop(self);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        kill(self.leader);
    }
}

#[expect(deprecated, reason = "what replaces it is unsafe, and an owned descriptor never becomes another one")]
fn watch(leader: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(leader, Interest::READABLE)
}

fn kill(leader: Pid) {
    // It fails when nothing is left to be killed, or for what runs as another user by now.
    let _ = kill_process_group(leader, Signal::KILL);
}

/// Keeps a command from dumping its memory on the disk and from inheriting the agent's descriptor
/// limit; one that runs as another user keeps its own.
fn limit(leader: Pid) {
    let at_most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    let _ = prlimit(Some(leader), Resource::Core, at_most(0));
    let _ = prlimit(Some(leader), Resource::Nofile, at_most(DESCRIPTORS_MAX));
}
