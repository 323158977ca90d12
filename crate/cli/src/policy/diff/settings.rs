//! What two policies differ in although no cohort's hours show it.

use std::collections::BTreeSet;

use serde_json::Value;

/// Sections that say who may do what or how it is reported, and nothing of hours.
const UNSEEN: [&str; 8] = [
    "school",
    "exceptions",
    "acceptable_use",
    "reporting",
    "pages",
    "help_closed",
    "own_categories",
    "cohorts",
];
/// Sections that can name people by digest, whose day nobody can look up.
const NAMING: [&str; 6] = ["groups", "rules", "sessions", "grants", "exams", "cohorts"];

/// The sections that differ, as JSON pointers, comments apart.
pub fn differing(policies: &[Value; 2]) -> Vec<String> {
    let [before, after] = policies;
    let sections: BTreeSet<&str> = UNSEEN.into_iter().chain(NAMING).collect();
    sections
        .into_iter()
        .filter(|section| {
            let (old, new) = (bare(&before[*section]), bare(&after[*section]));
            let unseen = UNSEEN.contains(section)
                || *section == "groups"
                || has_digest(&old)
                || has_digest(&new)
                || (*section == "exams" && (by_name(&old) || by_name(&new)));
            old != new && unseen
        })
        .map(|section| format!("/{section}"))
        .collect()
}

/// Everybody whom a rule, session, grant or examination of either policy names by address.
pub fn named(policies: &[Value; 2]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for section in ["rules", "sessions", "grants", "exams"] {
        for policy in policies {
            let things = policy[section].as_array().into_iter().flatten();
            let who = things.flat_map(|thing| thing["who"].as_array().into_iter().flatten());
            found.extend(
                who.filter_map(Value::as_str)
                    .filter(|name| name.contains('@') && !name.starts_with('@'))
                    .map(str::to_lowercase),
            );
        }
    }
    found.into_iter().collect()
}

/// Whether an examination holds on devices put into it by name, at no hour of its own.
fn by_name(exams: &Value) -> bool {
    let mut exams = exams.as_array().into_iter().flatten();
    exams.any(|exam| exam.get("dates").is_none())
}

fn has_digest(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with("sha256:"),
        Value::Array(items) => items.iter().any(has_digest),
        Value::Object(fields) => fields.values().any(has_digest),
        _ => false,
    }
}

/// A value without the comments in it.
pub fn bare(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| *key != "$comment");
            kept.map(|(key, value)| (key.clone(), bare(value)))
                .collect()
        }
        other => other.clone(),
    }
}
