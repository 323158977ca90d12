//! Enrolled devices that send batches over kept connections.

use std::collections::VecDeque;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::Value;

use crate::client::Client;

/// Events in one batch.
const BATCH_EVENTS: usize = 20;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub struct Load {
    /// Each connection's own devices, used in turn.
    devices: Vec<VecDeque<Device>>,
}

struct Device {
    key: EcdsaKeyPair,
    id: String,
    sequence: i64,
}

/// What became of the events of a run.
#[derive(Default)]
pub struct Outcome {
    /// The ids that were answered as stored or duplicate.
    pub acknowledged: Vec<[u8; 16]>,
    /// The bodies' events of batches that got no answer.
    pub unanswered: Vec<Vec<String>>,
    latencies: Vec<Duration>,
}

impl Outcome {
    pub fn join(&mut self, other: Outcome) {
        self.acknowledged.extend(other.acknowledged);
        self.unanswered.extend(other.unanswered);
        self.latencies.extend(other.latencies);
    }

    /// The latency below which `part` of the batches were answered.
    pub fn latency_ms(&mut self, part: f64) -> f64 {
        self.latencies.sort();
        let last = self.latencies.len() - 1;
        self.latencies[(last as f64 * part) as usize].as_secs_f64() * 1e3
    }
}

impl Load {
    pub async fn enrol(
        address: SocketAddr,
        enrolment_key: &str,
        devices: usize,
        connections: usize,
    ) -> Self {
        let mut client = Client::connect(address).await.unwrap();
        let mut shares: Vec<VecDeque<Device>> = (0..connections).map(|_| VecDeque::new()).collect();
        for number in 0..devices {
            let device = enrol(&mut client, enrolment_key).await;
            shares[number % connections].push_back(device);
        }
        Self { devices: shares }
    }

    /// Sends at least `events` events over all connections.
    pub async fn run(&mut self, address: SocketAddr, events: usize) -> Outcome {
        let outcome = self.spread(address, events.div_ceil(BATCH_EVENTS)).await;
        assert!(
            outcome.unanswered.is_empty(),
            "the endpoint hung up under load"
        );
        outcome
    }

    /// Sends until the endpoint hangs up.
    pub async fn run_until_broken(&mut self, address: SocketAddr) -> Outcome {
        self.spread(address, usize::MAX / 2).await
    }

    async fn spread(&mut self, address: SocketAddr, batches: usize) -> Outcome {
        let left = Arc::new(AtomicUsize::new(batches));
        let connections: Vec<_> = self
            .devices
            .drain(..)
            .map(|devices| tokio::spawn(send_all(address, devices, Arc::clone(&left))))
            .collect();
        let mut outcome = Outcome::default();
        for connection in connections {
            let (devices, mine) = connection.await.unwrap();
            self.devices.push(devices);
            outcome.join(mine);
        }
        outcome
    }

    /// Sends what got no answer once more.
    pub async fn resend(&mut self, address: SocketAddr, interrupted: &Outcome) -> Outcome {
        let mut client = Client::connect(address).await.unwrap();
        let mut outcome = Outcome::default();
        for events in &interrupted.unanswered {
            let device = &mut self.devices[0][0];
            let answer = send(&mut client, device, events).await.unwrap();
            outcome.acknowledged.extend(answer);
        }
        outcome
    }
}

async fn send_all(
    address: SocketAddr,
    mut devices: VecDeque<Device>,
    left: Arc<AtomicUsize>,
) -> (VecDeque<Device>, Outcome) {
    let mut outcome = Outcome::default();
    let mut client = Client::connect(address).await.unwrap();
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |batches| {
            batches.checked_sub(1)
        })
        .is_ok()
    {
        let events: Vec<String> = (0..BATCH_EVENTS).map(|_| event()).collect();
        let device = devices.front_mut().unwrap();
        let started = Instant::now();
        match send(&mut client, device, &events).await {
            Ok(acknowledged) => {
                outcome.latencies.push(started.elapsed());
                outcome.acknowledged.extend(acknowledged);
            }
            Err(_) => {
                outcome.unanswered.push(events);
                break;
            }
        }
        devices.rotate_left(1);
    }
    (devices, outcome)
}

/// Sends a signed batch and answers the ids that are stored.
async fn send(
    client: &mut Client,
    device: &mut Device,
    events: &[String],
) -> std::io::Result<Vec<[u8; 16]>> {
    device.sequence += 1;
    let now = now_ms();
    let body = format!(
        r#"{{"schema":1,"tenant":"school","device":"{}","sent_at":"{}","events":[{}]}}"#,
        device.id,
        instant(now),
        events.join(",")
    );
    let digest = hex(ring::digest::digest(&ring::digest::SHA256, body.as_bytes()).as_ref());
    let text = format!(
        "bellgate-request-1\nPOST\n/v1/events\n{digest}\n{}\n{now}\n{}",
        device.id, device.sequence
    );
    let headers = format!(
        "Content-Type: application/json\r\nBellgate-Device: {}\r\nBellgate-Time: {now}\r\n\
         Bellgate-Sequence: {}\r\nBellgate-Signature: {}\r\n",
        device.id,
        device.sequence,
        sign(&device.key, &text)
    );
    let answer = client
        .send("POST", "/v1/events", &headers, body.as_bytes())
        .await?;
    let outcome: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 200, "{outcome}");
    assert_eq!(outcome["rejected"], serde_json::json!([]));
    Ok(["stored", "duplicate"]
        .iter()
        .flat_map(|list| outcome[list].as_array().unwrap())
        .map(|id| bytes(id.as_str().unwrap()))
        .collect())
}

async fn enrol(client: &mut Client, enrolment_key: &str) -> Device {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
    let public = URL_SAFE_NO_PAD.encode(key.public_key());
    let signature = sign(
        &key,
        &format!("bellgate-enrol-1\nschool\nES256\n{public}\np-1"),
    );
    let body = format!(
        r#"{{"schema":1,"tenant":"school","enrolment_key":"{enrolment_key}","algorithm":"ES256",
            "public_key":"{public}","subject":"p-1","signature":"{signature}"}}"#
    );
    loop {
        let headers = "Content-Type: application/json\r\n";
        let answer = client
            .send("POST", "/v1/enrol", headers, body.as_bytes())
            .await
            .unwrap();
        if answer.status == 429 {
            // The bench waits as a device would.
            let seconds = answer.header("retry-after").unwrap().parse().unwrap();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            continue;
        }
        assert_eq!(answer.status, 200);
        let enrolled: Value = serde_json::from_slice(&answer.body).unwrap();
        return Device {
            key,
            id: enrolled["device"].as_str().unwrap().to_owned(),
            sequence: 0,
        };
    }
}

/// A block with a fresh id, as long as real ones are.
fn event() -> String {
    let number = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let now = now_ms();
    let id = format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
        now >> 16,
        now & 0xffff,
        number & 0xfff,
        (number >> 12) & 0xfff,
        number
    );
    let category = ["games", "social-media", "webmail", "gambling", "proxies"][number as usize % 5];
    format!(
        r#"{{"id":"{id}","kind":"block","at":"{}","subject":"p-{:08x}","cohort":"year-{}",
"url":{{"host":"www.host-{}.example","path":null}},"entry_key":null,"type":"main_frame",
"reason":{{"code":"category","rule":"lessons","category":"{category}"}},
"period":{{"name":"Period {}","kind":"lesson"}},"count":1,"policy_version":"2026-09-01",
"pack_version":"2026-09-06.1","extension_version":"0.1.0","comment":null}}"#,
        instant(now),
        number.wrapping_mul(2_654_435_761) % 2_000,
        7 + number % 7,
        number % 997,
        1 + number % 5,
    )
}

fn sign(key: &EcdsaKeyPair, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(key.sign(&SystemRandom::new(), text.as_bytes()).unwrap())
}

fn now_ms() -> i64 {
    let span = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(span.as_millis()).unwrap()
}

fn instant(at_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at_ms)
        .unwrap()
        .to_rfc3339()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(id: &str) -> [u8; 16] {
    let digits: String = id.chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&digits, 16).unwrap().to_be_bytes()
}
