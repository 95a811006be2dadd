//! A PostgreSQL server to test against: the one that `NINES_TEST_POSTGRES` names, or one started
//! here for the length of the test process.
//!
//! Ours listens on a socket in a directory of its own. A shell watches over it: when the test
//! process ends, however it ends, the shell's input closes, and it stops the server and removes
//! the directory.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use tokio_postgres::NoTls;

const VARIABLE: &str = "NINES_TEST_POSTGRES";
/// Debian's user for what belongs to nobody; PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;
const WATCH: &str = r#"cd "$1" || exit
"$2/initdb" -D data -U nines -A trust -E UTF8 --no-locale --no-sync >&2 || exit
"$2/pg_ctl" -D data -w -l server.log -s -o "-k '$1' -c listen_addresses= -c max_connections=300 -c fsync=off -c deadlock_timeout=100ms" start >&2 || exit
echo ready
read -r _
"$2/pg_ctl" -D data -s -m immediate stop
rm -rf "$1"
"#;

struct Server {
    url: String,
    /// Holds the shell's input open.
    _shell: Option<Child>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| match std::env::var(VARIABLE) {
    Ok(url) => Server { url, _shell: None },
    Err(_) => start(),
});

/// Where the server is, with a database that is always there.
pub(crate) fn url() -> &'static str {
    &SERVER.url
}

/// The same server, another database.
pub(crate) fn database_url(database: &str) -> String {
    let (place, options) = url().split_once('?').unwrap_or((url(), ""));
    let (scheme, rest) = place.split_once("://").unwrap();
    let authority = rest.split('/').next().unwrap();
    format!("{scheme}://{authority}/{database}?{options}")
}

/// Runs `sql` on a connection of its own.
pub(crate) async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::select! {
        executed = client.batch_execute(sql) => executed.unwrap(),
        closed = connection => panic!("the connection closed: {closed:?}"),
    }
}

fn start() -> Server {
    let Some(programs) = programs() else {
        panic!(
            "no PostgreSQL to test against: run tests/run, install `postgresql`, or set {VARIABLE} to a server's URL"
        )
    };
    let directory = tempfile::Builder::new().prefix("nines-postgres-").tempdir().unwrap().keep();
    let mut shell = Command::new("sh");
    shell.args(["-c", WATCH, "sh"]).arg(&directory).arg(programs).process_group(0);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        chown(&directory, Some(NOBODY), Some(NOBODY)).unwrap();
        shell.uid(NOBODY).gid(NOBODY);
    }
    let log = std::fs::File::create(directory.join("start.log")).unwrap();
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "PostgreSQL did not start; see {}", directory.display());
    Server { url: format!("postgres:///postgres?host={}&user=nines", directory.display()), _shell: Some(shell) }
}

/// Debian's latest PostgreSQL.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.flatten().map(|version| version.path().join("bin"));
    programs.filter(|programs: &PathBuf| Path::new(&programs.join("initdb")).exists()).max()
}
