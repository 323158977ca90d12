//! The served documents against what the endpoint takes and answers.

use bellgate_server::{Config, Tenant};
use serde_json::{Value, json};

use crate::common::{Answer, Folder, JSON, Running, batch, block, new_id, now_ms, rfc3339};
use crate::device::{Device, ENROLMENT_KEY, Key, enrolment};

struct Documents {
    openapi: Value,
    event_batch: Value,
}

impl Documents {
    async fn fetch(endpoint: &Running) -> Self {
        Self {
            openapi: endpoint
                .send("GET", "/v1/openapi.json", &[], b"")
                .await
                .json(),
            event_batch: endpoint
                .send("GET", "/v1/schema/event-batch.json", &[], b"")
                .await
                .json(),
        }
    }

    /// The schema of what an operation answers with a status.
    fn answer_schema(&self, method: &str, path: &str, status: u16) -> &Value {
        let operation = &self.openapi["paths"][path][method];
        let response = &operation["responses"][status.to_string()];
        let schema = &response["content"]["application/json"]["schema"];
        assert!(
            schema.is_object(),
            "{method} {path} does not document {status}"
        );
        schema
    }

    fn check_answer(&self, method: &str, path: &str, answer: &Answer) {
        let schema = self.answer_schema(method, path, answer.status);
        let problems = problems(&answer.json(), schema, &self.openapi);
        assert_eq!(problems, Vec::<String>::new(), "{method} {path} {answer:?}");
    }
}

#[tokio::test]
async fn what_the_endpoint_answers_is_what_the_document_says() {
    let folder = Folder::new();
    let tenant = Tenant {
        id: "school".into(),
        enrolment_key: Some(ENROLMENT_KEY.into()),
    };
    let endpoint = Running::start(Config::new(folder.database(), tenant)).await;
    let documents = Documents::fetch(&endpoint).await;
    assert_eq!(documents.openapi["openapi"], "3.1.0");

    let health = endpoint.send("GET", "/v1/health", &[], b"").await;
    documents.check_answer("get", "/v1/health", &health);

    let key = Key::p256();
    for secret in [ENROLMENT_KEY, "wrong"] {
        let answer = endpoint
            .enrol(&enrolment(&key, "school", secret, None))
            .await;
        documents.check_answer("post", "/v1/enrol", &answer);
    }
    let mut device = Device::enrol(&endpoint, key, None).await;
    let mut bad = block();
    bad["url"]["host"] = json!("A");
    let event = block();
    let mut seen = Vec::new();
    for body in [
        device.batch(&[event.clone(), event, bad]),
        device.batch(&[]),
        batch(&[block()]),
        json!({"schema": 1}),
        json!([]),
    ] {
        let answer = device.send(&endpoint, &body).await;
        documents.check_answer("post", "/v1/events", &answer);
        seen.push(answer.status);
    }
    // What was refused took no sequence number; what is accepted does.
    device.send(&endpoint, &device.batch(&[])).await;
    device.sequence -= 1;
    let replayed = device.send(&endpoint, &device.batch(&[])).await;
    for answer in [
        replayed,
        endpoint.post_events(&batch(&[block()])).await,
        endpoint.send("POST", "/v1/events", &[], b"{}").await,
        endpoint
            .send("POST", "/v1/events", &[JSON], &[b' '; 300_000])
            .await,
        endpoint.send("POST", "/v1/events", &[JSON], b"{").await,
    ] {
        documents.check_answer("post", "/v1/events", &answer);
        seen.push(answer.status);
    }
    let absent = endpoint.send("GET", "/v1/packs/a", &[], b"").await;
    documents.check_answer("get", "/v1/packs/{name}", &absent);
    assert_eq!(seen, [200, 200, 422, 422, 422, 409, 401, 415, 413, 400]);
    endpoint.stop().await;
}

#[tokio::test]
async fn the_schema_takes_what_the_endpoint_takes_and_refuses_the_rest() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), crate::common::school())).await;
    let documents = Documents::fetch(&endpoint).await;
    let schema = &documents.event_batch;
    let at = rfc3339(now_ms());
    let sound = [
        block(),
        json!({"id": new_id(), "kind": "heartbeat", "at": at, "count": 1}),
        json!({"id": new_id(), "kind": "count", "at": at, "count": 9, "type": "image",
               "reason": {"code": "closed"}, "period": {"name": "Lunch", "kind": "lunch"}}),
    ];
    for event in sound {
        let body = batch(&[event]);
        assert_eq!(problems(&body, schema, schema), Vec::<String>::new());
        let answer = endpoint.post_events(&body).await;
        assert_eq!(
            answer.json()["stored"].as_array().unwrap().len(),
            1,
            "{answer:?}"
        );
    }
    let faulty = [
        ("/id", json!("x")),
        ("/kind", json!("allow")),
        ("/count", json!(0)),
        ("/count", json!(1.5)),
        ("/at", json!(7)),
        ("/subject", json!("a b")),
        ("/cohort", json!("Year 9")),
        ("/url/path", json!("play")),
        ("/url/port", json!(80)),
        ("/type", json!("page")),
        ("/reason/code", json!("two words")),
        ("/period/room", json!("B12")),
        ("/comment", json!("")),
        ("/policy_version", json!(1)),
        ("/colour", json!("red")),
    ];
    for (pointer, value) in faulty {
        let mut event = block();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[key] = value;
        let body = batch(&[event]);
        assert_ne!(
            problems(&body, schema, schema),
            Vec::<String>::new(),
            "{pointer}"
        );
        let answer = endpoint.post_events(&body).await;
        assert_eq!(
            answer.json()["rejected"].as_array().unwrap().len(),
            1,
            "{pointer}"
        );
    }
    endpoint.stop().await;
}

/// What a value breaks of a schema; a keyword that is not known here fails the test.
fn problems(value: &Value, schema: &Value, root: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, schema, root, "", &mut found);
    found
}

fn collect(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                collect(value, root.pointer(pointer).unwrap(), root, at, found);
                true
            }
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|name| is_of_type(value, name)),
                name => is_of_type(value, name),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "required" => value.as_object().is_none_or(|object| {
                let mut names = wanted.as_array().unwrap().iter();
                names.all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "properties" => {
                for (name, inner) in wanted.as_object().unwrap() {
                    if let Some(field) = value.get(name) {
                        collect(field, inner, root, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => value.as_object().is_none_or(|object| {
                object
                    .keys()
                    .all(|name| schema["properties"].get(name).is_some())
            }),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    collect(item, wanted, root, &format!("{at}/{index}"), found);
                }
                true
            }
            "maxItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 <= wanted.as_u64().unwrap()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 >= wanted.as_u64().unwrap()),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 <= wanted.as_u64().unwrap()),
            "minimum" => value
                .as_f64()
                .is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| number <= wanted.as_f64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| {
                regex_lite::Regex::new(wanted.as_str().unwrap())
                    .unwrap()
                    .is_match(text)
            }),
            "format" => value
                .as_str()
                .is_none_or(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            other => panic!("the keyword `{other}` is not checked"),
        };
        if !holds {
            found.push(format!("{at}: {keyword}"));
        }
    }
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type `{other}` is not checked"),
    }
}
