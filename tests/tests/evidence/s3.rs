//! The archive on an S3 server that speaks the real protocol, over HTTP on loopback.

use super::{Site, flip_a_bit, parquet_files};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::fs;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const KEY: &str = "nines-test";
const SECRET: &str = "nines-test-secret";

/// A server whose buckets are directories.
struct Server {
    root: TempDir,
    endpoint: String,
    _serving: JoinSet<()>,
}

impl Server {
    async fn start() -> Server {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("nines")).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, builder.build()));
        Server { root, endpoint, _serving: serving }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        [
            ("AWS_ENDPOINT", self.endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ]
        .map(|(key, value)| (key, value.to_owned()))
        .to_vec()
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let service = service.clone();
        connections.spawn(async move {
            // A client that hangs up is no finding.
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_is_sealed_verified_read_and_scrubbed_on_an_s3_server() {
    let server = Server::start().await;
    let site = Site::new("s3://nines/some/prefix", server.environment());
    site.seal();
    let bucket = server.root.path().join("nines/some/prefix");
    assert_eq!(parquet_files(&bucket).len(), 1, "one agreement, one seal");
    site.good(&["evidence", "scrub"]);
    site.good(&["rebuild", "--evidence", "s3://nines/some/prefix"]);
    flip_a_bit(&parquet_files(&bucket)[0]);
    let output = site.run(&["evidence", "scrub"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("has another digest than was sealed"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_refuses_is_told_without_its_secrets() {
    let server = Server::start().await;
    let mut environment = server.environment();
    environment.retain(|(key, _)| *key != "AWS_SECRET_ACCESS_KEY");
    environment.push(("AWS_SECRET_ACCESS_KEY", "another-secret".to_owned()));
    let site = Site::new("s3://nines/some/prefix", environment);
    let bundle = site.path("acme.zip");
    let output = site.run(&["evidence", "bundle", "--agreement", "acme", "-o", bundle.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("failed to seal evidence") && !told.contains("another-secret"), "{told}");
}
