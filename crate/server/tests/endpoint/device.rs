//! A device with a key of its own, as the extension would be one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::common::{Answer, JSON, Running, now_ms};

pub const ENROLMENT_KEY: &str = "a-secret-of-the-school";

pub enum Key {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub fn p256() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    pub fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "Ed25519",
        }
    }

    pub fn public(&self) -> String {
        match self {
            Self::P256(key) => URL_SAFE_NO_PAD.encode(key.public_key()),
            Self::Ed25519(key) => URL_SAFE_NO_PAD.encode(key.public_key()),
        }
    }

    pub fn sign(&self, text: &str) -> String {
        match self {
            Self::P256(key) => {
                URL_SAFE_NO_PAD.encode(key.sign(&SystemRandom::new(), text.as_bytes()).unwrap())
            }
            Self::Ed25519(key) => URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes())),
        }
    }
}

pub struct Device {
    pub key: Key,
    pub tenant: String,
    pub id: String,
    pub sequence: i64,
}

impl Device {
    /// Enrols a new profile that says it is `subject`'s.
    pub async fn enrol(endpoint: &Running, key: Key, subject: Option<&str>) -> Self {
        let answer = endpoint
            .enrol(&enrolment(&key, "school", ENROLMENT_KEY, subject))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Self {
            key,
            tenant: "school".into(),
            id: answer.json()["device"].as_str().unwrap().to_owned(),
            sequence: answer.json()["last_sequence"].as_i64().unwrap(),
        }
    }

    pub fn batch(&self, events: &[Value]) -> Value {
        let mut batch = crate::common::batch(events);
        batch["tenant"] = json!(self.tenant);
        batch["device"] = json!(self.id);
        batch
    }

    /// Signs with the next sequence and sends.
    pub async fn send(&mut self, endpoint: &Running, batch: &Value) -> Answer {
        self.sequence += 1;
        let headers = self.headers(&batch.to_string(), now_ms(), self.sequence);
        post(endpoint, &headers, &batch.to_string()).await
    }

    /// The four headers of a body.
    pub fn headers(&self, body: &str, time_ms: i64, sequence: i64) -> Vec<(String, String)> {
        let digest = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
        let digest: String = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let text = format!(
            "bellgate-request-1\nPOST\n/v1/events\n{digest}\n{}\n{time_ms}\n{sequence}",
            self.id
        );
        vec![
            ("Bellgate-Device".into(), self.id.clone()),
            ("Bellgate-Time".into(), time_ms.to_string()),
            ("Bellgate-Sequence".into(), sequence.to_string()),
            ("Bellgate-Signature".into(), self.key.sign(&text)),
        ]
    }
}

pub fn enrolment(key: &Key, tenant: &str, secret: &str, subject: Option<&str>) -> Value {
    let text = format!(
        "bellgate-enrol-1\n{tenant}\n{}\n{}\n{}",
        key.algorithm(),
        key.public(),
        subject.unwrap_or_default()
    );
    json!({
        "schema": 1, "tenant": tenant, "enrolment_key": secret,
        "algorithm": key.algorithm(), "public_key": key.public(),
        "subject": subject, "cohort": "year-9", "signature": key.sign(&text)
    })
}

pub async fn post(endpoint: &Running, headers: &[(String, String)], body: &str) -> Answer {
    let mut all = vec![JSON];
    all.extend(
        headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    endpoint
        .send("POST", "/v1/events", &all, body.as_bytes())
        .await
}

impl Running {
    pub async fn enrol(&self, body: &Value) -> Answer {
        self.send("POST", "/v1/enrol", &[JSON], body.to_string().as_bytes())
            .await
    }
}
