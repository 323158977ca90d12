//! `bellgate serve` as an administrator runs it: a process with signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

const BELLGATE: &str = env!("CARGO_BIN_EXE_bellgate");

#[test]
fn it_says_where_it_is_stores_an_event_and_ends_on_sigterm() {
    let folder = std::env::temp_dir().join(format!("bellgate-serve-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let database = folder.join("events.db");
    let mut serving = Command::new(BELLGATE)
        .args(["serve", "--listen", "127.0.0.1:0", "--database"])
        .arg(&database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serving.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["ready"], true);
    let address = ready["address"].as_str().unwrap();

    let now = chrono::Utc::now().to_rfc3339();
    let body = format!(
        r#"{{"schema":1,"tenant":"school","sent_at":"{now}","events":[
            {{"id":"01932b1e-7c00-7abc-8def-0123456789ab","kind":"heartbeat","at":"{now}","count":1}}]}}"#
    );
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /v1/events HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let signalled = Command::new("kill")
        .args(["-TERM", &serving.id().to_string()])
        .status()
        .unwrap();
    assert!(signalled.success());
    assert!(serving.wait().unwrap().success());

    let listed = Command::new(BELLGATE)
        .args(["events", "list", "--json", "--database"])
        .arg(&database)
        .output()
        .unwrap();
    let event: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(event["kind"], "heartbeat");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_mistyped_database_is_an_error_and_no_new_file() {
    let absent = std::env::temp_dir().join(format!("bellgate-absent-{}", std::process::id()));
    let output = Command::new(BELLGATE)
        .args(["events", "list", "--database"])
        .arg(&absent)
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no database"));
    assert!(!absent.exists());
}
