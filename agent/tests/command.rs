//! The `nines-agent` program as an operator meets it: exit codes, messages, signals.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn nines_agent() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nines-agent"));
    command.env_remove("NINES_LOG");
    command
}

fn validate(text: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agent.yaml");
    std::fs::write(&file, text).unwrap();
    nines_agent().arg("validate").arg(&file).output().unwrap()
}

#[test]
fn a_right_configuration_exits_with_0_and_a_wrong_one_with_78_and_its_place() {
    let right = validate("agent: seoul-1\nreferences: ['tcp:127.0.0.1:1']\nchecks: []\n");
    assert_eq!((right.status.code(), String::from_utf8_lossy(&right.stderr).as_ref()), (Some(0), ""));
    let wrong = validate("agent: seoul-1\nspol: {}\n");
    let message = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(78), "{message}");
    assert!(message.contains("agent.yaml:2:1") && message.contains("`spool`"), "{message}");
}

#[test]
fn a_wrong_command_line_exits_with_2_and_a_file_that_is_not_there_with_78() {
    assert_eq!(nines_agent().arg("probe").output().unwrap().status.code(), Some(2));
    let missing = nines_agent().args(["run", "--config", "/nowhere/agent.yaml"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nowhere/agent.yaml"));
}

#[test]
fn help_shows_an_example_of_each_command() {
    for command in ["run", "validate"] {
        let help = nines_agent().args([command, "--help"]).output().unwrap();
        let text = String::from_utf8(help.stdout).unwrap();
        assert!(help.status.success() && text.contains("Example: nines-agent"), "{text}");
    }
}

fn configuration(dir: &Path, target: &str) -> String {
    format!(
        "agent: seoul-1\nlisten: 127.0.0.1:0\nspool: {{ dir: {dir:?} }}\nreferences: ['tcp:{target}']\nchecks:\n  \
         - {{ service: apm, check: port, tcp: '{target}', every: 200ms, timeout: 200ms }}\n"
    )
}

#[test]
fn an_agent_that_cannot_start_exits_with_1_and_names_what_is_in_its_way() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (dir, address) = (tempfile::tempdir().unwrap(), taken.local_addr().unwrap());
    let file = dir.path().join("agent.yaml");
    let text = configuration(dir.path(), "127.0.0.1:1").replace("127.0.0.1:0", &address.to_string());
    std::fs::write(&file, text).unwrap();
    let refused = nines_agent().args(["run", "--config"]).arg(&file).env("NINES_LOG", "off").output().unwrap();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(message, format!("failed to listen on {address}: Address already in use (os error 98)\n"));
}

#[test]
fn a_hangup_reloads_and_a_terminate_stops_with_0() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agent.yaml");
    std::fs::write(&file, configuration(dir.path(), &target.local_addr().unwrap().to_string())).unwrap();
    let mut running =
        nines_agent().args(["run", "--log", "json", "--config"]).arg(&file).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    let mut log = BufReader::new(running.stderr.take().unwrap());
    let mut read_until = |message: &str| {
        let mut line = String::new();
        while !line.contains(message) {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended before `{message}`");
            assert!(!line.contains("ERROR"), "{line}");
        }
    };
    read_until("Agent started");
    kill_process(pid, Signal::HUP).unwrap();
    read_until("Configuration was read again");
    kill_process(pid, Signal::TERM).unwrap();
    read_until("Agent stopped");
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!((running.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
}

#[test]
fn an_agent_whose_log_nobody_reads_any_more_works_on_and_stops_with_0() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agent.yaml");
    std::fs::write(&file, configuration(dir.path(), &target.local_addr().unwrap().to_string())).unwrap();
    let mut running = nines_agent().args(["run", "--config"]).arg(&file).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    let mut log = BufReader::new(running.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("Agent started") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the agent did not start");
    }
    drop(log);
    // It has lines to write now: that it read its configuration again, and that it stopped.
    kill_process(pid, Signal::HUP).unwrap();
    target.accept().unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(0));
}
