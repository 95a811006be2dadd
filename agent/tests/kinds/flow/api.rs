//! A small service with an API as those have that the flows are for: log in, make a project, look at
//! it until it is ready, remove it; options and capacity of a project that stands. It does what its
//! script says and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the service does.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// How many looks at something new find it under way.
    pub(super) looks: u32,
    /// What something is once it is no longer under way.
    pub(super) end: &'static str,
    /// The answer to logging in.
    pub(super) login: u16,
    /// The answer to removing a project, and to turning things back.
    pub(super) clean_up: u16,
    /// A path whose requests are never answered.
    pub(super) hangs: &'static str,
    /// Where a new project is said to be.
    pub(super) location: &'static str,
}

impl Default for Script {
    fn default() -> Script {
        Script { looks: 2, end: "well", login: 200, clean_up: 204, hangs: "none", location: "/api/projects/p-1" }
    }
}

/// The service while it runs.
pub(super) struct Api {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Asked>>,
}

/// What it was asked.
#[derive(Default)]
struct Asked {
    requests: Vec<String>,
    looks: BTreeMap<String, u32>,
    bodies: Vec<String>,
}

/// One request.
struct Request {
    method: String,
    path: String,
    head: String,
    body: String,
}

impl Api {
    pub(super) fn start(script: Script) -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Api { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let asked = Arc::clone(&api.asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, asked) = (script.clone(), Arc::clone(&asked));
                std::thread::spawn(move || serve(stream, &script, &asked));
            }
        });
        api
    }

    /// The requests so far, as `METHOD path`.
    pub(super) fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().requests.clone()
    }

    /// How often `request` came.
    pub(super) fn count(&self, request: &str) -> usize {
        self.requests().iter().filter(|known| *known == request).count()
    }

    /// The bodies so far.
    pub(super) fn bodies(&self) -> Vec<String> {
        self.asked.lock().unwrap().bodies.clone()
    }
}

fn serve(mut stream: TcpStream, script: &Script, asked: &Mutex<Asked>) {
    let Some(request) = read(&mut stream) else { return };
    {
        let mut asked = asked.lock().unwrap();
        asked.requests.push(format!("{} {}", request.method, request.path));
        asked.bodies.push(request.body.clone());
    }
    if request.path.contains(script.hangs) {
        let _ = stream.read_to_end(&mut Vec::new());
        return;
    }
    let (status, headers, body) = answer(&request, script, asked);
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let line = head.lines().next().unwrap();
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap().to_uppercase(), words.next().unwrap().to_owned());
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |it| it.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request { method, path, body: String::from_utf8(body).unwrap(), head })
}

/// Status, headers and body.
fn answer(request: &Request, script: &Script, asked: &Mutex<Asked>) -> (u16, String, String) {
    let plain = |status: u16, body: &str| (status, String::new(), body.to_owned());
    let (method, path) = (request.method.as_str(), request.path.as_str());
    if path == "/api/login" {
        // As careless services do, it repeats what it was sent.
        let body = if script.login == 200 { r#"{"token":"T-4711"}"# } else { &request.body };
        let cookie = "set-cookie: session=s-1; Path=/; HttpOnly\r\n".to_owned();
        return (script.login, cookie, body.to_owned());
    }
    let known = request.head.contains("authorization: bearer t-4711") && request.head.contains("cookie: session=s-1");
    if !known {
        return plain(401, "who are you?");
    }
    match (method, path) {
        ("POST", "/api/projects") => (202, format!("location: {}\r\n", script.location), "{}".to_owned()),
        ("DELETE", _) => plain(script.clean_up, ""),
        ("PUT", _) if request.body.contains("false") => plain(script.clean_up, "{}"),
        ("PATCH", _) if request.body.contains('1') => plain(script.clean_up, "{}"),
        ("PUT" | "PATCH", _) => plain(202, "{}"),
        ("GET", _) => {
            let mut asked = asked.lock().unwrap();
            let looks = asked.looks.entry(path.to_owned()).or_default();
            *looks += 1;
            let is_over = script.looks < *looks;
            plain(200, &state(path, is_over.then_some(script.end)))
        }
        _ => plain(404, "no such thing"),
    }
}

/// What stands at `path`, while it is under way or once it came to its `end`.
fn state(path: &str, end: Option<&str>) -> String {
    if path.ends_with("/capacity") {
        return format!(r#"{{"wanted": 2, "serving": {}}}"#, if end.is_some() { 2 } else { 1 });
    }
    let well = if path.contains("/options/") { "ACTIVE" } else { "READY" };
    let state = match end {
        None => "PENDING",
        Some("well") => well,
        Some(other) => other,
    };
    format!(r#"{{"state": "{state}"}}"#)
}
