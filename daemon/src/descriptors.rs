//! File descriptors: a process that holds many sockets asks for all that it may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than any load of ours needs; some kernels' hard limit would make tables of gigabytes.
const DESCRIPTORS_MAX: u64 = 65_536;

/// Raises the soft limit of open files to the hard one, 65 536 at most, and returns it. A limit
/// that can't be raised stays as it is.
pub fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    let wanted = hard.min(DESCRIPTORS_MAX);
    if wanted <= soft || setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).is_err() {
        return soft;
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_limit_is_the_one_in_force() {
        let raised = raise();
        assert_eq!(getrlimit(Resource::Nofile).current, Some(raised));
    }
}
