//! Who may send what: enrolment, signatures, sequences, clocks, rates.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bellgate_server::{Config, DeviceVerdict, Rate, Store, Tenant};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::json;

use crate::common::{Folder, Running, batch, block, now_ms, stored};
use crate::device::{Device, ENROLMENT_KEY, Key, enrolment, post};

fn config(folder: &Folder) -> Config {
    let tenant = |id: &str| Tenant {
        id: id.into(),
        enrolment_key: Some(ENROLMENT_KEY.into()),
    };
    let mut config = Config::new(folder.database(), tenant("school"));
    config.tenants.push(tenant("other"));
    config
}

async fn judge(folder: &Folder, device: &str, verdict: DeviceVerdict) {
    let store = Store::open(&folder.database()).await.unwrap();
    assert!(
        store
            .judge_device(None, device, &verdict, "test")
            .await
            .unwrap()
    );
    store.close().await;
}

#[tokio::test]
async fn a_signed_batch_is_stored_and_marked_unverified() {
    let folder = Folder::new();
    let endpoint = Running::start(config(&folder)).await;
    for key in [Key::p256(), Key::ed25519()] {
        let mut device = Device::enrol(&endpoint, key, Some("p-3f9a")).await;
        let answer = device.send(&endpoint, &device.batch(&[block()])).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["stored"].as_array().unwrap().len(), 1);
    }
    endpoint.stop().await;
    let events = stored(&folder.database()).await;
    assert_eq!(events.len(), 2);
    assert!(
        events
            .iter()
            .all(|event| !event.verified && event.device.is_some())
    );
}

#[tokio::test]
async fn an_approved_device_speaks_for_its_own_person_alone() {
    let folder = Folder::new();
    let endpoint = Running::start(config(&folder)).await;
    let mut device = Device::enrol(&endpoint, Key::p256(), Some("p-3f9a")).await;
    let subject = "p-3f9a".to_owned();
    judge(&folder, &device.id, DeviceVerdict::Verified { subject }).await;

    let own = block();
    let mut framed = block();
    framed["subject"] = json!("p-other");
    let answer = device
        .send(&endpoint, &device.batch(&[own.clone(), framed.clone()]))
        .await;
    assert_eq!(
        answer.json()["stored"].as_array().unwrap().len(),
        2,
        "{answer:?}"
    );
    endpoint.stop().await;
    for event in stored(&folder.database()).await {
        assert_eq!(event.verified, own["id"] == event.id, "{event:?}");
    }
}

#[tokio::test]
async fn enrolling_again_keeps_the_id_and_the_sequence() {
    let folder = Folder::new();
    let endpoint = Running::start(config(&folder)).await;
    let mut device = Device::enrol(&endpoint, Key::ed25519(), None).await;
    device.sequence = 41;
    device.send(&endpoint, &device.batch(&[block()])).await;
    let answer = endpoint
        .enrol(&enrolment(&device.key, "school", ENROLMENT_KEY, None))
        .await;
    assert_eq!(answer.json()["device"], json!(device.id));
    assert_eq!(answer.json()["last_sequence"], 42);
    assert_eq!(answer.json()["status"], "unverified");
    endpoint.stop().await;
}

#[tokio::test]
async fn each_false_enrolment_is_refused() {
    let folder = Folder::new();
    let mut closed = config(&folder);
    closed.tenants[1].enrolment_key = None;
    let endpoint = Running::start(closed).await;
    let key = Key::p256();
    let sound = enrolment(&key, "school", ENROLMENT_KEY, None);
    let with = |field: &str, value| {
        let mut changed = sound.clone();
        changed[field] = value;
        changed
    };
    let another = Key::p256().public();
    let short = URL_SAFE_NO_PAD.encode([4; 33]);
    let cases = [
        (
            "a wrong key",
            with("enrolment_key", json!("guess")),
            403,
            "wrong_enrolment_key",
        ),
        (
            "no key",
            with("enrolment_key", json!("")),
            403,
            "wrong_enrolment_key",
        ),
        (
            "a tenant that enrols none",
            with("tenant", json!("other")),
            403,
            "wrong_enrolment_key",
        ),
        (
            "an unknown tenant",
            with("tenant", json!("third")),
            403,
            "unknown_tenant",
        ),
        (
            "another's public key",
            with("public_key", json!(another)),
            422,
            "bad_signature",
        ),
        (
            "another's name",
            with("subject", json!("p-2")),
            422,
            "bad_signature",
        ),
        (
            "half a public key",
            with("public_key", json!(short)),
            422,
            "invalid_public_key",
        ),
        (
            "a key that is no base64",
            with("public_key", json!("?")),
            422,
            "invalid_public_key",
        ),
        (
            "the wrong algorithm",
            with("algorithm", json!("Ed25519")),
            422,
            "invalid_public_key",
        ),
        (
            "an unknown algorithm",
            with("algorithm", json!("none")),
            422,
            "invalid_body",
        ),
        (
            "an empty signature",
            with("signature", json!("")),
            422,
            "bad_signature",
        ),
        (
            "a name with a space",
            with("subject", json!("a b")),
            422,
            "invalid_subject",
        ),
        (
            "a cohort with a space",
            with("cohort", json!("a b")),
            422,
            "invalid_cohort",
        ),
        (
            "a schema to come",
            with("schema", json!(2)),
            422,
            "unknown_schema",
        ),
        (
            "an unknown key",
            with("role", json!("staff")),
            422,
            "invalid_body",
        ),
    ];
    for (wrong, body, status, code) in &cases {
        let answer = endpoint.enrol(body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (*status, *code),
            "{wrong}"
        );
    }
    assert_eq!(cases.len(), 15);
    endpoint.stop().await;
}

#[tokio::test]
async fn each_false_signature_is_refused_and_nothing_is_stored() {
    let folder = Folder::new();
    let endpoint = Running::start(config(&folder)).await;
    let device = Device::enrol(&endpoint, Key::p256(), None).await;
    let thief = Device {
        key: Key::p256(),
        id: device.id.clone(),
        tenant: "school".into(),
        sequence: 0,
    };
    let stranger = Device {
        key: Key::p256(),
        id: "0".repeat(32),
        tenant: "school".into(),
        sequence: 0,
    };
    let body = device.batch(&[block()]).to_string();
    let now = now_ms();
    let sound = device.headers(&body, now, 1);
    let with = |index: usize, value: &str| {
        let mut changed = sound.clone();
        changed[index].1 = value.to_owned();
        changed
    };
    let without = |index: usize| {
        let mut changed = sound.clone();
        changed.remove(index);
        changed
    };
    let mut twice = sound.clone();
    twice.push(sound[3].clone());
    let tampered = body.replace("games.example", "other.example");
    let mut other_tenant = batch(&[block()]);
    other_tenant["tenant"] = json!("other");
    other_tenant["device"] = json!(device.id);
    let other_tenant = other_tenant.to_string();
    let other_device = batch(&[block()]).to_string();
    let late = device.headers(&body, now - 600_000, 1);
    let early = device.headers(&body, now + 600_000, 1);
    let cases = [
        (
            "no signature at all",
            vec![],
            &body,
            401,
            "signature_required",
        ),
        (
            "another's signature",
            thief.headers(&body, now, 1),
            &body,
            401,
            "bad_signature",
        ),
        (
            "an unknown device",
            stranger.headers(&body, now, 1),
            &body,
            401,
            "unknown_device",
        ),
        (
            "another body",
            sound.clone(),
            &tampered,
            401,
            "bad_signature",
        ),
        (
            "another time",
            with(1, &(now + 1).to_string()),
            &body,
            401,
            "bad_signature",
        ),
        (
            "another sequence",
            with(2, "2"),
            &body,
            401,
            "bad_signature",
        ),
        ("a clock behind", late, &body, 401, "clock_skew"),
        ("a clock ahead", early, &body, 401, "clock_skew"),
        ("no device", without(0), &body, 400, "malformed_signature"),
        ("no time", without(1), &body, 400, "malformed_signature"),
        ("no sequence", without(2), &body, 400, "malformed_signature"),
        (
            "no signature",
            without(3),
            &body,
            400,
            "malformed_signature",
        ),
        ("two signatures", twice, &body, 400, "malformed_signature"),
        (
            "a device that is no id",
            with(0, "me"),
            &body,
            400,
            "malformed_signature",
        ),
        (
            "a negative sequence",
            with(2, "-1"),
            &body,
            400,
            "malformed_signature",
        ),
        (
            "a sequence without end",
            with(2, &"9".repeat(30)),
            &body,
            400,
            "malformed_signature",
        ),
        (
            "a time in words",
            with(1, "now"),
            &body,
            400,
            "malformed_signature",
        ),
        (
            "a signature that is none",
            with(3, "abc"),
            &body,
            400,
            "malformed_signature",
        ),
        (
            "another tenant",
            device.headers(&other_tenant, now, 1),
            &other_tenant,
            403,
            "wrong_tenant",
        ),
        (
            "no device in the batch",
            device.headers(&other_device, now, 1),
            &other_device,
            422,
            "wrong_device",
        ),
    ];
    for (wrong, headers, body, status, code) in &cases {
        let answer = post(&endpoint, headers, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (*status, *code),
            "{wrong}: {answer:?}"
        );
    }
    assert_eq!(cases.len(), 20);
    endpoint.stop().await;
    assert_eq!(stored(&folder.database()).await, []);
}

#[tokio::test]
async fn a_replay_is_refused_even_after_a_restart() {
    let folder = Folder::new();
    let endpoint = Running::start(config(&folder)).await;
    let device = Device::enrol(&endpoint, Key::ed25519(), None).await;
    let body = device.batch(&[block()]).to_string();
    let headers = device.headers(&body, now_ms(), 7);
    assert_eq!(post(&endpoint, &headers, &body).await.status, 200);
    let answer = post(&endpoint, &headers, &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "replayed"));
    endpoint.stop().await;

    let endpoint = Running::start(config(&folder)).await;
    let answer = post(&endpoint, &headers, &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "replayed"));
    let lower = device.headers(&body, now_ms(), 6);
    assert_eq!(post(&endpoint, &lower, &body).await.code(), "replayed");
    let higher = device.headers(&body, now_ms(), 8);
    let answer = post(&endpoint, &higher, &body).await;
    assert_eq!(
        answer.json()["duplicate"].as_array().unwrap().len(),
        1,
        "{answer:?}"
    );
    endpoint.stop().await;
    assert_eq!(stored(&folder.database()).await.len(), 1);
}

#[tokio::test]
async fn a_wrong_clock_learns_the_time_from_a_signature() {
    let folder = Folder::new();
    let endpoint = Running::start(config(&folder)).await;
    let key = Key::p256();
    let answer = endpoint
        .enrol(&enrolment(&key, "school", ENROLMENT_KEY, None))
        .await;
    let endpoint_key = answer.json()["endpoint_key"].as_str().unwrap().to_owned();
    let device = Device::enrol(&endpoint, key, None).await;
    let body = device.batch(&[block()]).to_string();
    let answer = post(&endpoint, &device.headers(&body, 1_000, 3), &body).await;
    assert_eq!(answer.code(), "clock_skew");
    let time = answer.header("bellgate-time").unwrap();
    let text = format!("bellgate-time-1\n{}\n3\n{time}", device.id);
    let signature = URL_SAFE_NO_PAD
        .decode(answer.header("bellgate-signature").unwrap())
        .unwrap();
    let public = URL_SAFE_NO_PAD.decode(endpoint_key).unwrap();
    UnparsedPublicKey::new(&ED25519, public)
        .verify(text.as_bytes(), &signature)
        .unwrap();
    let again = device.headers(&body, time.parse().unwrap(), 4);
    assert_eq!(post(&endpoint, &again, &body).await.status, 200);
    endpoint.stop().await;
}

#[tokio::test]
async fn a_revoked_device_is_shut_out_at_once() {
    let folder = Folder::new();
    let endpoint = Running::start(config(&folder)).await;
    let mut device = Device::enrol(&endpoint, Key::p256(), None).await;
    assert_eq!(
        device
            .send(&endpoint, &device.batch(&[block()]))
            .await
            .status,
        200
    );
    judge(&folder, &device.id, DeviceVerdict::Revoked).await;
    let answer = device.send(&endpoint, &device.batch(&[block()])).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "device_revoked")
    );
    let again = endpoint
        .enrol(&enrolment(&device.key, "school", ENROLMENT_KEY, None))
        .await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (403, "device_revoked")
    );
    endpoint.stop().await;
    assert_eq!(stored(&folder.database()).await.len(), 1);
}

#[tokio::test]
async fn a_device_that_floods_is_told_to_wait_and_others_are_not() {
    let folder = Folder::new();
    let mut config = config(&folder);
    config.limits.device_rate = Rate {
        burst: 2.0,
        per_second: 0.001,
    };
    config.limits.skew_max = Duration::from_secs(60);
    let endpoint = Running::start(config).await;
    let mut noisy = Device::enrol(&endpoint, Key::p256(), None).await;
    let mut quiet = Device::enrol(&endpoint, Key::p256(), None).await;
    for wanted in [200, 200, 429] {
        let answer = noisy.send(&endpoint, &noisy.batch(&[block()])).await;
        assert_eq!(answer.status, wanted);
        let waits = answer
            .header("retry-after")
            .map(|text| text.parse::<u32>().unwrap());
        assert_eq!(waits.is_some_and(|seconds| seconds > 500), wanted == 429);
    }
    assert_eq!(
        quiet.send(&endpoint, &quiet.batch(&[block()])).await.status,
        200
    );
    endpoint.stop().await;
}
