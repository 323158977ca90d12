//! What comes of a batch: stored once, said so, and there after a restart.

use bellgate_server::Config;

use crate::common::{Folder, JSON, Running, batch, block, school, stored};
use serde_json::{Value, json};

#[tokio::test]
async fn an_event_is_stored_once_however_often_it_comes() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    let event = block();
    let id = event["id"].clone();

    let first = endpoint
        .post_events(&batch(&[event.clone(), event.clone()]))
        .await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.json()["stored"], json!([id]));
    assert_eq!(first.json()["duplicate"], json!([id]));

    let again = endpoint.post_events(&batch(&[event])).await;
    assert_eq!(
        again.json(),
        json!({"stored": [], "duplicate": [id], "rejected": []})
    );
    endpoint.stop().await;
    assert_eq!(stored(&folder.database()).await.len(), 1);
}

#[tokio::test]
async fn every_field_comes_back_as_it_was_sent() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    endpoint.post_events(&batch(&[block()])).await;
    endpoint.stop().await;
    let events = stored(&folder.database()).await;
    let event = serde_json::to_value(&events[0]).unwrap();
    for (field, wanted) in [
        ("tenant", json!("school")),
        ("kind", json!("block")),
        ("verified", json!(false)),
        ("subject", json!("p-3f9a")),
        ("cohort", json!("year-9")),
        ("host", json!("games.example")),
        ("path", json!("/play")),
        ("type", json!("main_frame")),
        ("reason_code", json!("category")),
        ("rule", json!("lessons")),
        ("category", json!("games")),
        ("period_name", json!("Period 3")),
        ("period_kind", json!("lesson")),
        ("count", json!(1)),
        ("policy_version", json!("p1")),
        ("comment", Value::Null),
    ] {
        assert_eq!(event[field], wanted, "{field}");
    }
}

#[tokio::test]
async fn a_bad_event_is_rejected_and_its_neighbours_are_stored() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    let mut bad = block();
    bad["colour"] = json!("red");
    let bad_id = bad["id"].clone();
    let (one, two) = (block(), block());
    let answer = endpoint
        .post_events(&batch(&[one.clone(), bad, two.clone()]))
        .await;
    assert_eq!(answer.status, 200);
    let outcome = answer.json();
    assert_eq!(outcome["stored"], json!([one["id"], two["id"]]));
    assert_eq!(outcome["rejected"][0]["id"], bad_id);
    assert_eq!(outcome["rejected"][0]["code"], "invalid_event");
    let message = outcome["rejected"][0]["message"].as_str().unwrap();
    assert!(message.contains("unknown field `colour`"), "{message}");
    endpoint.stop().await;
}

#[tokio::test]
async fn many_clients_at_once_lose_and_double_nothing() {
    let folder = Folder::new();
    let endpoint =
        std::sync::Arc::new(Running::start(Config::new(folder.database(), school())).await);
    let mut clients = Vec::new();
    for _ in 0..16 {
        let endpoint = std::sync::Arc::clone(&endpoint);
        clients.push(tokio::spawn(async move {
            let events: Vec<Value> = (0..90).map(|_| block()).collect();
            let mut acknowledged = 0;
            // Each batch twice, as after a lost answer.
            for _ in 0..2 {
                let outcome = endpoint.post_events(&batch(&events)).await.json();
                acknowledged += outcome["stored"].as_array().unwrap().len();
            }
            acknowledged
        }));
    }
    let mut acknowledged = 0;
    for client in clients {
        acknowledged += client.await.unwrap();
    }
    assert_eq!(acknowledged, 16 * 90);
    std::sync::Arc::into_inner(endpoint).unwrap().stop().await;
    let mut ids: Vec<String> = stored(&folder.database())
        .await
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(ids.len(), 16 * 90);
    ids.dedup();
    assert_eq!(ids.len(), 16 * 90);
}

#[tokio::test]
async fn health_answers_with_the_database() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    let answer = endpoint.send("GET", "/v1/health", &[], b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], "ok");
    assert_eq!(answer.json()["database"], "sqlite");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    endpoint.stop().await;
}

#[tokio::test]
async fn packs_are_served_whole_in_part_and_not_again() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("core.pack"), b"0123456789").unwrap();
    let mut config = Config::new(folder.database(), school());
    config.packs = Some(folder.0.clone());
    let endpoint = Running::start(config).await;

    let whole = endpoint.send("GET", "/v1/packs/core.pack", &[], b"").await;
    assert_eq!(
        (whole.status, whole.body.as_slice()),
        (200, b"0123456789".as_slice())
    );
    let etag = whole.header("etag").unwrap().to_owned();

    let same = [("If-None-Match", etag.as_str())];
    let known = endpoint
        .send("GET", "/v1/packs/core.pack", &same, b"")
        .await;
    assert_eq!((known.status, known.body.len()), (304, 0));

    let part = endpoint
        .send("GET", "/v1/packs/core.pack", &[("Range", "bytes=2-4")], b"")
        .await;
    assert_eq!(
        (part.status, part.body.as_slice()),
        (206, b"234".as_slice())
    );
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));

    let beyond = endpoint
        .send("GET", "/v1/packs/core.pack", &[("Range", "bytes=10-")], b"")
        .await;
    assert_eq!(beyond.status, 416);

    std::fs::write(folder.0.join("core.pack"), b"abcdefghijk").unwrap();
    let changed = endpoint
        .send("GET", "/v1/packs/core.pack", &same, b"")
        .await;
    assert_eq!(
        (changed.status, changed.body.as_slice()),
        (200, b"abcdefghijk".as_slice())
    );

    for absent in ["other.pack", "..%2Fevents.db", "%2e%2e", ".hidden"] {
        let answer = endpoint
            .send("GET", &format!("/v1/packs/{absent}"), &[], b"")
            .await;
        assert_eq!(answer.status, 404, "{absent}");
    }
    endpoint.stop().await;
}

#[tokio::test]
async fn an_open_request_is_finished_after_the_shutdown_signal() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    let body = batch(&[block()]).to_string();
    let (first, rest) = body.split_at(20);
    let mut stream = tokio::net::TcpStream::connect(endpoint.address)
        .await
        .unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: e\r\n{}: {}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        JSON.0,
        JSON.1,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The interim answer proves that the handler has begun to read the body.
    let mut interim = [0_u8; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100"), "{interim:?}");
    stream.write_all(first.as_bytes()).await.unwrap();
    let stopping = tokio::spawn(endpoint.stop());
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopping.await.unwrap();
    assert_eq!(stored(&folder.database()).await.len(), 1);
}
