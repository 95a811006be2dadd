//! What the machine says of itself and of processes: CPU time, memory, load. It never says what time it is.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// What a tick in `/proc/PID/stat` is: Linux's `USER_HZ` is 100 wherever this runs.
const TICK: Duration = Duration::from_millis(10);

/// The machine, in one line.
pub(crate) fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let value = |line: &str| line.split_once(": ").map(|(_, value)| value.to_owned());
    let model = info.lines().find(|line| line.starts_with("model name")).and_then(value).unwrap_or_default();
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let memory = read("/proc/meminfo").lines().next().and_then(kilobytes).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let build = if cfg!(debug_assertions) { "a DEBUG build" } else { "a release build" };
    format!(
        "{cores} cores of {model}, {:.0} GB of memory, Linux {}, load average {:.1}, {build}",
        memory / 1e6,
        kernel.trim(),
        load()
    )
}

/// The load average of the last minute.
pub(crate) fn load() -> f64 {
    fs::read_to_string("/proc/loadavg").unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// CPU time that a process and its threads took so far.
pub(crate) fn cpu(process: u32) -> Duration {
    ticks(&process.to_string(), 0)
}

/// CPU time that this process's children took which have ended.
pub(crate) fn cpu_of_ended() -> Duration {
    ticks("self", 2)
}

/// CPU time that this thread took so far, finer than a tick.
pub(crate) fn cpu_of_thread() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Memory that a process has in use, shared pages of files included, in megabytes.
pub(crate) fn resident_mb(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status.lines().find(|line| line.starts_with("VmRSS")).and_then(kilobytes).unwrap() / 1e3
}

/// Bytes of all files under a directory, or of one file.
pub(crate) fn bytes_on_disk(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.map(|entry| bytes_on_disk(&entry.unwrap().path())).sum(),
        Err(_) => fs::metadata(path).map_or(0, |file| file.len()),
    }
}

/// Two fields of `stat` behind the program's name, which may hold spaces: user and system time begin at the twelfth.
fn ticks(process: &str, skipped: usize) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11 + skipped).take(2);
    let ticks: u32 = fields.map(|field| field.parse::<u32>().unwrap()).sum();
    TICK * ticks
}

fn kilobytes(line: &str) -> Option<f64> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Microseconds for each of `count`.
pub(crate) fn micros_each(time: Duration, count: f64) -> f64 {
    time.as_secs_f64() * 1e6 / count
}
