//! Data that goes by itself when a customer's standing says so, and data that doesn't; on both stores.

use super::*;
use crate::archive::Keeper;
use crate::closing::seal;
use crate::record::{Draft, RecordError};
use crate::signing::signer;
use config::collector::CollectorConfig;
use daemon::clock::Hand;
use prometheus::Registry;
use rules::id::AgreementId;
use rules::record::BY_NINES;
use rules::standing::{Change, Standing};
use tokio::sync::watch;

facts! {
    an_overdue_customers_data_is_erased_once_and_on_record
    who_paid_a_day_before_keeps_everything
    a_standing_that_only_the_configuration_knows_deletes_nothing
    a_record_that_does_not_verify_deletes_nothing
    a_crash_between_any_two_steps_is_made_up_for
    two_collectors_erase_one_customer_once
    who_pays_afterwards_begins_anew_and_nothing_comes_back
    what_nobody_was_promised_goes_when_its_time_is_over
    only_what_a_crash_left_is_tidied_away
}

/// Due on the first of October, recorded that day; deleted from the 21st on.
const DUE: &str = "2026-10-01T12:00:00Z";
const DELETED: &str = "2026-10-21T12:00:00Z";
const DAY: Duration = Duration::from_hours(24);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn acme() -> AgreementId {
    "acme".parse().unwrap()
}

/// The configuration, with `standing` for acme and `more` for the archive.
fn config(standing: &str, more: &str) -> CollectorConfig {
    let text = format!(
        "
agents: []
evidence: {{ store: unused{more} }}
policies:
  - {{ policy: p, availability: {{ objective: 99.9 }}, standing: {{ screens_stop: 1d, collection_stops: 10d, data_deleted: 20d }} }}
agreements:
  - agreement: acme
    zone: UTC
    policy: p
    standing: [{standing}]
    services: [{{ service: apm, checks: [{{ check: login, tcp: '127.0.0.1:1' }}, {{ check: port, tcp: '127.0.0.1:1' }}] }}]
  - {{ agreement: other, zone: UTC, policy: p, services: [{{ service: neighbour, checks: [{{ check: login, tcp: '127.0.0.1:1' }}] }}] }}
"
    );
    config::collector::parse(&text, "collector.yaml", Path::new(".")).unwrap().value
}

fn neighbour() -> SeriesKey {
    SeriesKey { service: "neighbour".parse().unwrap(), ..key("login") }
}

/// A site with acme's results and its neighbour's in the same blocks.
async fn shared(place: &Place) -> Site {
    let mut site = Site::with_evidence(place).await;
    let neighbours = |slot: i64| (neighbour(), pace(30), result(slot * 30, Outcome::Up));
    site.bench.send(&(0..100).map(neighbours).collect::<Vec<_>>()).await;
    let both: Vec<_> = (800..810).flat_map(|slot| [probe("login", slot), neighbours(slot)]).collect();
    site.bench.send(&both).await;
    site
}

/// A collector's keeper on an archive.
struct Kept {
    keeper: Keeper,
    record: Record,
    hand: Hand,
    registry: Registry,
    _config: watch::Sender<Arc<CollectorConfig>>,
}

impl Kept {
    /// With a clock that stands at `now`.
    async fn on(place: &Place, archive: &Arc<Archive>, config: CollectorConfig, now: &str) -> Kept {
        let (clock, hand) = Clock::manual(at(now));
        let record = Record::load(place.open().await, clock.clone()).await.unwrap();
        let (registry, (sender, config)) = (Registry::new(), watch::channel(Arc::new(config)));
        let keeper = Keeper::new(Arc::clone(archive), record.clone(), config, clock, &registry);
        Kept { keeper, record, hand, registry, _config: sender }
    }

    /// Records a standing `from` an instant, and lets `length` pass.
    async fn record(&self, from: &str, standing: Standing, length: Duration) {
        let fact = Fact::Standing(Change { from: at(from), standing });
        let draft = |_: crate::record::Before<'_>| Ok::<_, RecordError>(Draft::fact(fact.clone()));
        self.record.append(&acme(), "kim", draft).await.unwrap();
        self.hand.advance(length);
    }

    /// One round, then what its metrics say.
    async fn round(&mut self) -> String {
        self.keeper.round().await.unwrap();
        prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }

    /// What the collector put on record of itself: files that are gone, and the results in them.
    fn told(&self) -> Vec<(Ground, u64, u64)> {
        let entries = self.record.entries(&acme());
        let own = entries.iter().filter(|entry| entry.recorded_by == BY_NINES);
        let told = own.map(|entry| {
            let Fact::Disposal(disposal) = &entry.fact else { panic!("{entry:?}") };
            (disposal.ground, disposal.files, disposal.results)
        });
        told.collect()
    }
}

/// How much of `series` anybody could still find: in memory, derived, in blocks, in the archive.
async fn left(site: &mut Site, series: &SeriesKey) -> usize {
    site.bench.committer.follow().await;
    let runs = site.bench.state.series(series).map_or(0, |view| view.runs().count());
    let derived = site.bench.ledger.derived(&agent(), Timestamp::MIN).await.unwrap();
    let rows = derived.iter().filter(|derived| derived.series == *series).count();
    let mut results = results_within(&*site.bench.ledger, series, everything()).await.unwrap().len();
    for stored in site.archive.ledger.blocks_within(&agent(), Interval::ALWAYS).await.unwrap() {
        let block = rules::block::Block::decode(&stored.bytes).unwrap();
        results += block.series.iter().filter(|of| of.service == series.service).count();
    }
    let all = Selection { services: None, interval: everything() };
    let places = store(&site.directory).list().await.unwrap();
    read(&store(&site.directory), &places, &all, |line| results += usize::from(line.series == *series)).await.unwrap();
    runs + rows + results
}

/// Issues a statement of acme's that heard nothing on record.
async fn issue(site: &Site) {
    let (text, directory) = (String::from_utf8(site.statement().await).unwrap(), TempDir::new().unwrap());
    let key = signer(&*site.bench.ledger, &directory.path().join("keys"), now()).await.unwrap();
    let (sha256, bytes) = (seal::hash(&text), seal::seal(&text, &key).into_bytes());
    let month = "2026-10".parse().unwrap();
    let issued = Issued { agreement: acme(), month, version: 1, issued_at: now(), sha256, bytes };
    let (entries, messages) = (Vec::new(), Vec::new());
    let booking = Booking { agreement: acme(), next: 1, entries, messages, issued: Some(issued) };
    assert_eq!(site.bench.ledger.book(booking).await.unwrap(), Booked::Durable);
}

async fn an_overdue_customers_data_is_erased_once_and_on_record(place: &Place) {
    let mut site = shared(place).await;
    issue(&site).await;
    let mut kept = Kept::on(place, &site.archive, config("", ""), DUE).await;
    kept.record(DUE, Standing::Overdue, 20 * DAY - Duration::from_millis(1)).await;
    kept.round().await;
    assert_eq!(kept.told(), [], "it is not due for another millisecond");
    assert!(0 < left(&mut site, &key("login")).await);

    kept.hand.advance(Duration::from_millis(1));
    let metrics = kept.round().await;
    assert_eq!(left(&mut site, &key("login")).await + left(&mut site, &key("port")).await, 0);
    assert_eq!(kept.told(), [(Ground::Standing, 1, 1452)]);
    assert!(metrics.contains("nines_archive_erasures_total 1"), "{metrics}");
    let neighbours = results_within(&*site.bench.ledger, &neighbour(), everything()).await.unwrap();
    assert_eq!(neighbours.len(), 110, "the neighbour's results are all there");
    assert_eq!(site.bench.ledger.issued(&acme(), None).await.unwrap().len(), 1, "what was issued stays");
    assert_eq!(site.scrubbed().await.findings, Vec::<String>::new());

    for _ in 0..3 {
        kept.hand.advance(DAY);
        kept.round().await;
    }
    assert_eq!(kept.told().len(), 1, "nothing is erased twice");
}

async fn who_paid_a_day_before_keeps_everything(place: &Place) {
    let mut site = shared(place).await;
    let mut kept = Kept::on(place, &site.archive, config("", ""), DUE).await;
    kept.record(DUE, Standing::Overdue, 19 * DAY).await;
    kept.record("2026-10-20T12:00:00Z", Standing::Paid, 30 * DAY).await;
    kept.round().await;
    assert_eq!(kept.told(), []);

    // A slip of the pen, put right within the day.
    kept.record("2026-10-21T00:00:00Z", Standing::Overdue, DAY - Duration::from_secs(1)).await;
    assert!(kept.round().await.contains("nines_archive_erasures_waiting 1"));
    kept.record("2026-10-21T00:00:00Z", Standing::Paid, 30 * DAY).await;
    kept.round().await;
    assert_eq!(kept.told(), []);
    let results = results_within(&*site.bench.ledger, &key("port"), everything()).await.unwrap();
    assert_eq!(results.len(), 720);
    assert!(0 < left(&mut site, &key("login")).await);
}

async fn a_standing_that_only_the_configuration_knows_deletes_nothing(place: &Place) {
    let mut site = shared(place).await;
    let configured = config(&format!("{{ from: '{DUE}', standing: overdue }}"), "");
    let mut kept = Kept::on(place, &site.archive, configured, NOW).await;
    assert!(kept.round().await.contains("nines_archive_erasures_waiting 1"));
    assert_eq!(kept.told(), []);
    assert!(0 < left(&mut site, &key("login")).await);
    // Put on record, it counts a day later.
    kept.record(DUE, Standing::Overdue, DAY).await;
    assert!(kept.round().await.contains("nines_archive_erasures_waiting 0"));
    assert_eq!(left(&mut site, &key("login")).await, 0);
}

async fn a_record_that_does_not_verify_deletes_nothing(place: &Place) {
    let mut site = shared(place).await;
    let mut kept = Kept::on(place, &site.archive, config("", ""), DUE).await;
    kept.record(DUE, Standing::Overdue, 25 * DAY).await;
    // What is in memory says that it is due; what lies in the ledger is not what was written.
    place.tamper("UPDATE entries SET recorded_by = 'lee'").await;
    let metrics = kept.round().await;
    assert!(metrics.contains("nines_archive_failures_total 1") && metrics.contains("nines_archive_erasures_total 0"));
    assert!(0 < left(&mut site, &key("login")).await);
    place.tamper("UPDATE entries SET recorded_by = 'kim'").await;
    kept.round().await;
    assert_eq!((left(&mut site, &key("login")).await, kept.told().len()), (0, 1));
}

async fn a_crash_between_any_two_steps_is_made_up_for(place: &Place) {
    for crash_after in ["declared", "deleted", "recorded", "expelled"] {
        let elsewhere = match place {
            Place::Sqlite(_) => Place::sqlite(),
            Place::Postgres { .. } => Place::postgres().await,
        };
        let mut site = shared(&elsewhere).await;
        let kept = Kept::on(&elsewhere, &site.archive, config("", ""), DUE).await;
        kept.record(DUE, Standing::Overdue, 20 * DAY).await;
        let promised = Promised::by(&config("", "").agreements);
        site.archive.seal(&promised, at(DELETED)).await.unwrap();
        site.archive.verify(at(DELETED)).await.unwrap();
        let own = Belongings::of(&config("", "").agreements, &acme());
        let doomed = site.archive.doomed(Some(&acme()), Ground::Standing, |file| own.has(file)).await.unwrap();
        let file = site.directory.path().join(&doomed[0].place);
        let bytes = std::fs::read(&file).unwrap();
        site.archive.dispose(&doomed, at(DELETED)).await.unwrap();
        if crash_after == "declared" {
            std::fs::write(&file, bytes).unwrap();
        }
        if crash_after == "recorded" || crash_after == "expelled" {
            site.archive.account(&kept.record).await.unwrap();
        }
        if crash_after == "expelled" {
            let deep = &*site.bench.ledger;
            assert_eq!(erasure::expel(deep, &agent(), &own.services, at(DELETED)).await.unwrap(), 2);
        }
        // Another process comes up, and reads all of it anew.
        let archive = Arc::new(Archive::new(elsewhere.open().await, store(&site.directory)));
        let mut again = Kept::on(&elsewhere, &archive, config("", ""), DELETED).await;
        again.round().await;
        assert_eq!(left(&mut site, &key("login")).await, 0, "after `{crash_after}`");
        assert_eq!(again.told(), [(Ground::Standing, 1, 1452)], "after `{crash_after}`");
        let neighbours = results_within(&*site.bench.ledger, &neighbour(), everything()).await.unwrap();
        assert_eq!(neighbours.len(), 110, "after `{crash_after}`");
        assert!(!file.exists(), "after `{crash_after}`");
        drop((site, archive, kept, again));
        elsewhere.remove().await;
    }
}

async fn two_collectors_erase_one_customer_once(place: &Place) {
    let mut site = shared(place).await;
    let other = Arc::new(Archive::new(place.open().await, store(&site.directory)));
    let mut kept = Kept::on(place, &site.archive, config("", ""), DUE).await;
    kept.record(DUE, Standing::Overdue, 20 * DAY).await;
    let mut second = Kept::on(place, &other, config("", ""), DELETED).await;
    // Whoever loses a race may have to look again; nothing is lost by it.
    let (_one, _two) = tokio::join!(kept.keeper.round(), second.keeper.round());
    for keeper in [&mut kept, &mut second] {
        keeper.hand.advance(DAY);
        keeper.round().await;
    }
    assert_eq!(left(&mut site, &key("login")).await, 0);
    kept.record.follow().await.unwrap();
    assert_eq!(kept.told(), [(Ground::Standing, 1, 1452)]);
    assert_eq!(results_within(&*site.bench.ledger, &neighbour(), everything()).await.unwrap().len(), 110);
}

async fn who_pays_afterwards_begins_anew_and_nothing_comes_back(place: &Place) {
    let mut site = shared(place).await;
    let mut kept = Kept::on(place, &site.archive, config("", ""), DUE).await;
    kept.record(DUE, Standing::Overdue, 20 * DAY).await;
    kept.round().await;
    kept.record(DELETED, Standing::Paid, 2 * DAY).await;
    site.bench.committer.follow().await;
    site.bench.send(&[probe("login", 900)]).await;
    kept.round().await;
    rebuild(&*site.bench.ledger).await.unwrap();
    let found = results_within(&*site.bench.ledger, &key("login"), everything()).await.unwrap();
    assert_eq!((found.len(), found[0].0.at), (1, probe("login", 900).2.at));
    assert_eq!(kept.told().len(), 1);
}

async fn what_nobody_was_promised_goes_when_its_time_is_over(place: &Place) {
    let mut site = Site::new(place).await;
    let nobodys = SeriesKey { service: "nobodys".parse().unwrap(), ..key("login") };
    // Sealed while nobody was promised either; by now somebody is promised one of them.
    site.bench.send(&[(nobodys.clone(), pace(30), result(30, Outcome::Up))]).await;
    site.bench.send(&[(neighbour(), pace(30), result(30, Outcome::Up))]).await;
    site.archive.seal(&Promised::default(), at("2026-10-02T00:00:00Z")).await.unwrap();
    site.bench.send(&[(nobodys, pace(30), result(60, Outcome::Up))]).await;
    site.archive.seal(&Promised::default(), at("2026-10-02T01:00:00Z")).await.unwrap();
    site.archive.verify(at("2026-10-02T01:00:00Z")).await.unwrap();
    let is_parquet = |file: &std::path::PathBuf| file.extension().is_some_and(|of| of == "parquet");
    let files = |site: &Site| site.files().into_iter().filter(is_parquet).count();
    for (rule, now, expected) in [
        ("", "2026-10-03T00:00:00Z", 2),
        (", keep_unpromised: 90d", "2026-11-30T00:00:00Z", 2),
        (", keep_unpromised: 90d", "2027-01-01T00:00:00Z", 1),
    ] {
        let mut kept = Kept::on(place, &site.archive, config("", rule), now).await;
        kept.round().await;
        assert_eq!(files(&site), expected, "at {now}");
    }
    let kept = results_within(&*site.bench.ledger, &neighbour(), everything()).await.unwrap();
    assert_eq!(kept.len(), 1, "a file in which somebody's results lie by now stays");
    assert_eq!(site.scrubbed().await.findings, Vec::<String>::new());
}

async fn only_what_a_crash_left_is_tidied_away(place: &Place) {
    let site = Site::with_evidence(place).await;
    site.sealed().await;
    site.archive.verify(now()).await.unwrap();
    let write = |place: &str, bytes: &[u8]| {
        let path = site.directory.path().join(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let left = "agreement=acme/date=2026-11-20/seal-0000000001-0000000000000000.parquet";
    let coming = "agreement=acme/date=2026-11-20/seal-0000000002-0000000000000000.parquet";
    let others = "agreement=acme/date=2026-11-20/seal-0000000001-1111111111111111.parquet";
    for place in [left, coming, others, "notes.txt"] {
        write(place, b"something");
    }
    let mut foreign = site.archive.manifest(1).await.unwrap();
    foreign.files[0].place = others.to_owned();
    write("manifests/0000000001-1111111111111111.json", foreign.to_json().as_bytes());
    let is_there = |place: &str| site.directory.path().join(place).exists();

    assert_eq!(site.archive.tidy(now().plus(DAY).minus(Duration::from_millis(1))).await.unwrap(), 0, "it may be new");
    assert_eq!(site.archive.tidy(now().plus(DAY)).await.unwrap(), 1);
    assert!(!is_there(left) && is_there(coming) && is_there(others) && is_there("notes.txt"));
    write(left, b"something");
    write("manifests/0000000001-2222222222222222.json", b"none");
    assert!(site.archive.tidy(now().plus(DAY)).await.is_err(), "nobody knows what that manifest names");
    assert!(is_there(left));
    assert_eq!(site.scrubbed().await.findings, Vec::<String>::new());
}
