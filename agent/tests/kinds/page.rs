//! Pages with their assets, from servers that know what they were asked and how much at once.

use crate::{AMPLE, probe};
use rules::check::{Origins, PageTarget, SecretSource, Target};
use rules::evidence::{Evidence, Excess, Facts, PageFacts, Trouble};
use rules::outcome::{Cause, Outcome};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A server of fixed answers by path. What it doesn't know is a 404; `/hang` is never answered, and
/// `/endless` never ends.
struct Site {
    address: SocketAddr,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

#[derive(Default)]
struct Seen {
    heads: Vec<String>,
    now: usize,
    most: usize,
}

impl Site {
    /// Serves `pages`; what lies below `/slow/` is answered when `together` requests wait for it.
    fn start(pages: &[(&str, &str)], together: usize) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = Site { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = Arc::clone(&site.seen);
        let pages: BTreeMap<String, String> =
            pages.iter().map(|(path, body)| ((*path).to_owned(), (*body).to_owned())).collect();
        let pages = Arc::new(pages);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, seen) = (Arc::clone(&pages), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &pages, &seen, together));
            }
        });
        site
    }

    fn target(&self) -> PageTarget {
        PageTarget::parse(&format!("http://{}/", self.address)).unwrap()
    }

    /// The paths that were asked for, in the order of their names.
    fn paths(&self) -> Vec<String> {
        let heads = self.heads();
        let mut paths: Vec<String> = heads.iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect();
        paths.sort();
        paths
    }

    fn heads(&self) -> Vec<String> {
        self.seen.0.lock().unwrap().heads.clone()
    }
}

fn serve(mut stream: TcpStream, pages: &BTreeMap<String, String>, seen: &(Mutex<Seen>, Condvar), together: usize) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let Some(path) = head.split(' ').nth(1).map(str::to_owned) else { return };
    {
        let mut seen = seen.0.lock().unwrap();
        seen.heads.push(head);
        seen.now += 1;
        seen.most = seen.most.max(seen.now);
    }
    seen.1.notify_all();
    if path.starts_with("/slow/") {
        // Nothing more comes while these wait, so there are never more of them.
        let enough = |seen: &mut Seen| seen.most < together;
        let waited = seen.1.wait_timeout_while(seen.0.lock().unwrap(), Duration::from_secs(5), enough);
        drop(waited.unwrap());
    }
    answer(&mut stream, &path, pages);
    seen.0.lock().unwrap().now -= 1;
}

fn answer(stream: &mut TcpStream, path: &str, pages: &BTreeMap<String, String>) {
    match (path, pages.get(path)) {
        ("/hang", _) => drop(stream.read_to_end(&mut Vec::new())),
        ("/endless", _) => {
            let mut written = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while written.is_ok() {
                written = stream.write_all(&[b'x'; 4096]);
            }
        }
        (_, Some(body)) => {
            let head = format!("HTTP/1.1 200 OK\r\nset-cookie: s=1\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
        (_, None) => drop(stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")),
    }
}

async fn look(target: PageTarget, timeout: Duration) -> (Evidence, PageFacts, Outcome) {
    let (evidence, outcome) = probe(&Target::Page(target), timeout).await;
    let Some(Facts::Page(facts)) = evidence.facts.clone() else { panic!("{evidence:?}") };
    (evidence, *facts, outcome)
}

#[tokio::test]
async fn a_page_is_fetched_with_all_that_it_needs() {
    let html = "<link rel=stylesheet href=/a.css><script src=/a.js></script><img src=/i.png><img src='data:,x'>";
    let site = Site::start(
        &[("/", html), ("/a.css", "@import url(/b.css);"), ("/b.css", ""), ("/a.js", "12345"), ("/i.png", "1")],
        1,
    );
    let (evidence, facts, outcome) = look(site.target(), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert_eq!(site.paths(), ["/", "/a.css", "/a.js", "/b.css", "/i.png"]);
    let (assets, bytes) = (4, html.len() + "@import url(/b.css);".len() + 6);
    assert_eq!((facts.assets, facts.ended, facts.failed), (assets, assets, 0));
    assert_eq!(facts.bytes, bytes as u64);
    let last = facts.told.iter().map(|asset| asset.began + asset.elapsed).max().unwrap();
    assert!(facts.document.unwrap() < last && last <= evidence.elapsed, "{evidence:?}");
    assert!(facts.slowest.is_some());
}

#[tokio::test]
async fn six_assets_of_a_host_are_fetched_at_once_and_no_more() {
    let html: String = (0..20).map(|number| format!("<img src=/slow/{number}>")).collect();
    let images: Vec<String> = (0..20).map(|number| format!("/slow/{number}")).collect();
    let mut pages = vec![("/", html.as_str())];
    pages.extend(images.iter().map(|image| (image.as_str(), "x")));
    let site = Site::start(&pages, 6);
    let (evidence, facts, outcome) = look(site.target(), AMPLE).await;
    assert_eq!((outcome, facts.ended), (Outcome::Up, 20), "{evidence:?}");
    assert_eq!(site.seen.0.lock().unwrap().most, 6);
}

#[tokio::test]
async fn a_broken_asset_is_the_page_s_failure_unless_some_may_fail() {
    let site = Site::start(&[("/", "<img src=/gone.png><img src=/i.png>"), ("/i.png", "x")], 1);
    let (_, facts, outcome) = look(site.target(), AMPLE).await;
    assert_eq!((outcome, facts.failed), (Outcome::Down(Cause::Status), 1));
    assert!(facts.failures[0].url.as_str().ends_with("/gone.png"));
    assert_eq!(facts.failures[0].trouble, Trouble::Status(404));
    let (_, facts, outcome) = look(PageTarget { assets_may_fail: 1, ..site.target() }, AMPLE).await;
    assert_eq!((outcome, facts.failed), (Outcome::Up, 1));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let site = Site::start(&[("/", &format!("<img src=http://{closed}/>"))], 1);
    assert_eq!(look(site.target(), AMPLE).await.2, Outcome::Down(Cause::Refused));
}

#[tokio::test]
async fn other_origins_are_left_out_on_demand_and_never_told_who_asks() {
    let other = Site::start(&[("/o.png", "x")], 1);
    let html = format!("<img src=http://{}/o.png><img src=/i.png>", other.address);
    let site = Site::start(&[("/", &html), ("/i.png", "x")], 1);
    let headers = vec![("x-key".to_owned(), SecretSource::given("k-1"))];
    let target = PageTarget { headers, ..site.target() };
    let (_, facts, outcome) = look(PageTarget { origins: Origins::Same, ..target.clone() }, AMPLE).await;
    assert_eq!((outcome, facts.assets, facts.left_out), (Outcome::Up, 1, 1));
    assert!(other.heads().is_empty());
    let (_, facts, outcome) = look(target, AMPLE).await;
    assert_eq!((outcome, facts.assets, facts.left_out), (Outcome::Up, 2, 0));
    let told = |head: &String| head.to_ascii_lowercase().contains("x-key: k-1");
    assert!(!other.heads().iter().any(told));
    assert!(site.heads().iter().all(told));
    let image = site.heads().into_iter().find(|head| head.starts_with("GET /i.png")).unwrap();
    assert!(image.to_ascii_lowercase().contains("cookie: s=1"), "{image}");
}

#[tokio::test]
async fn a_page_that_is_not_there_is_down_and_nothing_more_is_fetched() {
    let site = Site::start(&[], 1);
    let (_, facts, outcome) = look(site.target(), AMPLE).await;
    assert_eq!((outcome, facts.status, facts.assets), (Outcome::Down(Cause::Status), Some(404), 0));
}

#[tokio::test]
async fn a_page_of_ten_thousand_assets_is_too_large_and_none_is_fetched() {
    let html: String = (0..10_000).map(|number| format!("<img src=/{number}>")).collect();
    let site = Site::start(&[("/", &html)], 1);
    let (_, facts, outcome) = look(site.target(), AMPLE).await;
    assert_eq!((outcome, facts.excess), (Outcome::Down(Cause::TooLarge), Some(Excess::Assets)));
    assert_eq!(site.paths(), ["/"]);
}

#[tokio::test]
async fn an_asset_without_end_is_too_large() {
    let site = Site::start(&[("/", "<img src=/endless>")], 1);
    let target = PageTarget { bytes_max: 100_000, ..site.target() };
    let (evidence, facts, outcome) = look(target, AMPLE).await;
    assert_eq!((outcome, facts.failed), (Outcome::Down(Cause::TooLarge), 1), "{evidence:?}");
}

#[tokio::test]
async fn many_assets_that_together_are_too_large_end_the_page() {
    let big = "x".repeat(60_000);
    let site = Site::start(&[("/", "<img src=/1><img src=/2>"), ("/1", &big), ("/2", &big)], 1);
    let target = PageTarget { bytes_max: 100_000, ..site.target() };
    let (_, facts, outcome) = look(target, AMPLE).await;
    assert_eq!((outcome, facts.excess), (Outcome::Down(Cause::TooLarge), Some(Excess::Bytes)));
}

#[tokio::test]
async fn an_asset_that_hangs_is_named_when_the_time_is_over() {
    let site = Site::start(&[("/", "<img src=/hang><img src=/i.png>"), ("/i.png", "x")], 1);
    let timeout = Duration::from_secs(1);
    let (evidence, facts, outcome) = look(site.target(), timeout).await;
    assert_eq!((outcome, facts.ended), (Outcome::Down(Cause::Timeout), 2), "{evidence:?}");
    assert!(facts.failures[0].url.as_str().ends_with("/hang"));
    assert!(evidence.elapsed <= timeout);
}
