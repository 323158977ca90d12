//! Good policies are read; bad ones get every fault in one go, each with its place.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bellgate_core::policy::{FaultCode, Policy};

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/policies");
    let mut files: Vec<PathBuf> = fs::read_dir(root.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_good_policy_is_read() {
    let files = files("good");
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        if let Err(faults) = Policy::parse(&text) {
            panic!("{}: {faults}", file.display());
        }
    }
}

/// Each bad policy stands beside a list of the faults it has, `code path` a line.
#[test]
fn every_bad_policy_gets_exactly_its_faults() {
    let files = files("bad");
    assert!(files.len() >= 55, "only {} bad policies", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let wanted = fs::read_to_string(file.with_extension("faults")).unwrap();
        let wanted: BTreeSet<&str> = wanted.lines().map(str::trim_end).collect();
        let Err(faults) = Policy::parse(&text) else {
            panic!("{} was read", file.display());
        };
        let found: Vec<String> = faults
            .0
            .iter()
            .map(|fault| {
                let code = serde_json::to_value(fault.code).unwrap();
                format!("{} {}", code.as_str().unwrap(), fault.path)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, wanted, "{}\n{faults}", file.display());
        for fault in &faults.0 {
            let first = fault.message.chars().next().unwrap();
            assert!(!first.is_uppercase(), "{fault}");
            assert!(!fault.message.ends_with('.'), "{fault}");
        }
    }
}

#[test]
fn every_code_of_a_fault_is_shown_by_a_bad_policy() {
    let mut shown = BTreeSet::new();
    for file in files("bad") {
        if let Err(faults) = Policy::parse(&fs::read_to_string(&file).unwrap()) {
            shown.extend(faults.0.into_iter().map(|fault| fault.code));
        }
    }
    let too_large = " ".repeat(bellgate_core::policy::MAX_POLICY_BYTES + 1);
    let faults = Policy::parse(&too_large).unwrap_err();
    shown.extend(faults.0.into_iter().map(|fault| fault.code));
    let faults: BTreeSet<FaultCode> = FaultCode::ALL
        .into_iter()
        .take_while(|code| *code != FaultCode::NeverMatches)
        .collect();
    assert_eq!(shown, faults);
}

#[test]
fn a_comment_may_stand_on_every_object() {
    let text = include_str!("../../../docs/examples/chromebook-school.json");
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    let objects = comment(&mut value);
    assert!(objects > 60, "{objects}");
    if let Err(faults) = Policy::parse(&value.to_string()) {
        panic!("{faults}");
    }
}

fn comment(value: &mut serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => items.iter_mut().map(comment).sum(),
        serde_json::Value::Object(fields) => {
            let inner: usize = fields.values_mut().map(comment).sum();
            fields.insert("$comment".into(), "why".into());
            inner + 1
        }
        _ => 0,
    }
}

#[test]
fn the_order_of_unrelated_keys_does_not_matter() {
    use bellgate_core::context::Context;
    let text = include_str!("../../../docs/examples/chromebook-school.json");
    // serde_json's map sorts its keys; the text's order is another.
    let sorted = serde_json::from_str::<serde_json::Value>(text)
        .unwrap()
        .to_string();
    assert!(sorted.find("\"version\"") > sorted.find("\"calendar\""));
    let (one, _) = Policy::parse(text).unwrap();
    let (other, _) = Policy::parse(&sorted).unwrap();
    for cohort in ["year-7", "year-11", "year-13", "staff"] {
        let context = Context {
            cohort: Some(cohort.into()),
            ..Context::default()
        };
        let mut now_ms = 1_790_000_000_000;
        for _ in 0..200 {
            let (left, right) = (
                one.standing(&context, now_ms),
                other.standing(&context, now_ms),
            );
            assert_eq!(left.mode, right.mode);
            assert_eq!(left.rule, right.rule);
            assert_eq!(left.period, right.period);
            assert_eq!(left.next_change_at_ms, right.next_change_at_ms);
            now_ms = left.next_change_at_ms.unwrap_or(now_ms + 86_400_000);
        }
    }
}

#[test]
fn the_examples_contradict_themselves_nowhere() {
    for text in [
        include_str!("../../../docs/examples/chromebook-school.json"),
        include_str!("../../../docs/examples/own-device-school.json"),
    ] {
        let (policy, warnings) = Policy::parse(text).unwrap();
        assert_eq!(warnings, []);
        assert_eq!(policy.contradictions(), []);
    }
}

#[test]
fn what_is_said_in_vain_is_noticed() {
    let text = include_str!("../../../tests/policies/good/minimal.json");
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    let rules = value["rules"].as_array_mut().unwrap();
    rules.swap(0, 1);
    rules[0]["who"] = serde_json::json!(["@pupils"]);
    value["sessions"] = serde_json::json!([
        {"name": "Within lessons", "who": ["@pupils"], "start": "10:00", "end": "11:00"}
    ]);
    value["timetables"][0]["cohorts"] = serde_json::json!(["year-9", "staff"]);
    let again = value["timetables"][0].clone();
    value["timetables"].as_array_mut().unwrap().push(again);
    value["timetables"][1]["name"] = "Never".into();
    let (policy, _) = Policy::parse(&value.to_string()).unwrap();
    let found: Vec<(FaultCode, String)> = policy
        .contradictions()
        .into_iter()
        .map(|warning| (warning.code, warning.path))
        .collect();
    assert_eq!(
        found,
        [
            (FaultCode::NeverMatches, "/rules/1".to_owned()),
            (FaultCode::NeverMatches, "/timetables/1".to_owned()),
            (FaultCode::NeverMatches, "/sessions/0".to_owned()),
            (FaultCode::NoRule, "/rules".to_owned()),
        ]
    );
}
