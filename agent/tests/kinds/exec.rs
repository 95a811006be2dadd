//! Probes of the kind `exec` against real plugins, and against shells that misbehave like bad ones.

use super::{AMPLE, probe};
use agent::prober::Prober;
use daemon::clock::Clock;
use rules::check::{ExecTarget, Permission, Target};
use rules::evidence::{Evidence, ExecFacts, Facts, Fault, Phase, ProcessEnd};
use rules::judge::{Circumstances, judge};
use rules::outcome::{Cause, Outcome};
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use tokio::task::yield_now;

/// Less than any of the commands that never end takes.
const SHORT: Duration = Duration::from_millis(400);
/// Where Debian's monitoring-plugins-basic is, which `tests/run` installs.
const PLUGINS: &str = "/usr/lib/nagios/plugins";

fn command(words: &[&str]) -> ExecTarget {
    let target = ExecTarget::new(words.iter().map(ToString::to_string).collect()).unwrap();
    ExecTarget { permission: Permission::Granted, ..target }
}

fn plugin(name: &str, arguments: &[&str]) -> ExecTarget {
    let program = format!("{PLUGINS}/{name}");
    assert!(Path::new(&program).exists(), "{program} is not here: apt-get install monitoring-plugins-basic");
    command(&[&[program.as_str()], arguments].concat())
}

fn shell(script: &str) -> ExecTarget {
    command(&["/bin/sh", "-c", script])
}

fn facts(evidence: &Evidence) -> &ExecFacts {
    match &evidence.facts {
        Some(Facts::Exec(facts)) => facts,
        other => panic!("{other:?} with {:?}", evidence.failure),
    }
}

async fn run(target: ExecTarget) -> (ExecFacts, Outcome) {
    let (evidence, outcome) = probe(&Target::Exec(target), AMPLE).await;
    (facts(&evidence).clone(), outcome)
}

/// How many processes of this machine there are whose `stat` and command line are meant.
fn processes(is_meant: impl Fn(&str, &str) -> bool) -> usize {
    let read = |entry: &fs::DirEntry, file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries.filter(|entry| is_meant(&read(entry, "stat"), &read(entry, "cmdline"))).count()
}

/// Waits until no process has `mark` in its command line, and none is a zombie of ours.
async fn all_gone(mark: &str) {
    let own = format!(" Z {} ", std::process::id());
    while 0 < processes(|stat, line| line.contains(mark) || stat.contains(&own)) {
        yield_now().await;
    }
}

#[tokio::test]
async fn check_dummy_ends_with_each_status() {
    let check = async |status: &str, expected| {
        let (facts, outcome) = run(plugin("check_dummy", &[status, "as told"])).await;
        assert_eq!(outcome, expected, "{status}: {facts:?}");
        assert!(facts.text.as_str().ends_with("as told"), "{facts:?}");
        assert_eq!(facts.end, ProcessEnd::Exited(status.parse().unwrap()));
    };
    check("0", Outcome::Up).await;
    check("1", Outcome::Up).await;
    check("2", Outcome::Down(Cause::Unhealthy)).await;
    check("3", Outcome::Void(Cause::Prober)).await;
}

#[tokio::test]
async fn check_tcp_sees_a_port_that_is_open_and_one_that_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (facts, outcome) = run(plugin("check_tcp", &["-H", "127.0.0.1", "-p", &port])).await;
    assert_eq!(outcome, Outcome::Up, "{facts:?}");
    let time = &facts.perfdata[0];
    assert_eq!((time.label.as_str(), time.unit), ("time", "seconds"));
    assert!((0.0..20.0).contains(&time.value), "{facts:?}");
    drop(listener);
    let (facts, outcome) = run(plugin("check_tcp", &["-H", "127.0.0.1", "-p", &port])).await;
    assert_eq!(outcome, Outcome::Down(Cause::Unhealthy), "{facts:?}");
}

#[tokio::test]
async fn performance_data_of_real_plugins_is_read() {
    let (load, outcome) = run(plugin("check_load", &["-w", "9000,9000,9000", "-c", "9999,9999,9999"])).await;
    assert_eq!(outcome, Outcome::Up, "{load:?}");
    let labels: Vec<&str> = load.perfdata.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["load1", "load5", "load15"]);
    assert_eq!((load.perfdata[0].warning, load.perfdata[0].critical), (Some(9000.0), Some(9999.0)));
    let (disk, _) = run(plugin("check_disk", &["-w", "0%", "-c", "0%", "-p", "/"])).await;
    let root = &disk.perfdata[0];
    assert_eq!((root.label.as_str(), root.unit), ("/", "bytes"), "{disk:?}");
    assert!(root.value <= root.max.unwrap(), "{disk:?}");
}

#[tokio::test]
async fn a_command_gets_its_own_environment_and_directory_and_no_input() {
    let (facts, _) = run(shell("pwd")).await;
    assert_eq!(facts.text.as_str(), "/");
    // A shell adds its own variables to what it was given: those begin with another letter.
    let environment = vec![("A".into(), "b c".into())];
    let (facts, _) =
        run(ExecTarget { environment, ..shell("cat; env | sort | grep -v '^[OS_]\\|^PWD' | tr '\\n' '!'") }).await;
    let expected = "A=b c!LANG=C.UTF-8!PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin!";
    assert_eq!(facts.text.as_str(), expected);
}

#[tokio::test]
async fn arguments_pass_through_no_shell() {
    let (facts, _) = run(command(&["/bin/echo", "$HOME", "a  b", "`id`", "; exit 2"])).await;
    assert_eq!((facts.text.as_str(), facts.end), ("$HOME a  b `id` ; exit 2", ProcessEnd::Exited(0)));
}

#[tokio::test]
async fn a_command_that_breaks_is_void() {
    let (facts, outcome) = run(shell("kill -SEGV $$")).await;
    assert_eq!((facts.end, outcome), (ProcessEnd::Signalled(11), Outcome::Void(Cause::Prober)));
    let (facts, outcome) = run(shell("no-such-command-anywhere")).await;
    assert_eq!((facts.end, outcome), (ProcessEnd::Exited(127), Outcome::Void(Cause::Prober)));
    assert!(facts.text.as_str().contains("not found"), "the error output is quoted: {facts:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_void_and_named() {
    for (program, words) in [("/nowhere/check", "No such file"), ("/etc/passwd", "denied"), ("/etc", "denied")] {
        let (evidence, outcome) = probe(&Target::Exec(command(&[program])), AMPLE).await;
        assert_eq!(outcome, Outcome::Void(Cause::Prober));
        let failure = evidence.failure.unwrap();
        assert_eq!(failure.fault, Fault::Instruction);
        let detail = failure.detail.as_str();
        assert!(detail.contains(program) && detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn children_that_would_outlive_their_command_do_not() {
    let (facts, outcome) = run(shell("sleep 4171 & sleep 4171 & echo started; exit 0")).await;
    assert_eq!((facts.text.as_str(), outcome), ("started", Outcome::Up));
    all_gone("4171").await;
}

#[tokio::test]
async fn a_command_that_ignores_sigterm_is_gone_at_the_deadline_with_its_children() {
    let stubborn = shell("trap '' TERM INT HUP; sh -c \"trap '' TERM; sleep 4172\" & sleep 4172; sleep 4172");
    let (evidence, outcome) = probe(&Target::Exec(stubborn), SHORT).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
    assert_eq!(evidence.failure.as_ref().unwrap().phase, Some(Phase::FirstByte));
    assert!(evidence.elapsed < SHORT + Duration::from_secs(1), "{:?}", evidence.elapsed);
    all_gone("4172").await;
}

#[tokio::test]
async fn a_probe_that_is_dropped_leaves_nothing() {
    let (prober, target) = (Prober::new(Clock::system()).unwrap(), Target::Exec(shell("echo a; sleep 4173; echo b")));
    let plan = prober.plan(&target, AMPLE);
    {
        let probe = prober.probe(&plan);
        tokio::pin!(probe);
        while processes(|_, line| line.starts_with("sleep\x004173")) == 0 {
            tokio::select! {
                biased;
                evidence = &mut probe => panic!("{evidence:?}"),
                () = yield_now() => {}
            }
        }
    }
    all_gone("4173").await;
}

#[tokio::test]
async fn long_output_is_cut_and_endless_output_is_stopped() {
    let (facts, outcome) = run(shell("echo OK; head -c 200000 /dev/zero | tr '\\0' x; echo '|late=1'")).await;
    assert_eq!((facts.text.as_str(), outcome), ("OK", Outcome::Up));
    assert_eq!((facts.output_bytes, facts.perfdata.len()), (3 + 200_000 + 8, 0));
    for endless in ["yes 4174", "yes 4174 >&2"] {
        let (evidence, outcome) = probe(&Target::Exec(shell(endless)), AMPLE).await;
        assert_eq!(outcome, Outcome::Void(Cause::Prober), "{evidence:?}");
        assert!(evidence.failure.unwrap().detail.as_str().contains("more than 1048576 bytes"));
    }
    all_gone("4174").await;
}

#[tokio::test]
async fn what_was_written_just_before_the_end_is_never_missed() {
    for _ in 0..50 {
        let (facts, _) = run(shell("echo OK; echo 'x|a=1'")).await;
        assert_eq!((facts.output_bytes, facts.perfdata.len()), (9, 1));
    }
}

#[tokio::test]
async fn a_command_that_is_withheld_is_void_and_says_how_to_allow_it() {
    let prober = Prober::new(Clock::system()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("ran");
    let target = ExecTarget { permission: Permission::Withheld, ..shell(&format!("echo > {}", trace.display())) };
    let target = Target::Exec(target);
    let plan = prober.plan(&target, AMPLE);
    let defect = plan.defect().unwrap();
    assert!(defect.contains("exec: { allow: [/bin/sh] }"), "{defect}");
    let outcome = judge(&prober.probe(&plan).await, &target, AMPLE, Circumstances::default());
    assert_eq!(outcome, Outcome::Void(Cause::Prober));
    assert_eq!(fs::metadata(trace).unwrap_err().kind(), ErrorKind::NotFound);
}
