//! Seal, verify, forget, and find everything again; on both stores, with real files.

use super::results::{Selection, read};
use super::*;
use crate::closing::draw_up;
use crate::closing::terms::Terms;
use crate::commit::tests::{BEGAN, Bench, agent, key, pace, result};
use crate::evidence::{LedgerEvidence, results_within};
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::rebuild::rebuild;
use crate::render::{Format, render};
use config::collector::evidence::StoreUrl;
use rules::agreement::{Agreement, Language};
use rules::interval::Interval;
use rules::outcome::{Cause, Outcome};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::time::Timestamp;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

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
        render(&statement, Format::Json, Language::English)
    }

    /// Forgets all blocks; a rebuild first gives every agent a checkpoint.
    async fn forgotten(&self) -> u64 {
        rebuild(&*self.bench.ledger).await.unwrap();
        self.archive.forget(Duration::ZERO, now()).await.unwrap()
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
    let late: Vec<_> = (125..130).map(|slot| {
        let (key, pace, result) = probe("login", slot);
        (key, pace, ProbeResult { at: result.at.plus(Duration::from_secs(7)), ..result })
    }).collect();
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
    let all = Selection { agreement: None, interval: everything() };
    let mut lines = Vec::new();
    assert_eq!(read(&store(&site.directory), &all, |found| lines.push(found.line)).await.unwrap(), 1443);
    let own: Vec<_> = lines.into_iter().filter(|line| line.series == key("login")).map(|line| line.result).collect();
    let stand = results_within(&*site.bench.ledger, &key("login"), everything()).await.unwrap();
    let stand: Vec<_> = stand.into_iter().map(|(result, _)| result).collect();
    let distinct: std::collections::BTreeSet<_> = own.iter().map(|result| result.at).collect();
    assert!(distinct.into_iter().eq(stand.iter().map(|result| result.at)));
    let other = Selection { agreement: Some("other".parse().unwrap()), interval: everything() };
    assert_eq!(read(&store(&site.directory), &other, drop).await.unwrap(), 0);
    let manifest = site.files().into_iter().find(|file| file.extension().is_some_and(|of| of == "json")).unwrap();
    std::fs::remove_file(manifest).unwrap();
    assert!(read(&store(&site.directory), &all, drop).await.unwrap_err().to_string().contains("seal before it is missing"));
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
}
