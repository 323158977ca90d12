//! docs/policy.md as a test: every example is read, and every key has one.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{Policy, calendar, filter, occasion, read, rule, settings, timetable};

const DOCUMENT: &str = include_str!("../../../../docs/policy.md");

/// An object of the language: where it stands, with `*` for any name or number, the
/// constant of its keys, and they.
type Object = (&'static str, &'static str, &'static [&'static str]);

macro_rules! objects {
    ($($place:literal $module:ident $keys:ident),* $(,)?) => {
        [$(($place, stringify!($keys), $module::$keys)),*]
    };
}

/// Every object of the language.
const OBJECTS: &[Object] = &objects![
    "" read POLICY_KEYS,
    "/school" settings SCHOOL_KEYS,
    "/school/contacts" settings CONTACTS_KEYS,
    "/school/contacts/*" settings CONTACT_KEYS,
    "/cohorts/*" read COHORT_KEYS,
    "/groups/*" read GROUP_KEYS,
    "/calendar" calendar CALENDAR_KEYS,
    "/calendar/*/*" calendar RANGE_KEYS,
    "/calendar/early_finish/*" calendar EARLY_FINISH_KEYS,
    "/calendar/cycle" calendar CYCLE_KEYS,
    "/calendar/cycle/anchor" calendar ANCHOR_KEYS,
    "/timetables/*" timetable TIMETABLE_KEYS,
    "/timetables/*/periods/*" timetable PERIOD_KEYS,
    "/filters/*" filter FILTER_KEYS,
    "/rules/*" rule RULE_KEYS,
    "/rules/*/when" rule WHEN_KEYS,
    "/rules/*/when/times/*" rule TIMES_KEYS,
    "/rules/*/where" rule WHERE_KEYS,
    "/rules/*/then" rule THEN_KEYS,
    "/outside_school_hours" settings OUTSIDE_KEYS,
    "/sessions/*" occasion SESSION_KEYS,
    "/grants/*" occasion GRANT_KEYS,
    "/exams/*" occasion EXAM_KEYS,
    "/exceptions" occasion EXCEPTIONS_KEYS,
    "/acceptable_use" settings ACCEPTABLE_USE_KEYS,
    "/reporting" settings REPORTING_KEYS,
    "/pages" settings PAGES_KEYS,
    "/help_closed/*" settings HELP_CLOSED_KEYS,
];

/// The examples, in the order of the document.
fn examples() -> Vec<Value> {
    let blocks = DOCUMENT.split("```json\n").skip(1);
    blocks
        .map(|block| {
            let (text, _) = block.split_once("```").unwrap();
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
        })
        .collect()
}

#[test]
fn each_example_laid_over_those_before_it_is_a_policy() {
    let mut whole = Value::Object(serde_json::Map::new());
    let examples = examples();
    assert!(examples.len() >= 15, "{} examples", examples.len());
    for example in examples {
        let keys = example.as_object().unwrap();
        for (key, value) in keys {
            whole[key] = value.clone();
        }
        if let Err(faults) = Policy::parse(&whole.to_string()) {
            panic!("after {example}:\n{faults}");
        }
    }
    // What an example brings is used by a later one at the latest.
    let (policy, warnings) = Policy::parse(&whole.to_string()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(policy.contradictions(), []);
}

#[test]
fn every_key_of_the_language_has_an_example() {
    let mut shown = BTreeSet::new();
    for example in examples() {
        collect(&example, "", &mut shown);
    }
    let missing: Vec<String> = OBJECTS
        .iter()
        .flat_map(|(place, _, keys)| keys.iter().map(move |key| format!("{place}/{key}")))
        .filter(|wanted| !shown.iter().any(|shown| fits(wanted, shown)))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/policy.md has no example of {}",
        missing.join(", ")
    );
}

#[test]
fn every_key_is_named_in_the_text_beside_the_examples() {
    let prose: String = DOCUMENT.split("```").step_by(2).collect();
    let unnamed: Vec<&str> = OBJECTS
        .iter()
        .flat_map(|(_, _, keys)| *keys)
        .copied()
        .filter(|key| {
            !prose.contains(&format!("`{key}`")) && !prose.contains(&format!("\"{key}\""))
        })
        .collect();
    assert_eq!(unnamed, [""; 0]);
}

#[test]
fn no_object_of_the_language_is_forgotten_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for line in text
            .lines()
            .filter(|line| line.starts_with("pub(super) const "))
        {
            let name = line.split([' ', ':']).nth(2).unwrap();
            if name.ends_with("_KEYS") {
                found.insert(name.to_owned());
            }
        }
    }
    let known: BTreeSet<String> = OBJECTS
        .iter()
        .map(|(_, name, _)| (*name).to_owned())
        .collect();
    assert_eq!(found, known);
}

/// Every place of a value that has something: JSON pointers.
fn collect(value: &Value, place: &str, shown: &mut BTreeSet<String>) {
    shown.insert(place.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                collect(field, &format!("{place}/{key}"), shown);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                collect(item, &format!("{place}/{number}"), shown);
            }
        }
        _ => {}
    }
}

/// Whether a pointer is one of those that `wanted` means, `*` standing for any step.
fn fits(wanted: &str, shown: &str) -> bool {
    let (wanted, shown): (Vec<&str>, Vec<&str>) =
        (wanted.split('/').collect(), shown.split('/').collect());
    wanted.len() == shown.len()
        && wanted
            .iter()
            .zip(&shown)
            .all(|(wanted, shown)| *wanted == "*" || wanted == shown)
}
