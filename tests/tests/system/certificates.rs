//! Agents and collector that know each other by certificate.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tests::console::Console;
use tests::program::{Program, address};
use tests::target::Target;

/// Somebody who vouches for others.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) file: PathBuf,
}

/// The files of a certificate and its key.
pub(crate) struct Credential {
    pub(crate) cert_file: PathBuf,
    pub(crate) key_file: PathBuf,
}

impl Authority {
    pub(crate) fn new(dir: &Path, name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = dir.join(format!("{name}.pem"));
        std::fs::write(&file, issuer.pem()).unwrap();
        Authority { issuer, file }
    }

    pub(crate) fn certify(&self, dir: &Path, file: &str, name: &str) -> Credential {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let place = |kind: &str| dir.join(format!("{file}.{kind}.pem"));
        let credential = Credential { cert_file: place("cert"), key_file: place("key") };
        std::fs::write(&credential.cert_file, certificate.pem()).unwrap();
        std::fs::write(&credential.key_file, key.serialize_pem()).unwrap();
        credential
    }
}

async fn collector(dir: &Path, authority: &Authority, target: &Target) -> (Program, Console, String) {
    let own = authority.certify(dir, "collector", "127.0.0.1");
    let text = format!(
        "listen:
  web: '127.0.0.1:0'
  agents: '127.0.0.1:0'
  tls: {{ cert_file: '{}', key_file: '{}', client_ca_file: '{}' }}
agents:
  - {{ agent: seoul-1, certificate: seoul.example }}
  - {{ agent: busan-1, certificate: busan.example }}
agreements:
  - agreement: acme
    policy: cloud-apm
    services: [{{ service: shop, checks: [{{ check: page, http: '{}', every: 1s, timeout: 1s }}] }}]
",
        own.cert_file.display(),
        own.key_file.display(),
        authority.file.display(),
        target.url(),
    );
    let file = dir.join("collector.yaml");
    std::fs::write(&file, text).unwrap();
    let arguments: [&OsStr; 4] = ["collector".as_ref(), "serve".as_ref(), "--config".as_ref(), file.as_ref()];
    let mut program = Program::start("the collector", &arguments);
    let ready = program.logged("Collector is ready").await;
    let console = Console::secured(address(&ready, "web"), &authority.issuer.pem());
    (program, console, format!("https://{}", address(&ready, "agents")))
}

fn agent(dir: &Path, name: &str, collector: &str, trusts: &Authority, shows: &Credential) -> Program {
    let text = format!(
        "agent: {name}
collector: '{collector}'
tls: {{ ca_file: '{}', cert_file: '{}', key_file: '{}' }}
spool: {{ dir: 'spool of {name}' }}
listen: none
",
        trusts.file.display(),
        shows.cert_file.display(),
        shows.key_file.display(),
    );
    let file = dir.join(format!("{name}.yaml"));
    std::fs::write(&file, text).unwrap();
    let arguments: [&OsStr; 4] = ["agent".as_ref(), "run".as_ref(), "--config".as_ref(), file.as_ref()];
    Program::start(name, &arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_let_in_by_its_own_certificate_and_by_no_other() {
    let (dir, target) = (TempDir::new().unwrap(), Target::start());
    let dir = dir.path();
    let (ours, theirs) = (Authority::new(dir, "ours"), Authority::new(dir, "theirs"));
    let (_collector, console, place) = collector(dir, &ours, &target).await;
    let seoul = ours.certify(dir, "seoul", "seoul.example");

    let mut impostor = agent(dir, "busan-1", &place, &ours, &seoul);
    impostor.logged("403 Forbidden").await;
    impostor.stop().await;
    let forged = theirs.certify(dir, "forged", "busan.example");
    let mut impostor = agent(dir, "busan-1", &place, &ours, &forged);
    impostor.logged("Collector can't be asked what to check").await;
    impostor.stop().await;
    let mut deceived = agent(dir, "seoul-1", &place, &theirs, &seoul);
    deceived.logged("Collector can't be asked what to check").await;
    deceived.stop().await;
    assert_eq!(target.count(), 0, "nobody was told what to check");

    let mut known = agent(dir, "seoul-1", &place, &ours, &seoul);
    console.shows("shop", "up").await;
    known.stop().await;
    assert_eq!(console.blocks("busan-1").await, 0);
}
