//! E-mail through a real SMTP server: Python's aiosmtpd, which prints what it takes.

use super::stand::Stand;
use crate::ledger::contract::place::Place;
use rules::incident::Event;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The interpreter for which `tests/run` installs aiosmtpd; another one may stand before it in the path.
const PYTHON: &str = "/usr/bin/python3";
/// How long the server may take to answer on a loaded machine.
const START_TIME: Duration = Duration::from_secs(60);

struct MailServer {
    port: u16,
    inbox: PathBuf,
    _process: Child,
    _directory: TempDir,
}

impl MailServer {
    async fn start() -> MailServer {
        let directory = TempDir::new().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let inbox = directory.path().join("inbox");
        let process = Command::new(PYTHON)
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
            .args(["-c", "aiosmtpd.handlers.Mailbox", &inbox.display().to_string()])
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("tests/run installs python3-aiosmtpd");
        let ready = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(START_TIME, ready).await.expect("the mail server answers within a minute");
        MailServer { port, inbox, _process: process, _directory: directory }
    }

    /// The mails it took, each as Python's own reader reads it: subject, receivers, id, references, text and
    /// attachments.
    fn mails(&self) -> Vec<Vec<String>> {
        let script = "import email, email.policy, json, pathlib, sys\n\
            for path in sorted((pathlib.Path(sys.argv[1]) / 'new').iterdir()):\n    \
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)\n    \
                body = mail.get_body(('plain',)).get_content()\n    \
                files = [(part.get_filename(), part.get_content_type()) for part in mail.iter_attachments()]\n    \
                print(json.dumps([mail['Subject'], mail['To'], mail['Message-ID'], mail['References'], body, files]))\n";
        let output = std::process::Command::new(PYTHON).args(["-c", script]).arg(&self.inbox).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |line: &str| serde_json::from_str::<Vec<serde_json::Value>>(line).unwrap();
        let text =
            |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), |text| text.replace('\r', ""));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| read(line).into_iter().map(text).collect()).collect()
    }

    fn channel(&self, scheme: &str) -> String {
        let port = self.port;
        format!(
            "{{ channel: mail, email: {{ server: '{scheme}://127.0.0.1:{port}', from: 'Nines <nines@example.com>', to: [ops@example.com, 'Kim <kim@example.com>'] }} }}"
        )
    }
}

#[tokio::test]
async fn a_mail_arrives_whole_in_the_agreements_language() {
    let (place, server) = (Place::sqlite(), MailServer::start().await);
    let stand = Stand::new(&place, &server.channel("smtp+plain")).await;
    stand.opens().await;
    stand.happens(1, Event::Notice("확인 중입니다.\n.\nQUIT".into())).await;
    for delivered in 1..=2 {
        stand.outbox().send_due().await;
        assert_eq!(stand.ledger.outbox().await.unwrap().delivered, delivered);
    }
    let mut mails = server.mails();
    mails.sort_by_key(|mail| mail[0].contains("최초 통지"));
    let [opened, notice] = mails.as_slice() else { panic!("{mails:?}") };
    assert!(opened[0].starts_with("[P1] 장애 대응 1 개시: 로그인 장애\\u{202e}"), "{opened:?}");
    assert_eq!(opened[1], "ops@example.com, Kim <kim@example.com>");
    assert!(opened[4].contains("발생: 2026-10-01 08:50:00 (Asia/Seoul)"), "{opened:?}");
    assert!(notice[4].ends_with("\n확인 중입니다.\n.\nQUIT\n"), "{notice:?}");
    assert_ne!(opened[2], notice[2]);
    assert_eq!(opened[3], notice[3]);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_can_not_secure_the_line() {
    let (place, server) = (Place::sqlite(), MailServer::start().await);
    let stand = Stand::new(&place, &server.channel("smtp")).await;
    stand.opens().await;
    stand.outbox().send_due().await;
    assert_eq!(stand.ledger.outbox().await.unwrap().waiting, 1);
    assert!(!server.inbox.join("new").exists() || server.mails().is_empty());
}

#[tokio::test]
async fn a_report_hangs_on_a_mail_with_its_first_figures_in_the_text() {
    let (place, server) = (Place::sqlite(), MailServer::start().await);
    let reports = "{ report: evening, every: daily, at: '18:00', channel: mail, format: csv }";
    let stand = Stand::reporting(&place, &server.channel("smtp+plain"), reports).await;
    stand.hand.advance(Duration::from_secs(9 * 3600));
    super::scheduled::look(&stand).await;
    stand.outbox().send_due().await;
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0][0], "서비스 수준 명세서 2026-10 (acme, evening)");
    assert!(mails[0][4].contains("apm: 월 가용률 100.0000 % (목표 99.9 %)"), "{mails:?}");
    assert_eq!(mails[0][5], r#"[["acme-2026-10.csv","text/csv"]]"#);
}
