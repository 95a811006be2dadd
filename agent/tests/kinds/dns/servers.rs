//! Name servers on loopback that answer by a script, in threads that end with the test's process.

use hickory_resolver::proto::op::{Message, MessageType};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NS, SOA, TXT};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Datagram,
    Stream,
}

/// A server for both transports on one port.
pub(crate) fn serve(script: impl Fn(&Message, By) -> Option<Message> + Send + Sync + 'static) -> SocketAddr {
    let script = Arc::new(script);
    let (listener, socket) = pair();
    let by_stream = Arc::clone(&script);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let script = Arc::clone(&by_stream);
            thread::spawn(move || answer_stream(&mut stream, &*script));
        }
    });
    let address = socket.local_addr().unwrap();
    spawn_datagrams(socket, move |query, socket, from| {
        if let Some(answer) = script(query, By::Datagram) {
            socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
        }
    });
    address
}

/// A port that is free for both transports.
fn pair() -> (TcpListener, UdpSocket) {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()) {
            return (listener, socket);
        }
    }
}

fn answer_stream(stream: &mut (impl Read + Write), script: &dyn Fn(&Message, By) -> Option<Message>) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut bytes).unwrap();
        if let Some(answer) = script(&Message::from_vec(&bytes).unwrap(), By::Stream) {
            let answer = answer.to_vec().unwrap();
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).unwrap();
        }
    }
}

/// A server of datagrams alone that does with each question what `script` does.
pub(crate) fn datagrams(script: impl Fn(&Message, &UdpSocket, SocketAddr) + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    spawn_datagrams(socket, script);
    address
}

fn spawn_datagrams(socket: UdpSocket, script: impl Fn(&Message, &UdpSocket, SocketAddr) + Send + 'static) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            script(&Message::from_vec(&buffer[..length]).unwrap(), &socket, from);
        }
    });
}

/// A server that does with each connection what `script` does.
pub(crate) fn stream(script: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(script));
    address
}

/// A server that takes questions and says nothing.
pub(crate) fn silent() -> SocketAddr {
    datagrams(|_, _, _| ())
}

/// A port on which nothing listens.
pub(crate) fn address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A server for TLS with a certificate for 127.0.0.1 from `authority`.
pub(crate) fn by_tls(
    authority: &Authority,
    script: impl Fn(&Message, By) -> Option<Message> + Send + 'static,
) -> SocketAddr {
    let config = authority.server();
    stream(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        answer_stream(&mut stream, &script);
    })
}

/// An authority made for one test, and its certificate in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(issuer.pem().as_bytes()).unwrap();
        Authority { issuer, file }
    }

    pub(crate) fn file(&self) -> String {
        self.file.path().to_str().unwrap().into()
    }

    /// What a server needs that has a certificate for 127.0.0.1.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

/// An empty answer to `query`.
pub(crate) fn reply(query: &Message) -> Message {
    let mut answer = Message::new(query.metadata.id, MessageType::Response, query.metadata.op_code);
    answer.queries = query.queries.clone();
    answer
}

/// A script that changes an empty answer.
pub(crate) fn answers(change: impl Fn(&mut Message, By)) -> impl Fn(&Message, By) -> Option<Message> {
    move |query, by| {
        let mut answer = reply(query);
        change(&mut answer, by);
        Some(answer)
    }
}

fn record(name: &str, ttl: u32, data: RData) -> Record {
    Record::from_rdata(Name::from_ascii(name).unwrap(), ttl, data)
}

/// One of many addresses of `example.com.`
pub(crate) fn a(number: u16) -> Record {
    let [high, low] = number.to_be_bytes();
    record("example.com.", 60, RData::A(A::new(10, 0, high, low)))
}

/// blackbox_exporter's `recursiveDNSHandler`.
pub(crate) fn recursive(query: &Message, _: By) -> Option<Message> {
    let mut answer = reply(query);
    if query.metadata.recursion_desired {
        for last in [1, 2] {
            answer.add_answer(record("example.com.", 3600, RData::A(A::new(127, 0, 0, last))));
        }
    } else {
        answer.metadata.response_code = hickory_resolver::proto::op::ResponseCode::Refused;
    }
    Some(answer)
}

/// blackbox_exporter's `authoritativeDNSHandler`.
pub(crate) fn authoritative(query: &Message, _: By) -> Option<Message> {
    let mut answer = reply(query);
    let name = |text| Name::from_ascii(text).unwrap();
    let asked = &query.queries[0];
    let data = match (asked.query_class(), asked.query_type()) {
        (_, RecordType::SOA) => {
            RData::SOA(SOA::new(name("ns.example.com."), name("noc.example.com."), 1000, 7200, 3600, 1_209_600, 3600))
        }
        (DNSClass::CH, RecordType::TXT) => RData::TXT(TXT::new(vec!["goCHAOS".into()])),
        _ => RData::A(A::new(127, 0, 0, 1)),
    };
    let mut first = record("example.com.", 3600, data);
    first.dns_class = asked.query_class();
    answer.add_answer(first);
    for server in ["ns1.isp.net.", "ns2.isp.net."] {
        answer.add_authority(record("example.com.", 7200, RData::NS(NS(name(server)))));
    }
    let glue = [
        record("ns1.isp.net.", 7200, RData::A(A::new(127, 0, 0, 1))),
        record("ns1.isp.net.", 7200, RData::AAAA(AAAA::new(0, 0, 0, 0, 0, 0, 0, 1))),
        record("ns2.isp.net.", 7200, RData::A(A::new(127, 0, 0, 2))),
    ];
    answer.add_additionals(glue);
    Some(answer)
}
