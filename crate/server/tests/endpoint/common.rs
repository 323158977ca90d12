//! A running endpoint on a free port, and a client that sends what it is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bellgate_server::{Config, Database, EventFilter, Store, StoredEvent, Tenant, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A folder of its own that goes when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("bellgate-server-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn database(&self) -> Database {
        Database::Sqlite(self.0.join("events.db"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An endpoint that serves until it is stopped.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<()>,
}

impl Running {
    pub async fn start(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(async move {
            serve(
                listener,
                async move {
                    let _ = stopped.await;
                },
                config,
            )
            .await
            .unwrap();
        });
        Self {
            address,
            stop: Some(stop),
            done,
        }
    }

    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.done.await.unwrap();
    }

    pub async fn post_events(&self, body: &Value) -> Answer {
        self.send("POST", "/v1/events", &[JSON], body.to_string().as_bytes())
            .await
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: endpoint.test\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        ));
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.send_raw(&bytes).await
    }

    /// Sends bytes as they are and reads the answer to its end.
    pub async fn send_raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The endpoint may refuse and hang up before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer::parse(&answer)
    }
}

pub const JSON: (&str, &str) = ("Content-Type", "application/json");

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            // The connection was closed without an answer.
            return Self {
                status: 0,
                headers: Vec::new(),
                body: bytes.to_vec(),
            };
        };
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The code of an error, or of the first rejected event.
    pub fn code(&self) -> String {
        let json = self.json();
        json["error"]["code"]
            .as_str()
            .or(json["rejected"][0]["code"].as_str())
            .unwrap_or_default()
            .to_owned()
    }
}

pub fn school() -> Tenant {
    Tenant {
        id: "school".into(),
        enrolment_key: None,
    }
}

pub fn now_ms() -> i64 {
    i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap()
}

pub fn rfc3339(at_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at_ms)
        .unwrap()
        .to_rfc3339()
}

/// A version 7 UUID that no other call of this process makes.
pub fn new_id() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let ms = now_ms();
    format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
        ms >> 16,
        ms & 0xffff,
        std::process::id() & 0xfff,
        (std::process::id() >> 12) & 0xfff,
        number
    )
}

/// A block of a pupil's own navigation, as the extension reports it.
pub fn block() -> Value {
    json!({
        "id": new_id(), "kind": "block", "at": rfc3339(now_ms()),
        "subject": "p-3f9a", "cohort": "year-9",
        "url": {"host": "games.example", "path": "/play"}, "entry_key": null,
        "type": "main_frame",
        "reason": {"code": "category", "rule": "lessons", "category": "games"},
        "period": {"name": "Period 3", "kind": "lesson"}, "count": 1,
        "policy_version": "p1", "pack_version": "k1", "extension_version": "0.1.0",
        "comment": null
    })
}

pub fn batch(events: &[Value]) -> Value {
    json!({
        "schema": 1, "tenant": "school", "device": null,
        "sent_at": rfc3339(now_ms()), "events": events
    })
}

pub async fn stored(database: &Database) -> Vec<StoredEvent> {
    let store = Store::open(database).await.unwrap();
    let events = store.events(&EventFilter::default()).await.unwrap();
    store.close().await;
    events
}
