//! What is given to whoever asks, on both stores: before and after something else became known.

use super::*;
use crate::archive::erasure::Means;
use crate::archive::store::Store;
use crate::archive::{Archive, Belongings, Promised, Sealed, deepened};
use crate::closing::closer::tests::{
    acme, at, bench_evidence, closed, config, issued, month, month_with_a_hole, month_with_a_hole_in, record, results,
};
use crate::commit::tests::{Bench, agent};
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::rebuild::rebuild;
use crate::record::{Draft, RecordError};
use crate::render::{Format, json, render};
use config::collector::evidence::StoreUrl;
use rules::agreement::Language;
use rules::record::BY_NINES;
use std::ops::Range;
use std::time::Duration;
use tempfile::TempDir;

facts! {
    what_was_issued_is_given_whatever_came_in_since
    a_draft_says_what_would_be_amended_and_is_no_version
    a_period_without_a_version_is_drawn_up_and_a_version_that_is_none_is_refused
    a_version_whose_blocks_are_gone_keeps_its_json_and_says_so
    a_version_is_drawn_up_again_from_the_archive_until_it_is_erased
    a_version_that_was_erased_says_when
    a_version_that_is_not_what_was_signed_is_refused
}

const MONTH: i64 = 31 * 86_400;
const HALF_AN_HOUR: Range<i64> = 87_000..88_500;

/// A month that was issued, and of which an outage became known afterwards.
async fn outdated(place: &Place, config: &CollectorConfig, down: Range<i64>) -> (Bench, Issued) {
    let mut bench = month_with_a_hole(place).await;
    let first = issued(closed(&bench, config, MONTH + 900).await);
    bench.send(&results(86_400, 90_000, down)).await;
    (bench, first)
}

async fn found(bench: &Bench, config: &CollectorConfig, asked: Asked) -> Result<Original, CopyError> {
    let record = record(bench).await;
    let copies = Copies { ledger: &*bench.ledger, record: &record, config };
    copies.find(&acme(), month(), asked, at(MONTH + 2_000)).await
}

async fn read(bench: &Bench, original: &Original) -> Result<serde_json::Value, CopyError> {
    let text = original.read(&bench_evidence(bench), json::statement).await?;
    Ok(serde_json::from_str(&text).unwrap())
}

async fn what_was_issued_is_given_whatever_came_in_since(place: &Place) {
    let home = TempDir::new().unwrap();
    let config = config(&home, 1_200_000);
    let (bench, first) = outdated(place, &config, HALF_AN_HOUR).await;
    for asked in [Asked::Newest, Asked::Version(1)] {
        let original = found(&bench, &config, asked).await.unwrap();
        assert_eq!(original.issued(), Some(&first));
        let evidence = bench_evidence(&bench);
        let given = original.read(&evidence, |statement| {
            [Format::Json, Format::Csv].map(|format| render(statement, format, Language::English).unwrap())
        });
        let [stored, sheet] = given.await.unwrap();
        assert_eq!(stored, first.bytes);
        let sheet = String::from_utf8(sheet).unwrap();
        assert!(sheet.contains("acme,2026-10,apm,availability,downtime,,,3600000,ms"), "{sheet}");
    }
    let second = issued(closed(&bench, &config, MONTH + 1_000).await);
    assert_eq!(found(&bench, &config, Asked::Newest).await.unwrap().issued(), Some(&second));
    let original = found(&bench, &config, Asked::Version(1)).await.unwrap();
    assert_eq!(original.versions(), [first.clone(), second]);
    assert_eq!(read(&bench, &original).await.unwrap()["services"][0]["availability"]["downtime_ms"], 3_600_000);
}

async fn a_draft_says_what_would_be_amended_and_is_no_version(place: &Place) {
    let home = TempDir::new().unwrap();
    let config = config(&home, 1_200_000);
    let (bench, first) = outdated(place, &config, HALF_AN_HOUR).await;
    let original = found(&bench, &config, Asked::Draft).await.unwrap();
    assert_eq!(original.issued(), None);
    let draft = read(&bench, &original).await.unwrap();
    assert_eq!((&draft["statement"]["version"], &draft["issue"]), (&2.into(), &serde_json::Value::Null));
    assert_eq!(draft["amends"]["sha256"], crate::digest::hex(&first.sha256));
    let changes = draft["amends"]["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["place"] == "services[apm].availability.downtime_ms"), "{changes:?}");
    assert_eq!(bench.ledger.issued(&acme(), None).await.unwrap(), [first]);
}

async fn a_period_without_a_version_is_drawn_up_and_a_version_that_is_none_is_refused(place: &Place) {
    let home = TempDir::new().unwrap();
    let config = config(&home, 1_200_000);
    let bench = month_with_a_hole(place).await;
    let original = found(&bench, &config, Asked::Newest).await.unwrap();
    assert!(original.issued().is_none() && original.versions().is_empty());
    let drawn_up = read(&bench, &original).await.unwrap();
    assert_eq!((&drawn_up["statement"]["version"], &drawn_up["amends"]), (&1.into(), &serde_json::Value::Null));
    let refused = found(&bench, &config, Asked::Version(1)).await.err().unwrap();
    assert_eq!(refused.to_string(), "acme 2026-10 has no version 1; 0 were issued");
}

/// The newest version is drawn up from what was added up; only the older one needs the blocks.
async fn a_version_whose_blocks_are_gone_keeps_its_json_and_says_so(place: &Place) {
    let home = TempDir::new().unwrap();
    let config = config(&home, 1_200_000);
    let (bench, first) = outdated(place, &config, 86_400..90_000).await;
    issued(closed(&bench, &config, MONTH + 1_000).await);
    rebuild(&*bench.ledger).await.unwrap();
    let forgotten = bench.ledger.forget_blocks(&agent(), u64::MAX >> 1, Timestamp::MAX).await.unwrap();
    assert!(0 < forgotten);
    let newest = found(&bench, &config, Asked::Newest).await.unwrap();
    assert_eq!(read(&bench, &newest).await.unwrap()["statement"]["version"], 2);
    let original = found(&bench, &config, Asked::Version(1)).await.unwrap();
    assert_eq!(original.issued().unwrap().bytes, first.bytes);
    let gone = read(&bench, &original).await.unwrap_err();
    let said = "the evidence that version 1 of 2026-10 rests on is no longer kept; its JSON form is still there";
    assert!(matches!(gone, CopyError::Gone { .. }) && gone.to_string().starts_with(said), "{gone}");
}

async fn a_version_is_drawn_up_again_from_the_archive_until_it_is_erased(place: &Place) {
    let (home, store) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let config = config(&home, 1_200_000);
    let url = StoreUrl::Directory(store.path().to_owned());
    let ledger = place.open().await;
    let archive = Arc::new(Archive::new(Arc::clone(&ledger), Store::open(&url).unwrap()));
    let mut bench = month_with_a_hole_in(deepened(Arc::clone(&ledger), Some(&archive))).await;
    let first = issued(closed(&bench, &config, MONTH + 900).await);
    bench.send(&results(86_400, 90_000, HALF_AN_HOUR)).await;
    issued(closed(&bench, &config, MONTH + 1_000).await);
    rebuild(&*bench.ledger).await.unwrap();
    let (promised, later) = (Promised::by(&config.agreements), at(3 * MONTH));
    while let Sealed::Seal(_) = archive.seal(&promised, later).await.unwrap() {}
    archive.verify(later).await.unwrap();
    archive.forget(Duration::ZERO, later).await.unwrap();
    assert_eq!(ledger.blocks_from(&agent(), 0, 1).await.unwrap(), [], "the ledger has none of them");
    let original = found(&bench, &config, Asked::Version(1)).await.unwrap();
    let again = original.read(&bench_evidence(&bench), json::document).await.unwrap();
    assert_eq!(again.into_bytes(), first.bytes);
    let own = Belongings::of(&config.agreements, &acme());
    let (deep, record) = (Arc::clone(&bench.ledger), record(&bench).await);
    let means = Means { ledger: &deep, promised: &promised, record: &record, ground: Ground::Erasure };
    archive.erase(&own, &means, later).await.unwrap();
    bench.committer.follow().await;
    for version in [1, 2] {
        let original = found(&bench, &config, Asked::Version(version)).await.unwrap();
        let gone = read(&bench, &original).await.unwrap_err();
        assert!(matches!(gone, CopyError::Gone { .. }), "version {version}: {gone}");
    }
}

async fn a_version_that_was_erased_says_when(place: &Place) {
    let home = TempDir::new().unwrap();
    let config = config(&home, 1_200_000);
    let (bench, first) = outdated(place, &config, HALF_AN_HOUR).await;
    let erased =
        |until| Draft::fact(Fact::Disposal(Disposal { ground: Ground::Erasure, until, files: 1, results: 8_916 }));
    let record = record(&bench).await;
    // Erased results read as if they had never been.
    let empty = Bench::on(crate::ledger::open("sqlite::memory:").await.unwrap()).await;
    for (until, is_gone) in [(at(-40 * 86_400), false), (at(MONTH), true)] {
        record.append(&acme(), BY_NINES, |_| Ok::<_, RecordError>(erased(until))).await.unwrap();
        let original = found(&bench, &config, Asked::Newest).await.unwrap();
        let failed = original.read(&bench_evidence(&empty), |_| ()).await.unwrap_err();
        assert_eq!(matches!(failed, CopyError::Gone { .. }), is_gone, "{failed}");
        let says = failed.to_string().contains("it was erased at 2026-11-01T00:00:00Z");
        assert_eq!(says, is_gone, "{failed}");
        assert_eq!(original.issued(), Some(&first));
    }
}

async fn a_version_that_is_not_what_was_signed_is_refused(place: &Place) {
    let home = TempDir::new().unwrap();
    let config = config(&home, 1_200_000);
    let (bench, _) = outdated(place, &config, HALF_AN_HOUR).await;
    let mut original = found(&bench, &config, Asked::Newest).await.unwrap();
    let last = original.versions[0].bytes.len() - 20;
    original.versions[0].bytes[last] ^= 1;
    let failed = read(&bench, &original).await.unwrap_err();
    assert!(matches!(failed, CopyError::Again { version: 1, source: AgainError::Sealed(_), .. }), "{failed}");
}
