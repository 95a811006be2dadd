//! What a `heartbeat` check waits for.

use crate::cron::Cron;
use crate::period::Zone;
use crate::time::Timestamp;
use alloc::string::String;
use core::time::Duration;

/// How long after a run is due its report may come, when a check doesn't say.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(3600);

/// A job that reports when it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeartbeatTarget {
    /// When it is due, as written.
    pub address: String,
    /// When it is due.
    pub schedule: JobSchedule,
    /// How long after that its report may come.
    pub grace: Duration,
    /// How long a run may take that reported its start; absent: until the grace is over.
    pub run_max: Option<Duration>,
    /// How many bytes a run at least makes.
    pub bytes_min: Option<u64>,
}

/// When a job is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobSchedule {
    /// At these times.
    Cron {
        /// The times.
        cron: Cron,
        /// Whose clocks show them.
        zone: Zone,
        /// The longest time from one to the next.
        every: Duration,
    },
    /// So long after its last run.
    Every(Duration),
}

impl HeartbeatTarget {
    /// The longest time from one run to the next: how often a result comes at least.
    pub fn every(&self) -> Duration {
        match self.schedule {
            JobSchedule::Cron { every, .. } | JobSchedule::Every(every) => every,
        }
    }

    /// The run after one that was due at `instant`; [`Timestamp::MAX`] if none ever comes.
    pub fn due_after(&self, instant: Timestamp) -> Timestamp {
        match &self.schedule {
            JobSchedule::Cron { cron, zone, .. } => cron.next_after(instant, zone).unwrap_or(Timestamp::MAX),
            JobSchedule::Every(every) => instant.plus(*every),
        }
    }
}
