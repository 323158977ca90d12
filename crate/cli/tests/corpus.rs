//! The corpus (`tests/corpus/*.toml`) through the command, as a school would ask it.
//!
//! The same files drive the core in wasm (`tests/wasm`) and, for a sample, a real
//! Chromium (`tests/browser`).

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One file of the corpus.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    /// The policy, from the root of the repository; absent: none, so that the built-in
    /// lesson rules hold.
    policy: Option<String>,
    /// How many cases there are, so that none can vanish.
    cases: usize,
    case: Vec<Case>,
}

/// A question and what must come out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    action: String,
    code: String,
    rule: Option<String>,
    category: Option<String>,
    entry: Option<String>,
    period: Option<String>,
    next_change_at: Option<String>,
    /// Whether a real browser plays it too.
    #[serde(default, rename = "browser")]
    _browser: bool,
    /// The question, with the keys of `bellgate decide --batch`.
    ask: Map<String, Value>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn bellgate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellgate"));
    command.current_dir(root()).args(arguments);
    command
}

/// The pack of `tests/corpus/lists`, which stands for a school's own.
fn school_pack(folder: &Path) -> String {
    let pack = folder.join("corpus.pack").display().to_string();
    let built = bellgate(&[
        "lists",
        "build",
        "--from",
        "tests/corpus/lists",
        "--out",
        &pack,
    ])
    .output()
    .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    pack
}

fn ask(corpus: &Corpus, pack: &str) -> Vec<Value> {
    let mut arguments = vec!["decide", "--batch", "--lists", pack];
    if let Some(policy) = &corpus.policy {
        arguments.extend(["--policy", policy]);
    }
    let mut child = bellgate(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = String::new();
    for case in &corpus.case {
        questions.push_str(&Value::Object(case.ask.clone()).to_string());
        questions.push('\n');
    }
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_case_of_the_corpus_is_decided_as_written() {
    let folder = std::env::temp_dir().join(format!("bellgate-corpus-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let pack = school_pack(&folder);
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("tests/corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus");
    let mut wrong = Vec::new();
    let mut ran = 0;
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let corpus: Corpus = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(
            corpus.case.len(),
            corpus.cases,
            "{file}: `cases` and the cases disagree"
        );
        let names: BTreeSet<&str> = corpus.case.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), corpus.cases, "{file}: two cases of one name");
        let decisions = ask(&corpus, &pack);
        assert_eq!(
            decisions.len(),
            corpus.cases,
            "{file}: an answer a question"
        );
        for (case, decision) in corpus.case.iter().zip(&decisions) {
            let fault = differences(case, decision);
            if !fault.is_empty() {
                wrong.push(format!(
                    "{file}: {}\n    {}\n    {decision}",
                    case.name,
                    fault.join("; ")
                ));
            }
            ran += 1;
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {ran} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("{ran} cases");
}

fn differences(case: &Case, decision: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |place: &str, expected: Value| {
        let got = decision.pointer(place).cloned().unwrap_or(Value::Null);
        if got != expected {
            found.push(format!("{place} is {got}, not {expected}"));
        }
    };
    compare("/action", json!(case.action));
    compare("/reason/code", json!(case.code));
    for (place, expected) in [
        ("/reason/rule", &case.rule),
        ("/reason/category", &case.category),
        ("/reason/entry", &case.entry),
        ("/period/name", &case.period),
        ("/next_change_at", &case.next_change_at),
    ] {
        if let Some(expected) = expected {
            compare(place, json!(expected));
        }
    }
    found
}
