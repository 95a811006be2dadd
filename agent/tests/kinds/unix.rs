//! Probes of the kind `unix` against sockets in a directory of their own.

use crate::secured::{Authority, Secured, line, linger, serve_unix};
use crate::{AMPLE, probe};
use agent::prober::Prober;
use daemon::clock::Clock;
use rules::check::{DialogStep, Pattern, Security, Sending, Target, UnixTarget, Verify};
use rules::evidence::{Evidence, Phase};
use rules::judge::{Circumstances, Pause, References, judge};
use rules::outcome::{Cause, Outcome};
use rules::reach::{Reach, Scope};
use std::io::Write;
use std::path::Path;

fn target(path: &Path) -> UnixTarget {
    UnixTarget::parse(&format!("unix:{}", path.display())).unwrap()
}

async fn look(target: UnixTarget) -> (Evidence, Outcome) {
    probe(&Target::Unix(target), AMPLE).await
}

#[tokio::test]
async fn a_socket_that_accepts_is_up_and_one_that_nobody_serves_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let missing = look(target(&path)).await;
    assert_eq!(missing.1, Outcome::Down(Cause::Refused), "{:?}", missing.0);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let left_behind = look(target(&path)).await;
    assert_eq!(left_behind.1, Outcome::Down(Cause::Refused), "{:?}", left_behind.0);
    std::fs::remove_file(&path).unwrap();
    serve_unix(&path, |mut stream| linger(&mut stream));
    let (evidence, outcome) = look(target(&path)).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert!(evidence.phases.iter().map(|(phase, _)| phase).eq([Phase::Connect]));
}

#[tokio::test]
async fn a_dialog_is_held_over_a_socket_in_plain_text_and_in_tls() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, secret) = (dir.path().join("plain"), dir.path().join("secret"));
    serve_unix(&plain, |mut stream| {
        assert_eq!(line(&mut stream), "PING\n");
        let _ = stream.write_all(b"+PONG\r\n");
    });
    let authority = Authority::new(2045);
    let secured = Secured::new(&authority.issue(&["app.example"], 2050));
    serve_unix(&secret, move |stream| {
        let mut stream = secured.over(stream);
        assert_eq!(line(&mut stream), "PING\n");
        let _ = stream.write_all(b"+PONG\r\n");
    });
    let dialog = vec![
        DialogStep { send: Some(Sending::Line(b"PING".to_vec())), ..DialogStep::default() },
        DialogStep { expect: Some(Pattern::new("^[+]PONG$").unwrap()), ..DialogStep::default() },
    ];
    let (evidence, outcome) = look(UnixTarget { dialog: dialog.clone(), ..target(&plain) }).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let mut spoken = UnixTarget { dialog, security: Security::Tls, ..target(&secret) };
    spoken.tls.verify = Verify::Nothing;
    let (evidence, outcome) = look(spoken.clone()).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    spoken.tls.verify = Verify::Chain;
    spoken.tls.ca = Some(authority.pem());
    spoken.tls.server_name = Some("app.example".into());
    let (evidence, outcome) = look(spoken).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
}

#[tokio::test]
async fn a_name_in_no_file_system_is_reached() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("nines-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let (evidence, outcome) = look(UnixTarget::parse(&format!("unix:@{name}")).unwrap()).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
}

#[tokio::test]
async fn an_absent_network_does_not_excuse_a_socket() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::Unix(target(&dir.path().join("none")));
    let (evidence, _) = probe(&target, AMPLE).await;
    let away = Circumstances { references: References::Away, pause: Pause::Absent };
    assert_eq!(judge(&evidence, &target, AMPLE, away), Outcome::Down(Cause::Refused));
}

#[tokio::test]
async fn a_stranger_reaches_no_socket_of_this_machine() {
    let reach = Reach { scope: Scope::Stranger, ..Reach::default() };
    let prober = Prober::within(reach, Clock::system()).unwrap();
    let plan = prober.plan(&Target::Unix(target(Path::new("/var/run/docker.sock"))), AMPLE);
    assert!(plan.defect().unwrap().contains("somebody else's word"), "{:?}", plan.defect());
}
