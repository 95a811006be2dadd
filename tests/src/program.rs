//! The real programs as child processes.
//!
//! A program is killed when its value is dropped. What it writes to stderr is kept, and a line that says `ERROR` fails a
//! test that did not ask for it: an error in the log means that data was lost or that a person is needed.

use crate::patience::eventually;
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Whether a program's log may tell of errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errors {
    /// Any is a finding.
    None,
    /// The test provokes them.
    Expected,
}

/// A program that runs, or ran.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    printed: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
    errors: Errors,
}

impl Program {
    /// Starts `nines` with these arguments; `name` stands in messages.
    pub fn start(name: &str, arguments: &[&OsStr]) -> Program {
        let mut command = command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (log, printed) = <(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>)>::default();
        let readers = vec![
            gather(child.stderr.take().unwrap(), Arc::clone(&log)),
            gather(child.stdout.take().unwrap(), Arc::clone(&printed)),
        ];
        Program { name: name.to_owned(), child, log, printed, readers, errors: Errors::None }
    }

    /// Says that the log may tell of errors from here on.
    pub fn expect_errors(&mut self) {
        self.errors = Errors::Expected;
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// What it wrote to stdout so far.
    pub fn printed(&self) -> Vec<String> {
        self.printed.lock().unwrap().clone()
    }

    /// The first line of the log that has this in it, once it is there.
    pub async fn logged(&mut self, words: &str) -> String {
        let what = format!("{} logs `{words}`", self.name);
        eventually(&what, async || {
            let log = self.log();
            match log.iter().find(|line| line.contains(words)) {
                Some(line) => Ok(line.clone()),
                None => match self.child.try_wait().unwrap() {
                    Some(status) => panic!("{} ended with {status} instead:\n{}", self.name, log.join("\n")),
                    None => Err(log.join("\n")),
                },
            }
        })
        .await
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.read_to_the_end();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Asks it to end, and waits until it has, in good order.
    pub async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let what = format!("{} stops when told to", self.name);
        let status =
            eventually(&what, async || self.child.try_wait().unwrap().ok_or_else(|| self.log().join("\n"))).await;
        self.read_to_the_end();
        assert!(status.success(), "{} stopped with {status}:\n{}", self.name, self.log().join("\n"));
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} ends by itself", self.name);
        let status =
            eventually(&what, async || self.child.try_wait().unwrap().ok_or_else(|| self.log().join("\n"))).await;
        self.read_to_the_end();
        status
    }

    fn read_to_the_end(&mut self) {
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.read_to_the_end();
        let log = self.log();
        if std::thread::panicking() {
            let last = log.len().saturating_sub(40);
            eprintln!("--- log of {}:\n{}", self.name, log[last..].join("\n"));
            return;
        }
        let errors: Vec<&String> =
            log.iter().filter(|line| line.contains(" ERROR ") || line.contains("panicked")).collect();
        assert!(self.errors == Errors::Expected || errors.is_empty(), "{} logged errors:\n{errors:#?}", self.name);
    }
}

/// Runs `nines` with these arguments to its end.
pub fn run(arguments: &[&OsStr]) -> Output {
    command(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs `nines` as [`run`] does, and gives what it wrote to stdout; it must succeed.
pub fn answer(arguments: &[&OsStr]) -> String {
    let Output { status, stdout, stderr } = run(arguments);
    assert!(status.success(), "{arguments:?} ended with {status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The address that a line of the log gives for `key`.
pub fn address(line: &str, key: &str) -> SocketAddr {
    let pattern = Regex::new(&format!(r#"\b{key}="?([^\s"]+)"#)).unwrap();
    let found = pattern.captures(line).unwrap_or_else(|| panic!("no `{key}=` in: {line}"));
    found[1].parse().unwrap()
}

/// The program with these arguments, not yet started.
pub fn command(arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(path());
    // The tests' own log settings are not the programs'.
    command.args(arguments).env_remove("NINES_LOG").env("RUST_BACKTRACE", "1");
    command
}

/// Cargo builds it with the tests, into the directory above the test's own.
fn path() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let directories = own.ancestors().skip(1).take(2);
    let candidates: Vec<PathBuf> = directories.map(|directory| directory.join("nines-under-test")).collect();
    let found = candidates.iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("none of {candidates:?} exists: run the tests by `cargo test`")).clone()
}

fn gather(source: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let read = BufReader::new(source).lines().map_while(Result::ok);
        read.for_each(|line| lines.lock().unwrap().push(line));
    })
}
