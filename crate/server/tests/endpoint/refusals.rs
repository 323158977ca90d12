//! What is refused, with which status and code; nothing of it is ever stored.

use std::time::Duration;

use bellgate_server::Config;

use crate::common::{
    Answer, Folder, JSON, Running, batch, block, new_id, now_ms, rfc3339, school, stored,
};
use serde_json::{Value, json};

/// A change to a sound event, and the code with which the event is rejected.
const EVENT_CASES: &[(&str, &str, &str, &str)] = &[
    // what is wrong, JSON pointer into the event, its new value, code
    (
        "an id of version 4",
        "/id",
        r#""01932b1e-7c00-4abc-8def-0123456789ab""#,
        "invalid_id",
    ),
    (
        "an id in capitals",
        "/id",
        r#""01932B1E-7C00-7ABC-8DEF-0123456789AB""#,
        "invalid_id",
    ),
    ("an empty id", "/id", r#""""#, "invalid_id"),
    ("an unknown kind", "/kind", r#""allow""#, "invalid_event"),
    ("a kind that is a number", "/kind", "1", "invalid_event"),
    (
        "an instant without an offset",
        "/at",
        r#""2026-09-07T09:00:00""#,
        "invalid_time",
    ),
    (
        "an instant as a number",
        "/at",
        "1788771600000",
        "invalid_event",
    ),
    (
        "an instant of 1999",
        "/at",
        r#""1999-09-07T09:00:00Z""#,
        "time_out_of_range",
    ),
    (
        "an instant of 2199",
        "/at",
        r#""2199-09-07T09:00:00Z""#,
        "time_out_of_range",
    ),
    (
        "a subject with a space",
        "/subject",
        r#""Ada Hall""#,
        "invalid_subject",
    ),
    ("an empty subject", "/subject", r#""""#, "invalid_subject"),
    (
        "a cohort in capitals",
        "/cohort",
        r#""Year 9""#,
        "invalid_cohort",
    ),
    (
        "a host with a port",
        "/url/host",
        r#""games.example:80""#,
        "invalid_host",
    ),
    (
        "a host in capitals",
        "/url/host",
        r#""Games.example""#,
        "invalid_host",
    ),
    (
        "a host with a user",
        "/url/host",
        r#""u@games.example""#,
        "invalid_host",
    ),
    (
        "a whole URL as the host",
        "/url/host",
        r#""https://games.example""#,
        "invalid_host",
    ),
    (
        "a path with a fragment",
        "/url/path",
        r#""/play#top""#,
        "invalid_path",
    ),
    (
        "a path without a slash",
        "/url/path",
        r#""play""#,
        "invalid_path",
    ),
    (
        "a path with a control character",
        "/url/path",
        r#""/a\u0000b""#,
        "invalid_path",
    ),
    (
        "a URL that is a string",
        "/url",
        r#""https://games.example/""#,
        "invalid_event",
    ),
    (
        "an initiator in the URL",
        "/url/initiator",
        r#""https://a.example""#,
        "invalid_event",
    ),
    ("an unknown key", "/title", r#""Play now""#, "invalid_event"),
    (
        "a key of the locked layer",
        "/entry_key",
        r#""3f9a""#,
        "entry_key_not_allowed",
    ),
    (
        "an unknown resource type",
        "/type",
        r#""page""#,
        "invalid_type",
    ),
    (
        "a named sub-resource",
        "/type",
        r#""image""#,
        "must_be_counted",
    ),
    ("no reason", "/reason", "null", "reason_missing"),
    (
        "a reason of two words",
        "/reason/code",
        r#""two words""#,
        "invalid_reason",
    ),
    (
        "a help service by reason",
        "/reason/code",
        r#""help""#,
        "help_service",
    ),
    (
        "a help service by category",
        "/reason/category",
        r#""help-crisis""#,
        "help_service",
    ),
    (
        "a help service by host",
        "/url/host",
        r#""www.childline.org.uk""#,
        "help_service",
    ),
    (
        "an event outside school hours",
        "/reason/code",
        r#""outside_school_hours""#,
        "outside_school_hours",
    ),
    (
        "a named block in a closed period",
        "/reason/code",
        r#""closed""#,
        "must_be_counted",
    ),
    (
        "a URL of the locked layer",
        "/reason/code",
        r#""illegal""#,
        "url_not_allowed",
    ),
    (
        "a rule of two lines",
        "/reason/rule",
        r#""a\nb""#,
        "invalid_reason",
    ),
    (
        "a period with an unknown key",
        "/period/room",
        r#""B12""#,
        "invalid_event",
    ),
    (
        "a period kind with a space",
        "/period/kind",
        r#""a b""#,
        "invalid_period",
    ),
    ("a count of nothing", "/count", "0", "invalid_count"),
    ("a negative count", "/count", "-1", "invalid_count"),
    ("two blocks in one", "/count", "2", "invalid_count"),
    ("half a block", "/count", "0.5", "invalid_event"),
    (
        "a version of two lines",
        "/policy_version",
        r#""a\nb""#,
        "invalid_version",
    ),
    (
        "a comment on a block",
        "/comment",
        r#""because""#,
        "comment_not_allowed",
    ),
    (
        "a count with a name",
        "/kind",
        r#""count""#,
        "must_be_nameless",
    ),
    (
        "a heartbeat with a name",
        "/kind",
        r#""heartbeat""#,
        "must_be_nameless",
    ),
];

#[tokio::test]
async fn each_bad_event_is_rejected_with_its_code_and_not_stored() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    for (wrong, pointer, value, code) in EVENT_CASES {
        let mut event = block();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[key] = serde_json::from_str(value).unwrap();
        let answer = endpoint.post_events(&batch(&[event.clone()])).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (200, *code),
            "{wrong}: {answer:?}"
        );
        let rejected = &answer.json()["rejected"][0];
        assert_eq!(rejected["id"], event["id"], "{wrong}");
        assert!(
            rejected["path"].as_str().unwrap().starts_with("/events/0"),
            "{wrong}"
        );
        assert!(!rejected["message"].as_str().unwrap().is_empty(), "{wrong}");
    }
    endpoint.stop().await;
    assert_eq!(stored(&folder.database()).await, []);
    assert_eq!(EVENT_CASES.len(), 44);
}

#[tokio::test]
async fn each_bad_batch_is_refused_with_its_status_and_not_stored() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    let sound = batch(&[block()]);
    let with = |pointer: &str, value: Value| {
        let mut changed = sound.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[key] = value;
        changed.to_string()
    };
    let mut nameless = block();
    nameless.as_object_mut().unwrap().remove("id");
    let many: Vec<Value> = (0..101).map(|_| block()).collect();
    let text = sound.to_string();
    let twice = text.replacen('{', r#"{"schema":1,"#, 1);
    let cases: Vec<(&str, String, u16, &str)> = vec![
        ("nothing", String::new(), 400, "malformed_json"),
        ("no JSON", "events=1".into(), 400, "malformed_json"),
        (
            "half a batch",
            text[..text.len() / 2].into(),
            400,
            "malformed_json",
        ),
        (
            "two batches",
            format!("{text}{text}"),
            400,
            "malformed_json",
        ),
        (
            "not UTF-8 after all",
            format!("{text}\u{0}"),
            400,
            "malformed_json",
        ),
        ("a list", "[]".into(), 422, "invalid_body"),
        (
            "nesting without end",
            "[".repeat(10_000),
            422,
            "invalid_body",
        ),
        ("a key twice", twice, 422, "invalid_body"),
        (
            "an unknown key",
            with("/school", json!("x")),
            422,
            "invalid_body",
        ),
        (
            "a schema to come",
            with("/schema", json!(2)),
            422,
            "unknown_schema",
        ),
        (
            "a schema in words",
            with("/schema", json!("1")),
            422,
            "invalid_body",
        ),
        (
            "another's tenant",
            with("/tenant", json!("other")),
            403,
            "unknown_tenant",
        ),
        (
            "no tenant's name",
            with("/tenant", json!("a b")),
            422,
            "invalid_tenant",
        ),
        (
            "tenant of no type",
            with("/tenant", json!(null)),
            422,
            "invalid_body",
        ),
        (
            "a device with a space",
            with("/device", json!("a b")),
            422,
            "invalid_device",
        ),
        (
            "no instant",
            with("/sent_at", json!("now")),
            422,
            "invalid_time",
        ),
        (
            "events that are none",
            with("/events", json!({})),
            422,
            "invalid_body",
        ),
        (
            "an event that is none",
            with("/events", json!([1])),
            422,
            "missing_id",
        ),
        (
            "an event without an id",
            with("/events", json!([nameless])),
            422,
            "missing_id",
        ),
        (
            "an id too long",
            with("/events/0/id", json!({"a": 1})),
            422,
            "missing_id",
        ),
        (
            "too many events",
            batch(&many).to_string(),
            413,
            "too_many_events",
        ),
        (
            "too many bytes",
            with("/device", json!("a".repeat(300_000))),
            413,
            "body_too_large",
        ),
    ];
    for (wrong, body, status, code) in &cases {
        let answer = endpoint
            .send("POST", "/v1/events", &[JSON], body.as_bytes())
            .await;
        assert_refused(&answer, *status, code, wrong);
    }
    endpoint.stop().await;
    assert_eq!(stored(&folder.database()).await, []);
    assert_eq!(cases.len(), 22);
}

#[tokio::test]
async fn each_bad_request_is_refused_with_its_status() {
    let folder = Folder::new();
    let mut config = Config::new(folder.database(), school());
    config.limits.read_timeout = Duration::from_millis(300);
    let endpoint = Running::start(config).await;
    let body = batch(&[block()]).to_string();
    let text = [("Content-Type", "text/plain")];
    let latin = [("Content-Type", "application/json; charset=latin-1")];
    for (wrong, method, path, headers, status, code) in [
        (
            "an address that is none",
            "GET",
            "/",
            &[JSON][..],
            404,
            "not_found",
        ),
        (
            "another address that is none",
            "POST",
            "/v2/events",
            &[JSON],
            404,
            "not_found",
        ),
        (
            "events read",
            "GET",
            "/v1/events",
            &[JSON],
            405,
            "method_not_allowed",
        ),
        (
            "events deleted",
            "DELETE",
            "/v1/events",
            &[JSON],
            405,
            "method_not_allowed",
        ),
        (
            "a pack written",
            "PUT",
            "/v1/packs/a",
            &[JSON],
            405,
            "method_not_allowed",
        ),
        (
            "no packs served",
            "GET",
            "/v1/packs/a",
            &[JSON],
            404,
            "no_such_pack",
        ),
        (
            "plain text",
            "POST",
            "/v1/events",
            &text,
            415,
            "unsupported_media_type",
        ),
        (
            "no type",
            "POST",
            "/v1/events",
            &[],
            415,
            "unsupported_media_type",
        ),
        (
            "another charset",
            "POST",
            "/v1/events",
            &latin,
            415,
            "unsupported_media_type",
        ),
    ] {
        let answer = endpoint.send(method, path, headers, body.as_bytes()).await;
        assert_refused(&answer, status, code, wrong);
    }

    // Raw bytes: what no client library would send.
    let slow_body = "POST /v1/events HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n\
                     Content-Length: 100\r\nConnection: close\r\n\r\n{";
    let answer = endpoint.send_raw(slow_body.as_bytes()).await;
    assert_refused(&answer, 408, "body_too_slow", "a body that never ends");

    let two_lengths = "POST /v1/events HTTP/1.1\r\nHost: e\r\nContent-Length: 1\r\n\
                       Content-Length: 2\r\n\r\n{}";
    let many_headers = format!("GET /v1/health HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    for (wrong, bytes, status) in [
        ("no HTTP", "hello\r\n\r\n".to_owned(), 400),
        ("two lengths", two_lengths.to_owned(), 400),
        ("a hundred headers", many_headers, 431),
        (
            "a header without end",
            format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(20_000)),
            431,
        ),
        (
            "headers that never end",
            "GET / HTTP/1.1\r\nA: b\r\n".to_owned(),
            0,
        ),
    ] {
        let answer = endpoint.send_raw(bytes.as_bytes()).await;
        assert_eq!(answer.status, status, "{wrong}: {answer:?}");
    }
    // All that did not harm it.
    let good = endpoint
        .send("POST", "/v1/events", &[JSON], body.as_bytes())
        .await;
    assert_eq!(good.json()["stored"].as_array().unwrap().len(), 1);
    endpoint.stop().await;
}

#[tokio::test]
async fn nameless_and_locked_events_are_taken() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    let reason = json!({"code": "category", "rule": null, "category": "games"});
    let at = rfc3339(now_ms());
    let events = [
        json!({"id": new_id(), "kind": "count", "at": at, "reason": reason, "count": 40,
               "type": "image", "cohort": "year-9"}),
        json!({"id": new_id(), "kind": "heartbeat", "at": at, "count": 1}),
        json!({"id": new_id(), "kind": "health", "at": at, "count": 1,
               "comment": "the list pack is 9 days old"}),
        json!({"id": new_id(), "kind": "block", "at": at, "count": 1, "type": "main_frame",
               "subject": "p-1", "entry_key": "9f3a",
               "reason": {"code": "illegal", "rule": null, "category": null}}),
        json!({"id": new_id(), "kind": "review", "at": at, "count": 1, "type": "main_frame",
               "subject": "p-1", "url": {"host": "maths.example", "path": null},
               "reason": reason, "comment": "for homework\nplease"}),
        json!({"id": new_id(), "kind": "report", "at": at, "count": 1, "type": "main_frame",
               "url": {"host": "odd.example", "path": "/x"}, "comment": "look at this"}),
    ];
    let outcome = endpoint.post_events(&batch(&events)).await.json();
    assert_eq!(outcome["rejected"], json!([]));
    assert_eq!(outcome["stored"].as_array().unwrap().len(), events.len());
    endpoint.stop().await;
}

fn assert_refused(answer: &Answer, status: u16, code: &str, wrong: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{wrong}: {answer:?}"
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/json"),
        "{wrong}"
    );
    let message = answer.json()["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(!message.is_empty(), "{wrong}");
}
