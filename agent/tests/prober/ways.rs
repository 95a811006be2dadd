//! The way to a page: proxies, redirects with cookies, and who asks.

use crate::servers::{Authority, answer, closed, https, read_head, reply, serve, silent};
use crate::{AMPLE, OK, http, page, probe};
use rules::check::{
    HttpAuth, HttpOptions, HttpTarget, OAuth2, Pem, Proxy, ProxyChoice, ResolvedBy, Secret, SecretSource, Target,
    TlsRule,
};
use rules::evidence::{Transport, Way};
use rules::outcome::{Cause, Outcome};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server was told, in order.
type Heard = Arc<Mutex<Vec<String>>>;

fn heard(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut heard.lock().unwrap())
}

/// Answers every request as `script` says and writes down its head.
fn listening(script: impl Fn(&str) -> String + Send + Sync + 'static) -> (SocketAddr, Heard) {
    let said = Heard::default();
    let written = Arc::clone(&said);
    let address = reply(move |head| {
        written.lock().unwrap().push(head.to_owned());
        script(head)
    });
    (address, said)
}

/// A proxy that makes tunnels, or says `refusal`.
fn tunnels(refusal: Option<&'static str>) -> (SocketAddr, Heard) {
    let said = Heard::default();
    let written = Arc::clone(&said);
    let address = serve(move |mut stream| {
        let head = read_head(&mut stream);
        let to = head.split(' ').nth(1).unwrap_or("").to_owned();
        written.lock().unwrap().push(head);
        match refusal {
            Some(refusal) => drop(stream.write_all(refusal.as_bytes())),
            None => {
                stream.write_all(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n").unwrap();
                join(stream, TcpStream::connect(to.replace("a.example", "127.0.0.1")).unwrap());
            }
        }
    });
    (address, said)
}

/// Passes on what either says until both have ended.
fn join(near: TcpStream, far: TcpStream) {
    let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    let up = std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (far, near);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = up.join();
}

fn through(url: &str) -> Proxy {
    Proxy { choice: ProxyChoice::At { url: Secret::new(url), except: None }, ..Proxy::default() }
}

fn spoken(target: HttpTarget, options: HttpOptions) -> Target {
    http(HttpTarget { options, ..target })
}

fn by(proxy: Proxy) -> HttpOptions {
    HttpOptions { proxy, ..HttpOptions::default() }
}

#[tokio::test]
async fn a_plain_page_is_asked_for_by_its_whole_url_from_a_proxy() {
    let (proxy, said) = listening(|_| OK.to_owned());
    let target = HttpTarget::parse("http://127.0.0.1:7/x?y=1").unwrap();
    let options = by(through(&format!("http://me:p%40ss@{proxy}")));
    let (evidence, outcome) = probe(spoken(target, options.clone()), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert_eq!((evidence.answered(), evidence.http.unwrap().way), (Some(proxy), Way::Proxy));
    let head = &heard(&said)[0];
    assert!(head.starts_with("GET http://127.0.0.1:7/x?y=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nhost: 127.0.0.1:7\r\n"), "{head}");
    assert!(head.contains("\r\nproxy-authorization: Basic bWU6cEBzcw==\r\n"), "{head}");
    // A name that only the proxy knows.
    let named = || HttpTarget::parse("http://a.example/").unwrap();
    let skip = Proxy { resolved_by: ResolvedBy::Proxy, ..options.proxy };
    assert_eq!(probe(spoken(named(), by(skip.clone())), AMPLE).await.1, Outcome::Up);
    assert!(heard(&said)[0].starts_with("GET http://a.example:80/ HTTP/1.1\r\n"));
    let except = ProxyChoice::At { url: Secret::new(format!("http://{proxy}")), except: Some("*".to_owned()) };
    let excepted = by(Proxy { choice: except, ..Proxy::default() });
    let (evidence, _) = probe(spoken(page(answer(OK)), excepted), AMPLE).await;
    assert_eq!(evidence.http.unwrap().way, Way::Direct);
    assert_eq!(heard(&said), Vec::<String>::new());
}

#[tokio::test]
async fn a_page_with_tls_is_reached_through_a_tunnel() {
    let authority = Authority::new();
    let site = https(&authority.issue(&["a.example"], 2050), Duration::ZERO, OK);
    let (proxy, said) = tunnels(None);
    let target = HttpTarget::parse(&format!("https://a.example:{}/", site.port())).unwrap();
    let options = HttpOptions {
        tls: TlsRule { ca: Some(Pem::File(authority.file())), ..TlsRule::default() },
        proxy: Proxy {
            connect_headers: vec![("X-Ticket".to_owned(), Secret::new("7"))],
            resolved_by: ResolvedBy::Proxy,
            ..through(&format!("http://{proxy}"))
        },
        ..HttpOptions::default()
    };
    let (evidence, outcome) = probe(spoken(target.clone(), options.clone()), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let facts = evidence.http.unwrap();
    assert_eq!((facts.way, facts.transport), (Way::Proxy, Transport::Tls));
    let head = &heard(&said)[0];
    assert!(head.starts_with(&format!("CONNECT a.example:{} HTTP/1.1\r\n", site.port())), "{head}");
    assert!(head.contains("\r\nX-Ticket: 7\r\n"), "{head}");

    let (refusing, _) = tunnels(Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"));
    let proxy = Proxy { resolved_by: ResolvedBy::Proxy, ..through(&format!("http://{refusing}")) };
    let (evidence, outcome) = probe(spoken(target.clone(), by(proxy)), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Unreachable));
    let detail = evidence.failure.unwrap().detail.to_string();
    assert!(detail.contains("answers `HTTP/1.1 403 Forbidden` to CONNECT a.example"), "{detail}");

    let proxy = Proxy { resolved_by: ResolvedBy::Proxy, ..through(&format!("http://{}", silent())) };
    let (_, outcome) = probe(spoken(target, by(proxy)), Duration::from_millis(300)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout));
}

#[tokio::test]
async fn a_page_is_reached_through_socks() {
    let site = answer(OK);
    let proxy = serve(|mut stream| {
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting).unwrap();
        assert_eq!(greeting, [5, 2, 0, 2]);
        stream.write_all(&[5, 2]).unwrap();
        let mut who = [0; 7];
        stream.read_exact(&mut who).unwrap();
        let known = who == *b"\x01\x02me\x02pw";
        stream.write_all(&[1, u8::from(!known)]).unwrap();
        let mut asked = [0; 10];
        if stream.read_exact(&mut asked).is_ok() {
            let port = u16::from_be_bytes([asked[8], asked[9]]);
            stream.write_all(&[5, 0, 0, 3, 1, b'x', 0, 0]).unwrap();
            join(stream, TcpStream::connect(("127.0.0.1", port)).unwrap());
        }
    });
    let (evidence, outcome) = probe(spoken(page(site), by(through(&format!("socks5://me:pw@{proxy}")))), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let (_, outcome) = probe(spoken(page(site), by(through(&format!("socks5://me:no@{proxy}")))), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Unreachable));
}

#[tokio::test]
async fn cookies_go_along_with_redirects_where_they_belong() {
    let (other, told_other) = listening(|_| OK.to_owned());
    let (site, told) = listening(move |head| match head.split(' ').nth(1) {
        Some("/") => "HTTP/1.1 302 Found\r\nset-cookie: s=1; Path=/\r\nset-cookie: t=2; Path=/other\r\n\
                      location: /in\r\ncontent-length: 0\r\n\r\n"
            .to_owned(),
        _ => format!("HTTP/1.1 302 Found\r\nlocation: http://localhost:{}/\r\ncontent-length: 0\r\n\r\n", other.port()),
    });
    let target = HttpTarget { headers: vec![crate::header("cookie", "own=0")], ..page(site) };
    let (evidence, outcome) = probe(http(target), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert_eq!(evidence.http.unwrap().redirects, 2);
    let told = heard(&told);
    assert!(told[0].contains("\r\ncookie: own=0\r\n"), "{}", told[0]);
    assert!(told[1].contains("\r\ncookie: own=0; s=1\r\n"), "{}", told[1]);
    assert!(!heard(&told_other)[0].contains("cookie"));
}

#[tokio::test]
async fn the_name_that_is_verified_follows_the_host_and_a_fixed_one_stays_behind_at_a_redirect() {
    let authority = Authority::new();
    let last = https(&authority.issue(&["localhost"], 2050), Duration::ZERO, OK);
    let location =
        format!("HTTP/1.1 302 Found\r\nlocation: https://localhost:{}/\r\ncontent-length: 0\r\n\r\n", last.port());
    let first = https(&authority.issue(&["a.example"], 2050), Duration::ZERO, location.leak());
    let tls = |name: Option<&str>| TlsRule {
        ca: Some(Pem::File(authority.file())),
        server_name: name.map(str::to_owned),
        ..TlsRule::default()
    };
    let at = |address: SocketAddr| HttpTarget::parse(&format!("https://{address}/")).unwrap();
    let fixed = HttpOptions { tls: tls(Some("a.example")), ..HttpOptions::default() };
    let (evidence, outcome) = probe(spoken(at(first), fixed), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let by_host = HttpOptions { tls: tls(None), ..HttpOptions::default() };
    let target = HttpTarget { headers: vec![crate::header("Host", "a.example:8443")], ..at(first) };
    let (evidence, outcome) = probe(spoken(target, by_host), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
}

#[tokio::test]
async fn whoever_asks_is_told_at_each_probe_and_from_a_file_as_it_is_then() {
    let (site, told) = listening(|_| OK.to_owned());
    let asks = async |auth| {
        let options = HttpOptions { auth, ..HttpOptions::default() };
        let (_, outcome) = probe(spoken(page(site), options), AMPLE).await;
        let heads = heard(&told);
        let line = heads.first().and_then(|head| head.lines().find(|line| line.starts_with("authorization: ")));
        (outcome, line.map(str::to_owned))
    };
    let given = SecretSource::given;
    let basic = HttpAuth::Basic { username: given("me"), password: Some(given("p:w")) };
    assert_eq!(asks(basic).await, (Outcome::Up, Some("authorization: Basic bWU6cDp3".to_owned())));
    let file = tempfile::NamedTempFile::new().unwrap();
    let held = HttpAuth::Credentials {
        scheme: "Bearer".to_owned(),
        credentials: SecretSource::File(file.path().to_str().unwrap().to_owned()),
    };
    for token in ["one", "two"] {
        std::fs::write(file.path(), format!("{token}\n")).unwrap();
        assert_eq!(asks(held.clone()).await, (Outcome::Up, Some(format!("authorization: Bearer {token}"))));
    }
    drop(file);
    assert_eq!(asks(held).await, (Outcome::Void(Cause::Prober), None));
}

#[tokio::test]
async fn a_token_is_had_once_and_kept_until_it_ends() {
    let (site, told) = listening(|_| OK.to_owned());
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let tokens = move |expires: u64| {
        let count = Arc::clone(&count);
        serve(move |mut stream| {
            let head = read_head(&mut stream);
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap();
            let mut form = vec![0; length];
            stream.read_exact(&mut form).unwrap();
            let form = String::from_utf8(form).unwrap();
            assert!(form.starts_with("grant_type=client_credentials&scope=a+b&audience=c"), "{form}");
            // This one reads who asks from the form only.
            let body = if form.contains("&client_id=i+d&client_secret=s") {
                let number = count.fetch_add(1, Ordering::Relaxed);
                format!(r#"{{"access_token":"t{number}","token_type":"bearer","expires_in":{expires}}}"#)
            } else {
                assert!(head.contains("authorization: Basic aStkOnM="), "{head}");
                String::new()
            };
            let status = if body.is_empty() { 401 } else { 200 };
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
        })
    };
    let asking = |token_url: String| {
        let oauth2 = OAuth2 {
            token_url,
            client_id: "i d".to_owned(),
            client_secret: SecretSource::given("s"),
            scopes: vec!["a".to_owned(), "b".to_owned()],
            endpoint_params: vec![("audience".to_owned(), Secret::new("c"))],
            tls: TlsRule::default(),
            proxy: Proxy::default(),
        };
        let options = HttpOptions { auth: HttpAuth::OAuth2(Box::new(oauth2)), ..HttpOptions::default() };
        spoken(page(site), options)
    };
    let prober = crate::prober();
    for (expires, expected) in [(3600, ["t0", "t0"]), (5, ["t1", "t2"])] {
        let plan = prober.plan(&asking(format!("http://{}/token", tokens(expires))), AMPLE);
        for token in expected {
            let evidence = prober.probe(&plan).await;
            assert_eq!(evidence.failure, None);
            let line = format!("\r\nauthorization: Bearer {token}\r\n");
            assert!(heard(&told)[0].contains(&line), "{line}");
        }
    }
    assert_eq!(served.load(Ordering::Relaxed), 3);

    let fails = async |token_url: String, timeout, cause, words: &str| {
        let (evidence, outcome) = probe(asking(token_url), timeout).await;
        assert_eq!(outcome, Outcome::Down(cause), "{evidence:?}");
        let detail = evidence.failure.unwrap().detail.to_string();
        assert!(detail.contains("token") && detail.contains(words), "{detail}");
    };
    let at = |address: SocketAddr| format!("http://{address}/token");
    fails(at(closed()), AMPLE, Cause::Refused, "refused").await;
    fails(at(answer("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")), AMPLE, Cause::Unreachable, "status 503").await;
    fails(at(answer(OK)), AMPLE, Cause::Protocol, "`access_token`").await;
    let (evidence, outcome) = probe(asking(at(silent())), Duration::from_millis(300)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
}
