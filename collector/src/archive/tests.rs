//! Seal, verify, forget, and find everything again; on both stores, with real files.

use super::results::{Against, Found, Selection, read};
use super::*;
use crate::closing::draw_up;
use crate::closing::terms::Terms;
use crate::commit::tests::{BEGAN, Bench, agent, key, pace, result};
use crate::evidence::{LedgerEvidence, results_within};
use crate::ledger::books::{Booked, Booking, Issued};
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::rebuild::rebuild;
use crate::record::Record;
use crate::render::{Format, render};
use config::collector::evidence::StoreUrl;
use daemon::clock::Clock;
use rules::agreement::{Agreement, Language};
use rules::interval::Interval;
use rules::outcome::{Cause, Outcome};
use rules::record::{Fact, Ground};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::time::Timestamp;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

mod deletion;

const NOW: &str = "2026-11-20T00:00:00Z";

const CONFIG: &str = "
agents: []
policies:
  - { policy: p, availability: { objective: 99.9, outage: { for: 5m } } }
agreements:
  - agreement: acme
    zone: UTC
    policy: p
    services: [{ service: apm, checks: [{ check: login, tcp: '127.0.0.1:1' }, { check: port, tcp: '127.0.0.1:1' }] }]
";

fn agreements() -> Vec<Agreement> {
    config::collector::parse(CONFIG, "collector.yaml", Path::new(".")).unwrap().value.agreements
}

fn own() -> Belongings {
    Belongings::of(&agreements(), &"acme".parse().unwrap())
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A ledger with evidence in it, and where it is archived.
struct Site {
    directory: TempDir,
    archive: Arc<Archive>,
    bench: Bench,
}

impl Site {
    async fn new(place: &Place) -> Site {
        let directory = TempDir::new().unwrap();
        let ledger = place.open().await;
        let archive = Arc::new(Archive::new(Arc::clone(&ledger), store(&directory)));
        let deep: Arc<dyn Ledger> = Arc::new(ArchivedLedger::new(ledger, Arc::clone(&archive)));
        Site { directory, archive, bench: Bench::on(deep).await }
    }

    /// Six hours of two checks with an outage from 01:00 to 01:10 and late results, a block every ten minutes.
    async fn with_evidence(place: &Place) -> Site {
        let mut site = Site::new(place).await;
        for block in 0..36 {
            let slots = block * 20..block * 20 + 20;
            let results: Vec<_> = slots.flat_map(|slot| [probe("login", slot), probe("port", slot)]).collect();
            site.bench.send(&results).await;
        }
        let late = [probe("login", -7), probe("login", 101)];
        for late in late {
            site.bench.send(&[late]).await;
        }
        site
    }

    async fn sealed(&self) -> u64 {
        let mut seals = 0;
        while let Sealed::Seal(_) = self.archive.seal(&Promised::by(&agreements()), now()).await.unwrap() {
            seals += 1;
        }
        seals
    }

    /// The month as its statement's bytes.
    async fn statement(&self) -> Vec<u8> {
        let evidence = LedgerEvidence::new(Arc::clone(&self.bench.ledger), self.bench.state.clone());
        let terms = Terms::new(agreements().remove(0));
        let statement = draw_up(&evidence, &terms, "2026-10".parse().unwrap(), Some(now())).await.unwrap();
        render(&statement, Format::Json, Language::English).unwrap()
    }

    /// Forgets all blocks; a rebuild first gives every agent a checkpoint.
    async fn forgotten(&self) -> u64 {
        rebuild(&*self.bench.ledger).await.unwrap();
        self.archive.forget(Duration::ZERO, now()).await.unwrap()
    }

    /// Everything read again: the ledger's blocks and the archive.
    async fn scrubbed(&self) -> scrub::Scrubbed {
        let mut found = scrub::Scrubbed::default();
        found.blocks(&*self.archive.ledger).await.unwrap();
        self.archive.scrub(&mut found).await.unwrap();
        found
    }

    /// Issues a month's statement, whatever it says.
    async fn issue(&self, agreement: &Agreement, month: &str) {
        let month = month.parse().unwrap();
        let bytes = format!("{month}").into_bytes();
        let issued =
            Issued { agreement: agreement.id.clone(), month, version: 1, issued_at: now(), sha256: [0; 32], bytes };
        let (entries, messages) = (Vec::new(), Vec::new());
        let booking = Booking { agreement: agreement.id.clone(), next: 1, entries, messages, issued: Some(issued) };
        assert_eq!(self.bench.ledger.book(booking).await.unwrap(), Booked::Durable);
    }

    fn files(&self) -> Vec<std::path::PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.directory.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }
}

fn store(directory: &TempDir) -> Store {
    Store::open(&StoreUrl::Directory(directory.path().to_owned())).unwrap()
}

fn probe(check: &str, slot: i64) -> (SeriesKey, Pace, ProbeResult) {
    let down = check == "login" && (120..140).contains(&slot) || check == "port" && (118..141).contains(&slot);
    let outcome = if down { Outcome::Down(Cause::Timeout) } else { Outcome::Up };
    let elapsed = Duration::from_micros(40_000 + slot.unsigned_abs() * 7);
    (key(check), pace(30), ProbeResult { elapsed, ..result(slot * 30 + 5, outcome) })
}

async fn what_was_sealed_and_forgotten_gives_the_same_statement_and_the_same_rebuild(place: &Place) {
    let site = Site::with_evidence(place).await;
    let (before, derived) =
        (site.statement().await, site.bench.ledger.derived(&agent(), Timestamp::MIN).await.unwrap());
    assert_eq!(site.sealed().await, 1);
    assert_eq!(site.archive.verify(now()).await.unwrap(), 1);
    assert_eq!(site.forgotten().await, 38);
    assert_eq!(site.statement().await, before);
    assert_eq!(rebuild(&*site.bench.ledger).await.unwrap()[0].differences, 0);
    assert_eq!(site.bench.ledger.derived(&agent(), Timestamp::MIN).await.unwrap(), derived);
}

async fn late_results_join_hours_that_only_the_archive_has(place: &Place) {
    let mut site = Site::with_evidence(place).await;
    site.sealed().await;
    site.archive.verify(now()).await.unwrap();
    site.forgotten().await;
    let late: Vec<_> = (125..130)
        .map(|slot| {
            let (key, pace, result) = probe("login", slot);
            (key, pace, ProbeResult { at: result.at.plus(Duration::from_secs(7)), ..result })
        })
        .collect();
    site.bench.send(&late).await;
    let mut truth = Site::with_evidence(&Place::sqlite()).await;
    truth.bench.send(&late).await;
    assert_eq!(site.statement().await, truth.statement().await);
    assert_eq!(rebuild(&*site.bench.ledger).await.unwrap()[0].differences, 0);
}

async fn nothing_is_forgotten_that_was_not_found_again(place: &Place) {
    let site = Site::with_evidence(place).await;
    site.sealed().await;
    let file = site.files().into_iter().find(|file| file.extension().is_some_and(|of| of == "parquet")).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let refused = site.archive.verify(now()).await.unwrap_err();
    assert!(refused.to_string().ends_with("has another digest than was sealed"), "{refused}");
    assert_eq!(site.forgotten().await, 0);
    std::fs::remove_file(&file).unwrap();
    assert!(site.archive.verify(now()).await.unwrap_err().to_string().ends_with("is not there"));
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(site.archive.verify(now()).await.unwrap(), 1);
    assert_eq!(site.forgotten().await, 38);
}

async fn seals_cover_every_block_once_and_chain(place: &Place) {
    let mut site = Site::with_evidence(place).await;
    site.sealed().await;
    site.bench.send(&[probe("login", 900)]).await;
    assert_eq!(site.sealed().await, 1);
    assert_eq!(site.sealed().await, 0);
    let (first, second) = (site.archive.manifest(1).await.unwrap(), site.archive.manifest(2).await.unwrap());
    assert_eq!((first.covers[0].from, first.covers[0].until), (0, 38));
    assert_eq!((second.covers[0].from, second.covers[0].until), (38, 39));
    assert_eq!(second.predecessor, Some(Digest::of(first.to_json().as_bytes())));
    assert_eq!(first.files[0].rows, 1442);
}

async fn of_two_collectors_that_seal_at_once_one_does_and_the_other_leaves_nothing(place: &Place) {
    let site = Site::with_evidence(place).await;
    let other = Archive::new(place.open().await, store(&site.directory));
    let (promised, nobody) = (Promised::by(&agreements()), Promised::default());
    let (one, two) = tokio::join!(site.archive.seal(&promised, now()), other.seal(&nobody, now()));
    let won = [one.unwrap(), two.unwrap()];
    assert!(won.contains(&Sealed::Seal(1)), "{won:?}");
    site.archive.verify(now()).await.unwrap();
    let manifest = site.archive.manifest(1).await.unwrap();
    if won.contains(&Sealed::Forestalled) {
        assert_eq!(site.files().len(), 1 + manifest.files.len(), "{:?}", site.files());
    }
    // The same again with the same content: nobody deletes what the winner named.
    site.archive.refresh().await.unwrap();
    assert_eq!(site.archive.seal(&promised, now()).await.unwrap(), Sealed::Nothing);
}

async fn a_store_gives_its_results_without_a_ledger(place: &Place) {
    let mut site = Site::with_evidence(place).await;
    site.sealed().await;
    site.bench.send(&[probe("login", 900)]).await;
    site.sealed().await;
    let all = Selection { services: None, interval: everything() };
    let mut lines = Vec::new();
    let places = store(&site.directory).list().await.unwrap();
    let found = read(&store(&site.directory), &places, &all, |line| lines.push(line)).await.unwrap();
    let last = Digest::of(site.archive.manifest(2).await.unwrap().to_json().as_bytes());
    let against = Against::Chain { seals: 2, last };
    assert_eq!(found, Found { files: 2, results: 1443, against, unnamed: 0, gone: 0 });
    let own: Vec<_> = lines.into_iter().filter(|line| line.series == key("login")).map(|line| line.result).collect();
    let stand = results_within(&*site.bench.ledger, &key("login"), everything()).await.unwrap();
    let stand: Vec<_> = stand.into_iter().map(|(result, _)| result).collect();
    let distinct: std::collections::BTreeSet<_> = own.iter().map(|result| result.at).collect();
    assert!(distinct.into_iter().eq(stand.iter().map(|result| result.at)));
    let other = Selection { services: Some(["other".parse().unwrap()].into()), interval: everything() };
    assert_eq!(read(&store(&site.directory), &places, &other, drop).await.unwrap().results, 0);
    let manifest = site.files().into_iter().find(|file| file.extension().is_some_and(|of| of == "json")).unwrap();
    std::fs::remove_file(manifest).unwrap();
    let places = store(&site.directory).list().await.unwrap();
    let refused = read(&store(&site.directory), &places, &all, drop).await.unwrap_err();
    assert!(refused.to_string().contains("seal before it is missing"), "{refused}");
}

async fn a_scrub_finds_one_flipped_bit_wherever_it_is(place: &Place) {
    let mut site = Site::with_evidence(place).await;
    site.sealed().await;
    site.archive.verify(now()).await.unwrap();
    site.bench.send(&[probe("login", 900)]).await;
    let clean = site.scrubbed().await;
    assert_eq!((clean.seals, clean.files, clean.results, clean.blocks), (1, 1, 1442, 39));
    assert_eq!((clean.findings, clean.orphans), (Vec::<String>::new(), Vec::<String>::new()));
    for file in site.files() {
        let whole = std::fs::read(&file).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            std::fs::write(&file, &bytes).unwrap();
            let findings = site.scrubbed().await.findings;
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(findings.len() == 1 && findings[0].contains(name), "{at} of {name}: {findings:?}");
        }
        std::fs::write(&file, &whole).unwrap();
    }
    std::fs::write(site.directory.path().join("manifests/0000000001-00.json"), "left by a crash").unwrap();
    let swept = site.scrubbed().await;
    assert_eq!((swept.orphans.len(), swept.findings.len()), (1, 0));
    site.archive.sweep(&swept.orphans).await.unwrap();
    assert_eq!(site.scrubbed().await.orphans.len(), 0);
    let last_byte = match place {
        Place::Sqlite(_) => "CAST(substr(bytes, 1, length(bytes) - 1) || x'7f' AS BLOB)",
        Place::Postgres { .. } => "set_byte(bytes, length(bytes) - 1, get_byte(bytes, length(bytes) - 1) # 1)",
    };
    for (tampered, told) in [
        (
            format!("UPDATE blocks SET bytes = {last_byte} WHERE position = 3"),
            "block 3 of agent seoul-1 does not decode",
        ),
        (
            "UPDATE blocks SET results = results + 1 WHERE position = 5".into(),
            "block 5 of agent seoul-1 is not what its row",
        ),
        (
            "UPDATE seals SET manifest = replace(manifest, '\"until\":38', '\"until\":39')".into(),
            "the chain of seals is broken at seal 1",
        ),
    ] {
        place.tamper(&tampered).await;
        let findings = site.scrubbed().await.findings;
        assert!(findings.iter().any(|finding| finding.contains(told)), "{tampered}: {findings:?}");
    }
}

async fn an_erased_agreement_is_gone_and_its_neighbour_is_not(place: &Place) {
    let mut site = Site::with_evidence(place).await;
    let neighbour = SeriesKey { service: "neighbour".parse().unwrap(), ..key("login") };
    let other: Vec<_> = (0..300).map(|slot| (neighbour.clone(), pace(30), result(slot * 30, Outcome::Up))).collect();
    for part in other.chunks(50) {
        site.bench.send(part).await;
    }
    let kept = results_within(&*site.bench.ledger, &neighbour, everything()).await.unwrap();
    let promised = Promised::by(&agreements());
    let deep = Arc::clone(&site.bench.ledger);
    let record = Record::load(Arc::clone(&deep), Clock::manual(now()).0).await.unwrap();
    let means = erasure::Means { ledger: &deep, promised: &promised, record: &record, ground: Ground::Erasure };
    let erased = site.archive.erase(&own(), &means, now()).await.unwrap();
    assert_eq!((erased.series, erased.files, erased.results, erased.blocks), (2, 1, 1442, 45));
    site.bench.committer.follow().await;
    assert!(site.bench.state.series(&key("login")).is_none(), "a collector that runs still shows it");
    assert!(site.bench.state.series(&neighbour).is_some());
    for check in ["login", "port"] {
        assert_eq!(results_within(&*deep, &key(check), everything()).await.unwrap(), []);
    }
    assert_eq!(results_within(&*deep, &neighbour, everything()).await.unwrap(), kept);
    let left = deep.derived(&agent(), Timestamp::MIN).await.unwrap();
    assert!(left.iter().all(|derived| derived.series == neighbour), "{left:?}");
    assert_eq!(rebuild(&*deep).await.unwrap()[0].differences, 0);
    assert_eq!(site.scrubbed().await.findings, Vec::<String>::new());
    let again = site.archive.erase(&own(), &means, now()).await.unwrap();
    assert_eq!(again, erasure::Erased::default());
    let bench = site.bench.killed().await;
    assert!(bench.state.series(&key("login")).is_none() && bench.state.series(&neighbour).is_some());
}

async fn retention_waits_for_the_final_statement_and_is_put_on_record_once(place: &Place) {
    let site = Site::with_evidence(place).await;
    site.sealed().await;
    site.archive.verify(now()).await.unwrap();
    site.forgotten().await;
    let mut agreement = agreements().remove(0);
    let mut policy = (*agreement.policy).clone();
    policy.retention = Some(Duration::from_hours(24 * 90));
    agreement.policy = Arc::new(policy);
    let later = now().plus(Duration::from_hours(24 * 90));
    assert_eq!(site.archive.retire(&agreement, later).await.unwrap(), 0, "October has no final statement");
    for month in ["2026-09", "2026-10"] {
        site.issue(&agreement, month).await;
    }
    assert_eq!(site.archive.retire(&agreement, now()).await.unwrap(), 0, "it is not old enough");
    assert_eq!(site.archive.retire(&agreement, later).await.unwrap(), 1);
    assert_eq!(site.archive.retire(&agreement, later).await.unwrap(), 0);
    let record = Record::load(Arc::clone(&site.bench.ledger), Clock::manual(later).0).await.unwrap();
    for _ in 0..2 {
        site.archive.account(&record).await.unwrap();
    }
    let told: Vec<_> = record.entries(&agreement.id).iter().map(|entry| entry.fact.clone()).collect();
    let [Fact::Disposal(disposal)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((disposal.ground, disposal.files, disposal.results), (Ground::Retention, 1, 1442));
    let gone = results_within(&*site.bench.ledger, &key("login"), everything()).await.unwrap_err().to_string();
    assert!(gone.contains("their retention was over"), "{gone}");
    assert!(rebuild(&*site.bench.ledger).await.is_err(), "a rebuild would lose what can't be derived again");
    assert_eq!(site.scrubbed().await.findings, Vec::<String>::new());
}

async fn a_bundle_holds_what_is_the_customers_and_nothing_else(place: &Place) {
    let mut site = Site::with_evidence(place).await;
    let neighbour = SeriesKey { service: "neighbour".parse().unwrap(), ..key("login") };
    site.bench.send(&[(neighbour, pace(30), result(9000, Outcome::Up))]).await;
    site.sealed().await;
    let agreement = agreements().remove(0);
    site.issue(&agreement, "2026-09").await;
    let out = std::io::Cursor::new(Vec::new());
    let ledger = &*site.bench.ledger;
    let (held, out) = bundle::bundle(ledger, Some(&site.archive), &own(), None, out).await.unwrap();
    assert_eq!((held.files, held.results, held.statements), (1, 1442, 1));
    let mut zip = zip::ZipArchive::new(out).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert!(names.contains(&"README.txt".into()) && names.contains(&"statements/2026-09-v1.json".into()), "{names:?}");
    for index in 0..zip.len() {
        let (mut file, mut bytes) = (zip.by_index(index).unwrap(), Vec::new());
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("neighbour"), "{:?}", file.name());
    }
}

fn everything() -> Interval {
    let day = Duration::from_hours(24);
    Interval::new(Timestamp::from_millis(BEGAN).minus(day), Timestamp::from_millis(BEGAN).plus(day)).unwrap()
}

facts! {
    what_was_sealed_and_forgotten_gives_the_same_statement_and_the_same_rebuild
    late_results_join_hours_that_only_the_archive_has
    nothing_is_forgotten_that_was_not_found_again
    seals_cover_every_block_once_and_chain
    of_two_collectors_that_seal_at_once_one_does_and_the_other_leaves_nothing
    a_store_gives_its_results_without_a_ledger
    a_scrub_finds_one_flipped_bit_wherever_it_is
    an_erased_agreement_is_gone_and_its_neighbour_is_not
    retention_waits_for_the_final_statement_and_is_put_on_record_once
    a_bundle_holds_what_is_the_customers_and_nothing_else
}
